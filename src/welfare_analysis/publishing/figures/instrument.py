"""The figure of the instrument: where its questions come from. It shows the codebook and no answers."""

from __future__ import annotations

import matplotlib
import numpy as np

from ...study import Study
from ..instrument import counts
from ..labels import title
from .output import put
from .style import MARKED, PALETTE, ROW, STYLE, canvas


def evidence(study: Study) -> None:
    """Show, by block, how many answers a form stores of which origin: printed in 2012, named by the seed, added."""
    book, language = study.codebook, study.language
    table = counts(book)
    labels = [book.text(f"block.{block}", language) for block in table.index]
    with matplotlib.rc_context(STYLE):
        figure, (axes,) = canvas(title("evidence", study), study, ROW * len(table))
        at, start = np.arange(len(table))[::-1], np.zeros(len(table))
        inks = ((PALETTE[0], "white"), (PALETTE[4], "black"), (MARKED, "white"))
        for origin, (colour, ink) in zip(table, inks, strict=True):
            n = table[origin].to_numpy(dtype=float)
            axes.barh(at, n, left=start, color=colour, label=book.text(f"col.{origin}", language))
            for y, x, k in zip(at, start, n, strict=True):
                if k:
                    axes.annotate(f"{k:.0f}", (x + k / 2, y), ha="center", va="center", fontsize=8, color=ink)
            start += n
        axes.set_yticks(at, labels)
        axes.set_xlabel(book.text("col.answers_stored", language))
        axes.legend(frameon=False, fontsize=8, loc="lower right")
        told = [
            f"{label}: " + ", ".join(f"{book.text(f'col.{o}', language)} {n}" for o, n in row.items() if n)
            for label, (_, row) in zip(labels, table.iterrows(), strict=True)
        ]
        put(figure, f"{title('evidence', study)}. {'; '.join(told)}.", book.text("source.codebook", language))

"""Kinds of figures of loans: debt service with its limit, what files become over the years."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from ...demand.credit import Terms
from ...disclosure import Released
from ...languages import number
from ...needs.income_debt import STANDARDS
from ...results.loans import RATES
from ...study import Study
from ..labels import in_order, label, title
from .homes import curve
from .style import MARKED, PALETTE, QUIET, canvas


def histogram(tables: Sequence[Released], study: Study, limit: float) -> Figure:
    """A bar a step of the ratio with its interval; steps above the limit in another colour, the lower class marked."""
    (one,) = tables
    codes = in_order(one, study, one.by[0])
    cells = one.shown.astype({one.by[0]: str}).set_index(one.by[0]).reindex(codes)
    figure, (axes,) = canvas(title(one.id, study), study, 2.8)
    starts = [float(code.split("_")[0]) for code in codes]
    colours = [MARKED if start >= 100 * limit else PALETTE[0] for start in starts]
    axes.bar(starts, 100 * cells["estimate"], width=4.6, align="edge", color=colours)
    middle = [start + 2.3 for start in starts]
    axes.vlines(middle, 100 * cells["low"], 100 * cells["high"], color="black", linewidth=1.2)
    for at, colour, name in ((100 * STANDARDS.low_share, QUIET, "low"), (100 * limit, "black", "limit")):
        text = study.codebook.text(f"short.loans_{name}", study.language)
        axes.axvline(at - 0.2, color=colour, linestyle="--", linewidth=1, label=text)
    axes.legend(frameon=False, fontsize=8)
    axes.set_xticks(starts, [label(study, one.by[0], code) for code in codes], fontsize=8, ha="left")
    axes.yaxis.set_major_formatter(lambda y, _p: number(y, study.language))
    axes.set_xlabel(study.codebook.text("axis.debt_band", study.language))
    axes.set_ylabel(study.codebook.text("unit.share", study.language))
    return figure


def against_rate(tables: Sequence[Released], study: Study, limit: float) -> Figure:
    """Files by the rate of the Foundation, in per cent a year: `curve` at the rates of the terms."""
    rates = {name: 100 * Terms.named(terms).rate for name, terms in RATES.items()}
    return curve(tables, study, limit, rates)

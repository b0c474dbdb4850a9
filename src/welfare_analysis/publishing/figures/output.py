"""Figures of what was released, by name: the lines of ``data/figures.csv``, drawn with notes and alternative texts."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from ...disclosure import Released
from ...errors import unknown
from ...languages import amount, direction
from ...study import DATA, ROOT, Study
from ..labels import cell_label, format_cell, listed, note, note_key, source, title
from ..published import release
from ..sentences import sentence
from .bars import bands, flow, heat, histogram, pyramid, stacked, tornado
from .dots import categories, groups, profile, steps, with_without
from .lines import against_rate, crossing, curve, parts, tour
from .style import NARROW, SMALL, STYLE, Plan, fitting, headed, mirrored, narrowed, wrapped

KINDS = {
    kind.__name__: kind
    for kind in (bands, flow, heat, histogram, pyramid, stacked, tornado, categories, groups, profile, steps,
                 with_without, against_rate, crossing, curve, parts, tour)
}  # fmt: skip


def read(row: Mapping[str, str]) -> Plan:
    """The figure of a line.

    Raises
    ------
    WelfareError
        A kind of figure that there is not.
    """
    if row["kind"] not in KINDS:
        raise unknown("no such kind", row["kind"], KINDS, ", ".join(KINDS), where=f"figures.csv, {row['figure']}")
    options = json.loads(row["options"] or "{}")
    return Plan(KINDS[row["kind"]], tuple(row["tables"].split("|")), options, row["needs"] == "any")


FIGURES = {
    row["figure"]: read(row) for row in pd.read_csv(DATA / "figures.csv", keep_default_na=False).to_dict("records")
}


COLOURS = 96  # of a picture in a notebook; more are not seen, and triple its size
FINE = (heat, tour)  # kinds with too many marks for a narrow figure: the page scrolls them
LISTED = 40  # cells that an alternative text lists one by one


def picture(study: Study, name: str) -> tuple[Figure, list[Released]]:
    """A figure of the plan and the tables that it shows, or an empty list where there is nothing to show."""
    plan, released = planned(name), release(study)
    tables = [released[t] for t in plan.tables if t in released]
    needed = tables if plan.any_table else tables[:1]
    if not any(len(t.shown) for t in needed):
        return Figure(), []
    figure = plan.kind(tables, study, **plan.options)
    if said := message(name, tables, study):
        headed(figure, said)
    if figure.get_suptitle():  # a picture is copied without its page
        headed(figure, marked(figure.get_suptitle().replace("\n", " "), tables, study))
    figure.set_figheight(figure.get_figheight() + 0.2 * figure.get_suptitle().count("\n"))
    if fitting(figure, 0, 1):
        narrowed(figure)
    return mirrored(figure) if direction(study.language) == "rtl" else figure, tables


def marked(name: str, tables: Sequence[Released], study: Study) -> str:
    """A title that says that answers are of no real members, unless the note below names no source of any."""
    key = note_key(shown, study) if (shown := [t for t in tables if t.state == "shown"]) else "note"
    named = "{source}" in study.codebook.template(key, study.language) if key else False
    return f"{name} ({source(study)})" if study.is_standin and named else name


def message(name: str, tables: Sequence[Released], study: Study) -> str:
    """What a figure says, in a sentence: the text ``message.<figure>``, or of groups who is highest and who is lowest.

    Nothing where it has no such text, or a number of it may not be shown.
    """
    if f"message.{name}" in study.codebook.texts.index:
        said = sentence(study, f"message.{name}")
    else:
        said = sentence(study, "contrast_of", tables[0].id) if planned(name).kind is groups else ""
    if any(study.text(f"gap.{why}") in said.lower() for why in ("hidden", "unsure")):
        return ""
    return said.replace("**", "").rstrip(".")


def planned(name: str) -> Plan:
    """The figure of a name.

    Raises
    ------
    WelfareError
        No such figure.
    """
    if name not in FIGURES:
        raise unknown("no such figure", name, FIGURES, "a name of figures.FIGURES")
    return FIGURES[name]


def draw(study: Study, name: str) -> None:
    """Draw a figure in a notebook: picture with alternative text, then the note; or say that there is nothing."""
    with matplotlib.rc_context(STYLE):
        figure, tables = picture(study, name)
        if not tables:
            text = study.text(release(study)[planned(name).tables[0]].silence)
            display({"text/markdown": listed(study, [f"**{title(name, study)}**", text], "colon")}, raw=True)
            return
        about = f"{title(name, study)}. " if message(name, tables, study) else ""
        below = about + study.as_markdown(note(tables, study))
        words = {"alt": alt_text(name, tables, study), "tables": [t.id for t in tables]}
        data = {"text/plain": fingerprint(figure), "image/png": drawn(figure)}
    if study.languages and planned(name).kind not in FINE:  # a page of a report is read on phones too
        with matplotlib.rc_context(NARROW):
            words["narrow"] = base64.b64encode(drawn(picture(study, name)[0])).decode()
    display(data, metadata={"image/png": words}, raw=True)
    display({"text/markdown": below}, raw=True)


def drawn(figure: Figure) -> bytes:
    """A figure as PNG; it is closed. It is laid out and drawn in one pass, where ``savefig`` takes two."""
    canvas, png = FigureCanvasAgg(figure), io.BytesIO()
    canvas.draw()
    plt.close(figure)
    few = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").quantize(COLOURS, Image.Quantize.FASTOCTREE)
    few.save(png, format="png", compress_level=8)  # a hundredth larger than 9, in half its time
    return png.getvalue()


def alt_text(name: str, tables: Sequence[Released], study: Study) -> str:
    """What a figure shows, in words, from the numbers that may be shown; of many cells the ends only."""
    parts = [marked(title(name, study), tables, study)]
    several = len(tables) > 1
    for table in (t for t in tables if t.state == "shown" and len(t.shown)):
        cells = table.shown
        if sum(len(t.shown) for t in tables) > LISTED:
            ends = cells.loc[[cells["estimate"].idxmax(), cells["estimate"].idxmin()]] if len(cells) > 1 else cells
            cells = ends
        lines = []
        for _, row in cells.iterrows():
            names = [cell_label(table, study, k, row[k]) for k in table.keys]
            counted = table.statistic == "count"
            value = amount(row["estimate"], table.unit, study.language) if counted else format_cell(table, study, row)
            lines.append(listed(study, [listed(study, names), value] if names else [value], "colon"))
        heads = [title(table.id, study)] if several else []
        parts.append(listed(study, [*heads, listed(study, lines, "semicolon")], "colon"))
    return " ".join(part if part.endswith(("?", ".")) else f"{part}." for part in parts)


def fingerprint(figure: Figure) -> str:
    """What was drawn, in figures: title, bar lengths, ends of intervals and points of lines to four digits."""
    bars, lines, paths = [], [], []
    for axes in figure.axes:
        bars += [f"{p.get_width():.4g} x {p.get_height():.4g}" for p in axes.patches if isinstance(p, Rectangle)]
        segments = [s for c in axes.collections for s in getattr(c, "get_segments", list)()]
        lines += [" ".join(f"{v:.4g}" for v in s.ravel()) for s in segments if len(s)]
        paths += [" ".join(f"{v:.4g}" for v in np.asarray(line.get_xydata()).ravel()) for line in axes.lines]
    parts = [figure.get_suptitle(), f"bars {' '.join(bars)}", f"lines {', '.join(lines)}", f"paths {', '.join(paths)}"]
    return " | ".join(parts)


def noted(svg: str, said: str) -> str:
    """An SVG with a note under it, and so under the legend that may stand at its foot."""
    width, height = (float(x) for x in re.findall(r'viewBox="0 0 (\S+) (\S+)"', svg)[0])
    lines = wrapped(said, int(SMALL * width / 72)).split("\n")
    foot, style = 10.0 * (len(lines) + 1), 'font: 7px "DejaVu Sans", sans-serif; fill: #555555'
    for before in (f'height="{height:g}pt"', f'viewBox="0 0 {width:g} {height:g}"'):
        svg = svg.replace(before, before.replace(f"{height:g}", f"{height + foot:g}"), 1)
    text = (
        f'<text x="6" y="{height + 10 * (i + 1):g}" style=\'{style}\'>{escape(x)}</text>' for i, x in enumerate(lines)
    )
    return svg.replace("</svg>", "".join(text) + "\n</svg>")


def stable(svg: str) -> str:
    """An SVG whose ids depend on nothing but its content: numbered as they come."""
    names: dict[str, str] = {}
    for name in re.findall(r'\bid="([a-zA-Z]+[0-9a-f]{8,})"', svg):
        names.setdefault(name, f"i{len(names)}")
    return re.sub(r"[a-zA-Z]+[0-9a-f]{8,}", lambda found: names.get(found[0], found[0]), svg)


def write_headlines(folder: Path = ROOT / "figures") -> None:
    """Write each figure as SVG with its note, its data as CSV and its alternative text."""
    study = Study.open()
    folder.mkdir(exist_ok=True)
    for name in FIGURES:
        with matplotlib.rc_context(STYLE):
            figure, tables = picture(study, name)
            drawn = io.StringIO()
            figure.savefig(drawn, format="svg", metadata={"Date": None})
            (folder / f"{name}.svg").write_text(noted(stable(drawn.getvalue()), note(tables, study)), encoding="utf-8")
            plt.close(figure)
        cells = pd.concat([t.frame.assign(table=t.id) for t in tables if t.state == "shown"])
        cells.round(6).to_csv(folder / f"{name}.csv", index=False)
        (folder / f"{name}.txt").write_text(alt_text(name, tables, study) + "\n", encoding="utf-8")

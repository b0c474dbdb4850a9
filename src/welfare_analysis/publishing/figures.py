"""Figures of what was released; the only module that draws.

One style: a palette that colour-blind readers tell apart, the same colour for the same code, intervals drawn, a note
with n, weights and source, and an alternative text made from the same numbers.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from IPython.display import display
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..languages import amount, number
from ..study import ROOT, Study
from .disclosure import Released, protect
from .tables import in_order, label, note

# Okabe and Ito (2008), the order of the list of codes.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")
INK = "#222222"
SIZE = (8.0, 4.4)
STYLE: Any = {
    "figure.dpi": 100,
    "font.size": 10,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "svg.hashsalt": "welfare_analysis",
    "svg.fonttype": "path",
}
HEADLINE_FIGURES = {
    "who_they_are": "pyramid",
    "tenure_by_rank": "stacked_shares",
    "crowded_by_rank": "dots_with_intervals",
    "crowded_by_command": "dots_with_intervals",
    "rent_median_by_command": "dots_with_intervals",
    "cost_burdened_by_rank": "dots_with_intervals",
    "debt_class_by_rank": "stacked_shares",
    "commute_band_by_command": "stacked_shares",
}


def _canvas(released: Released, study: Study) -> tuple[Figure, plt.Axes]:
    figure, axes = plt.subplots(figsize=SIZE, layout="constrained")
    figure.suptitle(
        study.codebook.text(f"title.{released.id}", study.language), x=0.01, ha="left", fontweight="bold", fontsize=12
    )
    figure.text(0.01, -0.0, note(released, study), fontsize=8, color="#555555", va="bottom")
    figure.set_layout_engine("constrained", rect=(0, 0.05, 1, 0.95))
    return figure, axes


def dots_with_intervals(released: Released, study: Study) -> Figure:
    """One dot and its 95 % interval a group, sorted by the estimate."""
    figure, axes = _canvas(released, study)
    frame = released.frame.dropna(subset="estimate").sort_values("estimate")
    scale = 100 if released.unit == "share" else 1
    at = np.arange(len(frame))
    value, low, high = (scale * frame[c].to_numpy(float) for c in ("estimate", "low", "high"))
    axes.hlines(at, low, high, color=PALETTE[0], linewidth=2)
    sns.scatterplot(x=value, y=at, color=PALETTE[0], s=55, ax=axes, zorder=3)
    for y, x, shown in zip(at, high, frame["estimate"], strict=True):
        axes.annotate(
            amount(shown, released.unit, study.language), (x, y), (6, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(at, [label(study, released.by[0], code) for code in frame[released.by[0]]])
    axes.set_ylim(-0.6, len(frame) - 0.4)
    axes.set_xlim(0, max(high) * 1.15)
    axes.set_xlabel(study.codebook.text(f"unit.{released.unit}", study.language))
    axes.set_ylabel("")
    return figure


def stacked_shares(released: Released, study: Study) -> Figure:
    """Shares that add to one, a bar a group; what is hidden stays blank."""
    figure, axes = _canvas(released, study)
    groups = in_order(released, study, released.by[0])[::-1]
    categories = in_order(released, study, "category", released.variable)
    order = study.codebook.codes(released.variable)
    wide = released.frame.pivot(index=released.by[0], columns="category", values="estimate").astype(float)
    wide = wide.set_axis(wide.index.astype(str)).set_axis(wide.columns.astype(str), axis=1).reindex(groups)
    start = np.zeros(len(groups))
    for category in categories:
        width = 100 * wide[category].to_numpy()
        drawn = np.nan_to_num(width)
        colour = PALETTE[order.index(category) % len(PALETTE)]
        axes.barh(groups, drawn, left=start, color=colour, label=label(study, released.variable, category), height=0.7)
        for y, (x, w) in enumerate(zip(start, drawn, strict=True)):
            if w >= 5:
                axes.text(x + w / 2, y, number(w, study.language), ha="center", va="center", color="white", fontsize=9)
        start = start + drawn
    axes.set_yticks(range(len(groups)), [label(study, released.by[0], g) for g in groups])
    axes.set_xlim(0, 100)
    axes.set_xlabel("%")
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.45, -0.13), ncols=min(len(categories), 4), frameon=False, fontsize=9
    )
    return figure


def pyramid(released: Released, study: Study) -> Figure:
    """Members by age group, a colour a status."""
    figure, axes = _canvas(released, study)
    statuses, ages = (in_order(released, study, column) for column in released.by)
    wide = released.frame.pivot(index=released.by[1], columns=released.by[0], values="estimate").astype(float)
    wide = wide.set_axis(wide.index.astype(str)).set_axis(wide.columns.astype(str), axis=1).reindex(ages).fillna(0)
    start = np.zeros(len(ages))
    for place, status in enumerate(statuses):
        axes.barh(
            ages, wide[status], left=start, color=PALETTE[place], label=label(study, "status", status), height=0.8
        )
        start = start + wide[status].to_numpy()
    for y, x in enumerate(start):
        axes.annotate(number(x, study.language), (x, y), (5, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(ages)), [label(study, "age_group", a) for a in ages])
    axes.set_xlim(0, start.max() * 1.12)
    axes.set_xlabel(study.codebook.text("unit.persons", study.language))
    axes.legend(frameon=False)
    return figure


KINDS: dict[str, Callable[[Released, Study], Figure]] = {
    "dots_with_intervals": dots_with_intervals,
    "stacked_shares": stacked_shares,
    "pyramid": pyramid,
}


def alt_text(released: Released, study: Study) -> str:
    """What a figure shows, in words, from the numbers that may be shown."""
    frame = released.frame.dropna(subset="estimate")
    keys = [*released.by, *(["category"] if "category" in frame else [])]
    names = {k: released.variable if k == "category" else k for k in keys}
    parts = [
        ", ".join(label(study, names[k], row[k]) for k in keys)
        + " "
        + amount(row["estimate"], released.unit, study.language)
        for _, row in frame.iterrows()
    ]
    return study.codebook.text(f"title.{released.id}", study.language) + ". " + "; ".join(parts) + "."


def show_released(kind: str, released: Released, study: Study) -> None:
    """Draw a released table in a notebook, with its alternative text; says so if it was not asked."""
    if released.state != "shown":
        title = study.codebook.text(f"title.{released.id}", study.language)
        display({"text/markdown": f"**{title}**: {study.codebook.text(released.state, study.language)}"}, raw=True)
        return
    with matplotlib.rc_context(STYLE):
        figure = KINDS[kind](released, study)
        picture = io.BytesIO()
        figure.savefig(picture, format="png", metadata={"Software": None})
        drawn = fingerprint(figure)
        plt.close(figure)
    alt = alt_text(released, study)
    data = {"image/png": picture.getvalue(), "text/plain": drawn}
    display(data, metadata={"image/png": {"alt": alt}}, raw=True)


def fingerprint(figure: Figure) -> str:
    """What was drawn, in figures: title, bar lengths and line ends to four digits."""
    axes = figure.axes[0]
    bars = [f"{p.get_width():.4g}" for p in axes.patches if isinstance(p, Rectangle)]
    lines = [f"{v:.4g}" for c in axes.collections for s in getattr(c, "get_segments", list)() for v in s[:, 0]]
    return f"{figure.get_suptitle()} | bars {' '.join(bars)} | lines {' '.join(lines)}"


def write_headlines(folder: Path = ROOT / "figures") -> None:
    """Write each headline figure as SVG, with its data as CSV and its alternative text."""
    study = Study.open()
    released = protect(study)
    folder.mkdir(exist_ok=True)
    for name, kind in HEADLINE_FIGURES.items():
        with matplotlib.rc_context(STYLE):
            figure = KINDS[kind](released[name], study)
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
            plt.close(figure)
        released[name].frame.round(6).to_csv(folder / f"{name}.csv", index=False)
        (folder / f"{name}.txt").write_text(alt_text(released[name], study) + "\n", encoding="utf-8")

"""Numbers that a model gives, as tables that may be shown, and the models themselves as tables of coefficients.

A number is a sum of probabilities or amounts over everybody of a group, not a count; it is shown where the group has
enough respondents, and rounded as counts are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import HTML

from ..estimation import Estimate
from ..estimation.choice import ChoiceFit, hold_out, summary
from ..estimation.fit import Fit
from ..languages import amount, number, span
from ..study import Study
from .marks import marks
from .plan import NUMBERS, Released
from .suppression import CATEGORY, Policy
from .tables import label, markup, source, title

By = str | tuple[str, ...]
ROUNDING = {
    "share": 1e-6,
    "elasticity": 0.01,
    "index": 0.001,
    "rate_points": 0.01,
    "dh_month": 1,
    "runs": 1,
    "riders": 1,
    "dh": 100,
    "dh_hour": 0.1,
    "dh_trip": 1,
    "minutes": 1,
    "million_dh": 1e4,
}
COUNTED = ("persons", "files", "runs", "riders")
HOLD_OUT_SEED = 2012


def released(
    name: str,
    frame: pd.DataFrame,
    by: Sequence[By],
    rules: Policy,
    told: tuple[int, int],
    unit: str = "persons",
) -> Released:
    """A table of a model, protected: cells of few respondents hidden, numbers rounded by their unit.

    Parameters
    ----------
    frame : DataFrame
        Long: key columns, estimate, low, high, n, and perhaps ``flag`` (of `rows`) and ``unsafe`` (hidden whatever
        n is).
    by : (rows, columns)
        Key columns of the rows (one name, or a tuple), and that of the columns; empty where there is none.
    told : (int, int)
        Respondents of whom it can be computed, and all respondents it is told of.
    unit : str
        Of the numbers; what is not in `ROUNDING` is rounded as totals are.
    """
    first, across = by
    hidden = frame["n"] < rules.min_base
    if "unsafe" in frame:
        hidden, frame = hidden | frame["unsafe"].fillna(False), frame.drop(columns="unsafe")
    few = frame["n"] < rules.caution_base
    flag = (frame["flag"] if "flag" in frame else pd.Series("", frame.index)).fillna("")
    flag = flag.mask(few & (flag == ""), "caution")
    frame = frame.assign(flag=flag.mask(hidden, "hidden"))
    frame.loc[hidden, [*NUMBERS, "n"]] = float("nan")
    base = ROUNDING.get(unit, rules.round_totals)
    frame[NUMBERS] = (frame[NUMBERS] / base).round() * base
    if unit in COUNTED:  # an interval of a number that cannot be negative is not either
        frame["low"] = frame["low"].where(frame["estimate"] < 0, frame["low"].clip(lower=0.0))
    if across:
        frame = frame.rename(columns={across: CATEGORY})
    keys = (first,) if isinstance(first, str) else first
    statistic = "share" if unit == "share" else "total"
    missing = 1 - told[0] / told[1]
    return Released(
        name, statistic, str(across), keys, unit, "", "", frame, told[0], missing_share=missing, state="shown"
    )


def rows(estimate: Estimate, *names: str, **fixed: Any) -> pd.DataFrame:
    """An estimate as rows with the columns ``names`` of its index, and others that are the same in all.

    A number that the rules of models call unsure is marked and not hidden: its interval is beside it, and a change that
    may well be none is a result.
    """
    table = estimate.bounded()
    labels = table.iloc[:, : len(names)].set_axis(list(names), axis=1).astype(str)
    return labels.assign(**fixed, **table[[*NUMBERS, "n"]].astype(float), flag=marks(estimate, "model"))


def cells(ladder: Estimate, kind: str) -> Estimate:
    """Who takes a kind, by eligible x affordable: ``takes_yes_no`` takes it, may get it, cannot carry it.

    ``ladder`` is indexed by (alternative, eligible, affordable), the last two yes, no or something else: then the cell
    is ``takes_cannot_compute`` or ``not_cannot_compute``.
    """
    names = []
    for alternative, eligible, affordable in ladder.value.index:
        told = f"{eligible}_{affordable}" if {eligible, affordable} <= {"yes", "no"} else "cannot_compute"
        names.append(f"{'takes' if alternative == kind else 'not'}_{told}")
    order = list(dict.fromkeys(names))
    sums = pd.get_dummies(pd.Series(names), dtype=float)[order].to_numpy().T
    return ladder.apply(partial(_summed, sums=sums, names=order), sums)


def _summed(values: pd.Series, sums: np.ndarray, names: list[str]) -> pd.Series:
    return pd.Series(sums @ values.to_numpy(), index=names)


def cell_of(table: Released, **keys: str) -> pd.Series:
    """The cell of a table that has these codes."""
    frame = table.frame
    return frame[np.logical_and.reduce([frame[name].astype(str) == code for name, code in keys.items()])].iloc[0]


def fit_tables(fit: ChoiceFit, block: str, study: Study, further: Mapping[str, str] | None = None) -> HTML:
    """What a model of cards rests on, and whether it predicts persons it has not seen.

    Titles are ``title.<block>_model`` and ``title.<block>_hold_out``; ``further`` adds lines ``model_of_cards.<name>``.
    """
    book, language, kinds = study.codebook, study.language, f"{block}_alternative"
    known, unseen = summary(fit), hold_out(fit, np.random.default_rng(HOLD_OUT_SEED))
    left = unseen.likelihood.loc["left_out"]
    told = {
        "persons": number(known["persons"], language),
        "cards": number(known["cases"], language),
        **(further or {}),
        "rho": number(known["rho_squared_bar"], language, 3),
        "left_out": number(left["persons"], language),
        "per_card": number(left["log_likelihood"], language, 3),
        "by_chance": number(left["equal_shares"], language, 3),
    }
    body = [[book.text(f"model_of_cards.{name}", language), value] for name, value in told.items()]
    heads = [book.text("col.quantity", language), book.text("col.value", language)]
    first = markup(title(f"{block}s_model", study), heads, body, "")
    shares = [
        [label(study, kinds, kind), *(amount(x, "share", language) for x in row)]
        for kind, row in zip(unseen.shares.index, unseen.shares.to_numpy(), strict=True)
    ]
    heads = [book.text(f"col.{name}", language) for name in (f"{block}_kind", "observed", "predicted")]
    return HTML(first + markup(title(f"{block}s_hold_out", study), heads, shares, ""))


def coefficients(table: str, fits: Mapping[str, Fit], names: Sequence[str], study: Study) -> HTML:
    """A table of coefficients ``term.<name>`` with their intervals, a column ``col.<fit>`` a model."""
    book, language = study.codebook, study.language
    body = []
    for name in names:
        told = []
        for fit in fits.values():
            if name not in fit.value:
                told.append("\u2013")
                continue
            low, high = fit.interval().loc[name]
            told.append(f"{number(fit.value[name], language, 3)} ({span(low, high, language, 3)})")
        body.append([book.text(f"term.{name}", language), *told])
    heads = [book.text("col.term", language), *(book.text(f"col.{name}", language) for name in fits)]
    n = number(max(int(getattr(fit, "n_persons", fit.n_cases)) for fit in fits.values()), language)
    return HTML(
        markup(title(table, study), heads, body, book.text("note.complete", language, n=n, source=source(study)))
    )


def absent(study: Study, state: str) -> HTML:
    """Why there is no table: ``not_asked``, ``no_totals``, ``too_few``."""
    return HTML(escape(study.codebook.text(state, study.language)))

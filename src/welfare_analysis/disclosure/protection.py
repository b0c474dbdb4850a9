"""The one door: cells of numbers become a table that may be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..estimation import Estimate
from .digits import COUNTED, SUMS, column_of, ladder, printed, units
from .marks import marks
from .policy import Policy, policy
from .released import CATEGORY, NUMBERS, Released
from .suppression import completed, dominated, of_colleagues, unsafe

RESPONDENTS = "respondents"  # the unit of numbers that are bases, and printed as these are
# columns that decide what is hidden, and are not released
EVIDENCE = ("numerator", "unsafe", "weight", "told", "lost", "nested")


def protect(
    blank: Released,
    cells: pd.DataFrame,
    respondents: tuple[int, int],
    *,
    adds: Sequence[str] = (),
    unseen: pd.DataFrame | None = None,
    followed_up: int = 0,
    rules: Policy | None = None,
) -> Released:
    """A table of estimates, protected.

    Parameters
    ----------
    blank : Released
        Its id, keys and unit, without numbers.
    cells : DataFrame
        Long: the key columns, estimate, low, high, n (respondents), and where they apply ``flag`` (`marks`),
        ``numerator`` (respondents who meet the condition; nan where there is none), ``unsafe`` (hidden whatever the
        counts are), ``weight`` and ``lost`` (see `suppression.completed`) and ``told`` (whether n may be said: that of
        those who gave an answer is the cell of another table), and ``nested`` (shares of which one holds whoever is in
        the next, see `digits`). Further columns stay; of a hidden cell none that is a number or a text has one.
    respondents : (int, int)
        Of whom it can be computed, and all who were asked.
    adds : sequence of str
        Key columns along which cells add up to a number that is shown: there a hidden cell takes others with it.
    unseen : DataFrame, optional
        Cells with their keys, n and numerator that are not in the table and follow from it: those whose group is not
        known are all less the groups. Where they are too few, more of the table is hidden.
    followed_up : int
        Of whom it can be computed, those who answered in the follow-up; not said where they or the others are few.
    """
    rules = rules or policy()
    known, asked = respondents
    cells = cells.reset_index(drop=True)
    flag = (cells["flag"] if "flag" in cells else pd.Series("", cells.index)).fillna("")
    n = cells["n"].to_numpy(float)
    numerator = cells["numerator"].to_numpy(float) if "numerator" in cells else np.full(len(cells), np.nan)
    hidden = unsafe(n, numerator, rules) | (
        ~np.isfinite(cells[NUMBERS].to_numpy(float)).all(axis=1) & (flag != "unsure")
    )
    if "unsafe" in cells:
        hidden = hidden | cells["unsafe"].fillna(False).to_numpy(bool)
    elsewhere = cells["lost"].to_numpy(bool) if "lost" in cells else np.zeros(len(cells), dtype=bool)
    named = cells["unit"] if "unit" in cells else pd.Series(blank.unit, cells.index)
    if axes := [a for a in adds if a in cells]:
        within = [key for key in (*blank.by, CATEGORY) if key in cells and key not in axes]
        whole, first = cells.assign(numerator=numerator, summed=named.isin(SUMS)), np.asarray(hidden)
        whole["seen"] = of_colleagues(n, numerator, known, rules) if hidden.any() or unseen is not None else 0.0
        if unseen is not None:
            whole = pd.concat([whole, unseen], ignore_index=True).drop(columns="summed")  # these are shares
            whole["seen"] = whole["seen"].fillna(0.0)
            first = np.append(first, unsafe(unseen["n"].to_numpy(float), unseen["numerator"].to_numpy(float), rules))
        whole["lost"] = np.append(elsewhere, np.zeros(len(whole) - len(cells), dtype=bool))
        hidden = completed(whole, axes, rules, first, within)[: len(cells)]
    hidden = hidden | elsewhere
    out = cells.drop(columns=[c for c in EVIDENCE if c in cells]).astype(dict.fromkeys([*NUMBERS, "n"], float))
    if blank.statistic != "count":
        flag = flag.mask((flag == "") & (n < rules.caution_base), "caution")
    keys = {*blank.by, CATEGORY, "standard"}
    measures = [c for c in out if pd.api.types.is_float_dtype(out[c]) and c not in keys]
    lost = {c: hidden | (flag == "unsure").to_numpy() if c in NUMBERS else hidden for c in measures}
    out = out.assign(**{c: np.where(gone, np.nan, out[c]) for c, gone in lost.items()})
    if "clear" in out:
        out["clear"] = out["clear"].eq(True) & ~hidden
    if "text" in out:
        out["text"] = out["text"].mask(hidden)
    behind = out.assign(numerator=numerator, nested=cells.get("nested", False))
    step = units(behind, blank.unit or "coefficient", column_of(out, list(blank.by)), rules)
    numbers, based = printed(out, step), (named == RESPONDENTS).to_numpy()
    out = out.assign(**{c: np.where(based, rules.base(numbers[c]), numbers[c]) for c in NUMBERS})
    counted = named.isin(COUNTED)
    out["low"] = out["low"].where((out["estimate"] < 0) | ~counted, out["low"].clip(lower=0.0))
    frame = out.assign(flag=flag.mask(hidden, "hidden"), n=rules.base(out["n"]), step=step)
    if "told" in cells:
        frame["n"] = frame["n"].where(cells["told"].eq(True))
    if blank.statistic == "count" or blank.of == "register":  # how many a group has in the register is not shown
        frame["n"] = np.nan
    late = int(rules.base(followed_up)) if min(followed_up, known - followed_up) >= rules.min_base else 0
    blank = replace(blank, frame=frame, respondents=int(rules.base(known)), followed_up=late)
    return replace(blank, missing_share=missing_share(known, asked, rules), state="shown")


def missing_share(known: int, asked: int, rules: Policy) -> float:
    """The part of those asked who gave no answer, a number of them as bases are, to a unit that hides how many asked.

    Of 153 asked 20 did not answer, 13.1 %: with the base no other number fits. Five respondents of both stay open.
    """
    missing = float(rules.base(asked - known)) / asked if asked else float("nan")
    unit = ladder(5 * rules.open_respondents * missing / (asked or 1))
    return round(missing / unit) * unit if unit > rules.step("share") else missing


def protect_estimate(estimate: Estimate, name: str, unit: str = "", **labels: str) -> Released:
    """An estimate that a reader computed, protected as every table is.

    Nothing but the estimate is known of it, so respondents are counted by their influences: where all respondents of a
    cell have one of two values, as for a share, a quantile or a number of persons, the smaller group is the numerator;
    elsewhere a cell that two persons decide is hidden (`suppression.dominated`).
    """
    if not isinstance(estimate, Estimate):
        raise WelfareError("not an estimate", where="show", got=type(estimate).__name__, expected="an Estimate")
    table = estimate.bounded()
    keys = [c for c in table if c not in (*NUMBERS, "n")]
    if len(keys) > 1 and keys[0] == "variable" and table["variable"].nunique() == 1:  # the title says what it is
        table, keys = table.drop(columns="variable"), keys[1:]
    table = table.astype(dict.fromkeys(keys, str)).rename(columns=labels)
    keys = [labels.get(str(k), str(k)) for k in keys]
    kind = "share" if unit == "share" else "model"
    numerator, ruled = evidence(estimate)
    cells = table.assign(flag=marks(estimate, kind), numerator=numerator, unsafe=ruled)
    first, *others = keys
    blank = Released(name, "own", others[-1] if others else "", (first, *others[:-1]), unit)
    if others:
        cells = cells.rename(columns={others[-1]: CATEGORY})
    n = int(estimate.counts["n"].max())
    missing = int(estimate.counts["missing"].max()) if "missing" in estimate.counts else 0
    return protect(blank, cells, (n, n + missing), adds=[*blank.by, CATEGORY])


def evidence(estimate: Estimate, tolerance: float = 1e-9) -> tuple[np.ndarray, np.ndarray]:
    """Of each cell the smaller of two groups with one influence each (nan where there are more), and what few decide.

    That are two who dominate, or fewer than ten who differ from all others, as of a sum of which most have nothing.
    """
    z, n, w = estimate.influence.tocsc(), estimate.counts["n"].to_numpy(), estimate.design.weights
    numerator, ruled = np.full(z.shape[1], np.nan), np.zeros(z.shape[1], dtype=bool)
    missing = estimate.counts["missing"].to_numpy() if "missing" in estimate.counts else np.zeros(len(n))
    for j, size in enumerate(n):
        rows, own = z.indices[z.indptr[j] : z.indptr[j + 1]], z.data[z.indptr[j] : z.indptr[j + 1]]
        own, rows = own[own != 0], rows[own != 0]
        if not len(own):
            numerator[j] = 0.0
            continue
        values = np.append(own, np.zeros(max(int(size) - len(own), 0)))
        low, high = values.min(), values.max()
        near = tolerance * max(abs(low), abs(high))
        at_low, at_high = (values <= low + near).sum(), (values >= high - near).sum()
        if at_low + at_high == len(values):
            numerator[j] = min(at_low, at_high)
            continue
        mean_of = missing[j] if len(values) > size else 0  # for whom the mean of the others stands
        few = len(values) - mean_of - max(at_low, at_high)
        least = dominated(np.abs(w[rows] * own), np.zeros(len(own), dtype=np.int64), policy())[0]
        ruled[j] = least or 0 < few < policy().min_respondents
    return numerator, ruled


def document(name: str, frame: pd.DataFrame, rows: Sequence[str], across: str = "", unit: str = "") -> Released:
    """A table that no respondent is in: public figures, stored results of simulations, the questionnaire itself.

    Numbers that are computed from released ones alone are such a table too.
    """
    table = frame.rename(columns={across: CATEGORY}) if across else frame
    blanks = {"low": table["estimate"], "high": table["estimate"], "n": np.nan, "flag": ""}
    table = table.assign(**{name: value for name, value in blanks.items() if name not in table})
    return Released(name, "document", across, tuple(rows), unit, of="document", frame=table, respondents=0,
                    missing_share=0.0, state="shown")  # fmt: skip


def combined(name: str, parts: Mapping[tuple[str, str], tuple[Released, *tuple[str, ...]]], row: str) -> Released:
    """Cells of released tables side by side: a list of several conditions, amounts or rates.

    Parameters
    ----------
    name : str
    parts : mapping of (row, column) to (table, codes)
        Where the cell stands, and its address. A table that is not shown says why in its place.
    row : str
        Name of the row key; the column is called ``measure``.
    """
    cells = []
    for (line, column), (table, *codes) in parts.items():
        cell = table.cell(*codes) if table.state == "shown" else None
        if table.state == "shown" and cell is None:
            raise WelfareError("no such cell", where=table.id, got="|".join(codes))
        numbers = dict.fromkeys(NUMBERS, np.nan) if cell is None else cell[NUMBERS].to_dict()
        n = np.nan if cell is None or not table.respondents else cell["n"]
        text = table.state if cell is None else cell.get("text")
        unit = table.unit if cell is None else cell.get("unit", table.unit)
        flag = "" if cell is None else cell["flag"]
        step = np.nan if cell is None else cell.get("step", np.nan)
        address = {row: line, CATEGORY: column}
        cells.append({**address, **numbers, "n": n, "flag": flag, "unit": unit, "text": text, "step": step})
    tables = [table for table, *_ in parts.values() if table.state == "shown" and table.respondents]
    known = max((t.respondents for t in tables), default=0)
    missing = max((t.missing_share for t in tables), default=0.0)
    return Released(name, "combined", "measure", (row,), "", frame=pd.DataFrame(cells), respondents=known,
                    missing_share=missing, state="shown")  # fmt: skip

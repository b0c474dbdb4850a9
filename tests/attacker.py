"""What an attacker has, the published file, beside what it was made from: for tests, and for simulations of many.

`published` makes every table of a study, writes the file that anybody reads, and notes on the way what `protect` was
given. The notes are the truth that attacks are judged by: an attack has the tables of the file, the policy, and in
`known_too_well` what its arguments say; what it returns are cells that it learns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from welfare_analysis import results
from welfare_analysis.disclosure import CATEGORY, Released, policy, protect
from welfare_analysis.disclosure.bounds import ranges, reach, tight
from welfare_analysis.disclosure.digits import SUMS
from welfare_analysis.disclosure.registry import read, rows
from welfare_analysis.disclosure.suppression import unsafe
from welfare_analysis.estimation import Estimate
from welfare_analysis.results import declare, descriptive
from welfare_analysis.results.what_if import POINTS
from welfare_analysis.study import Study

ATTACKERS = {  # all have the file, the policy and who answered; and each what follows (`known_too_well`)
    "weights exactly": {},
    "weights as a range": {"exact": False, "weights": 0.05},
    "ten colleagues": {"colleagues": 10},
    "register margins": {"exact": False},
}
REGISTER = ("status", "sex", "rank_group", "command_group")  # what whoever has it knows of each who answered
PLACES = {"command_group", "home_city_group"}
FINER = {"command", "station", "rank", "home_city"}  # than the policy lets be known
COSTS = {"runs", "dh", "dh_trip", "dh_month", "million_dh"}  # with riders, or per run, they give how many ride
WIDE = 20  # respondents: where a linear program leaves more, whole numbers are not asked for
SMALL = 50  # respondents of a group in which each is one: whole numbers
NOTES = ["estimate", "n", "numerator", "weight", "unsafe"]
PRINTED = {"estimate": "printed", "step": "step", "flag": "flag", "unit": "unit"}


@dataclass(frozen=True)
class Publication:
    """The tables as a file has them, and a row a cell of those that `protect` made: what it is and what is printed.

    ``given`` is what `protect` was given of each table, to make it again without a rule (`again`). ``members`` are of
    shares and `SUMS`, by row of ``truth``, which respondents meet the condition, and of which (of a sum: all);
    ``register`` is what it tells of each respondent, and ``weights`` (of `SMALL` groups, by row of ``truth``) what each
    respondent of a cell's base weighs. ``truth`` has the
    columns table, statistic, codes (of the table's keys), adds (keys along which cells add up), `NOTES` (what was known
    before protection), `PRINTED`, and ``unseen``: in no table, but all less the groups.
    """

    tables: dict[str, Released]
    truth: pd.DataFrame
    given: dict[str, tuple[tuple, dict]] = field(default_factory=dict, repr=False)
    members: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict, repr=False)
    register: pd.Series = field(default_factory=pd.Series, repr=False)
    weights: dict[int, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def hidden(self) -> pd.Series:
        """Cells that the file hides."""
        return self.truth["flag"] == "hidden"

    @property
    def shown(self) -> pd.Series:
        """Cells that it has a number of."""
        return self.truth["printed"].notna()

    def key(self, cells: pd.DataFrame, name: str) -> pd.Series:
        """The code of a key in each cell; empty where its table has no such key."""
        place = {t: keys.index(name) for t, table in self.tables.items() if name in (keys := table.keys)}
        codes = zip(cells["table"], cells["codes"], strict=True)
        return pd.Series([code[place[table]] if table in place else "" for table, code in codes], cells.index)

    def lines(self, cells: pd.DataFrame, axes: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """Cells of each line of one table: a key along which it adds up is varied, and the others held."""
        for axis in cells["adds"].iloc[0] if axes is None else axes:
            others = [self.key(cells, key) for key in self.tables[cells["table"].iloc[0]].keys if key != axis]
            yield from (part for _, part in cells.groupby(others)) if others else (cells,)


def published(study: Study, file: Path, only: tuple[str, ...] = ("",)) -> Publication:
    """Write the file of every table of a study, or of those whose names begin with some words, and read it again."""
    given: dict[str, tuple[tuple, dict]] = {}
    estimates: list[Estimate] = []

    def noted(blank: Released, *rest, **named) -> Released:
        given[blank.id] = (blank, *rest), named
        return protect(blank, *rest, **named)

    def kept(self: Estimate, columns: list) -> pd.DataFrame:
        estimates.append(self)
        return _long(self, columns)

    _long = Estimate._long
    doors = [patch.object(module, "protect", noted) for module in (declare, descriptive)]
    with doors[0], doors[1], patch.object(Estimate, "_long", kept):
        release = results.release(study)
        made = {name: release[name] for name in release if name.startswith(only)}
    whole, groups = written(made, given, file), [g for g in REGISTER if g in study.frame]
    known = study.frame[groups].astype(object).fillna("?").astype(str).agg("|".join, axis=1)
    members, weights = _members(whole, estimates, len(known)), _weights(whole, estimates)
    return replace(whole, members=members, register=known, weights=weights)


def _members(pub: Publication, estimates: Sequence[Estimate], n: int) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Who is in each shown share or sum, and in its base, by the influences of the estimate with its very value."""
    of = {f"{x:.9e}": (e, j) for e in estimates if len(e.design.weights) == n for j, x in enumerate(e.value)}
    cells, found = pub.truth[pub.shown & pub.truth["unit"].isin(["share", *SUMS]) & ~pub.truth["unseen"]], {}
    for row, cell in cells[[not pub.tables[name].of for name in cells["table"]]].iterrows():
        made, j = of.get(f"{cell['estimate']:.9e}", (None, 0))
        z = np.zeros(n) if made is None else made.influence[:, [j]].toarray()[:, 0]
        met = z >= z.max() - 1e-5 * np.abs(z).max()
        base = z != 0 if cell["unit"] == "share" else np.ones(n, dtype=bool)
        if met.sum() == cell["numerator"] < base.sum():
            found[row] = met, base
    return found


def _weights(pub: Publication, estimates: Sequence[Estimate]) -> dict[int, np.ndarray]:
    """What the respondents of the bases of small groups weigh, by the estimate with the very value of a share."""
    of = {f"{x:.9e}": (e, j) for e in estimates for j, x in enumerate(e.value)}
    cells = pub.truth[(pub.truth["unit"] == "share") & (pub.truth["n"] < SMALL) & ~pub.truth["unseen"]]
    bases = cells[cells["weight"].notna()].assign(weight=lambda x: x["weight"].map("{:.9e}".format))
    bases, found = bases[["table", "n", "weight"]].apply(tuple, axis=1), {}
    for row, base in bases.items():
        made, j = of.get(f"{cells.at[row, 'estimate']:.9e}", (None, 0))
        inside = np.empty(0) if made is None else made.design.weights[made.influence.tocsc()[:, [j]].nonzero()[0]]
        if len(inside) == base[1] and np.isclose(inside.mean(), float(base[2])):
            found[base] = np.sort(inside)
    return {row: found[base] for row, base in bases.items() if base in found}


def written(made: dict[str, Released], given: dict[str, tuple[tuple, dict]], file: Path) -> Publication:
    """Write tables to a file as anybody reads it, and set what they were made from beside it."""
    pd.concat([rows(table) for table in made.values()]).to_csv(file, index=False, float_format="%.12g")
    tables = read(file)
    parts = [_cells(table, _notes(*given[n])) for n, table in tables.items() if n in given and table.state == "shown"]
    return Publication(tables, pd.concat(parts, ignore_index=True), given)


def again(pub: Publication, file: Path, only: tuple[str, ...] = ("",), **changed) -> Publication:
    """The same tables protected once more: with a rule off that a test patched, or with other arguments."""
    given = {n: one for n, one in pub.given.items() if n in pub.tables and n.startswith(only)}
    made = {name: protect(*rest, **named | changed) for name, (rest, named) in given.items()}
    return written(made, pub.given, file)


def _notes(rest: tuple, named: dict) -> pd.DataFrame:
    """What is known of the cells of a table before protection."""
    blank, cells, *_ = rest
    keys = [key for key in (*blank.by, CATEGORY) if key in cells]
    more = [key for key in keys if _adds_up(cells, key, [other for other in keys if other != key])]
    adds = tuple(dict.fromkeys([*(axis for axis in named["adds"] if axis in cells), *more]))
    known = pd.concat([cells, *([] if named.get("unseen") is None else [named["unseen"]])], ignore_index=True)
    known = known.reindex(columns=[*known, *(c for c in NOTES if c not in known)])
    return known.assign(adds=[adds] * len(known), statistic=blank.statistic)


def _adds_up(cells: pd.DataFrame, axis: str, others: list[str]) -> bool:
    """Whether all are the sum of their parts in every line along a key, whatever the table declares."""
    every = cells[axis].astype(str).eq("all")
    lines = [cells[key] for key in others] or (lambda _: 0)
    left = cells["estimate"].where(every, -cells["estimate"]).groupby(lines).sum()
    size = cells["estimate"].where(every).groupby(lines).sum()
    return every.any() and bool((left.abs() <= 1e-9 * size).all())


def _cells(table: Released, notes: pd.DataFrame) -> pd.DataFrame:
    """Cells of a table: what is printed of each beside the notes."""
    printed = table.frame.rename(columns=PRINTED)[[*table.keys, *PRINTED.values()]].astype(
        dict.fromkeys(table.keys, str)
    )
    whole = notes.drop(columns=["unit", "flag", "step"], errors="ignore").astype(dict.fromkeys(table.keys, str))
    whole, printed = (frame.set_index(table.keys) if table.keys else frame for frame in (whole, printed))
    cells = whole.join(printed, validate="1:1").reset_index().assign(table=table.id)
    cells["codes"] = list(cells[table.keys].itertuples(index=False, name=None))
    cells[NOTES[:4]] = cells[NOTES[:4]].astype(float)
    cells["unsafe"] = cells["unsafe"].eq(True)
    unseen = cells["flag"].isna()  # who is of no known group: all less the groups, where every group is shown
    lost, others = cells["flag"].eq("hidden"), [cells[key] for key in table.keys if key not in table.by[:1]]
    followed = unseen & ~alone(cells) & ~(lost.groupby(others).transform("any") if others else lost.any())
    cells = cells.fillna({"flag": "hidden", "unit": table.unit, "step": 0.0})
    cells.loc[followed, "flag"], cells.loc[followed, "printed"] = "", cells.loc[followed, "estimate"]
    return cells[["table", "statistic", "codes", "adds", *NOTES, *PRINTED.values()]].assign(unseen=unseen)


def alone(cells: pd.DataFrame) -> pd.Series:
    """Cells that fail a rule by themselves."""
    counts = unsafe(cells["n"].to_numpy(), cells["numerator"].to_numpy(), policy())
    return pd.Series(counts, cells.index) | cells["unsafe"]


def against_a_rule(pub: Publication) -> pd.DataFrame:
    """Cells that are shown though they fail a rule by themselves."""
    return pub.truth[pub.shown & alone(pub.truth) & ~pub.truth["unseen"]]


def alone_in_a_line(pub: Publication) -> pd.DataFrame:
    """Cells that are the only hidden ones of a line: what the margin, or 100 %, leaves."""
    found = []
    for _, cells in pub.truth.groupby("table", sort=False):
        for line in pub.lines(cells):
            hidden = line[line["flag"] == "hidden"]
            found += [hidden] if len(hidden) == 1 < len(line) else []
    return pd.concat([pub.truth.iloc[:0], *found])


def known_too_well(
    pub: Publication, exact: bool = True, weights: float = 0.0, colleagues: int = 0, seed: int = 0
) -> pd.DataFrame:
    """Cells that fail a rule by themselves and that linear programs over the lines of their table narrow down.

    What is open is counted in respondents of mean weight, of numbers of persons in persons. Cells that count nobody, as
    expected numbers of riders or a step that nobody falls out of, are not asked for: `alone_in_a_line` holds for them.

    Parameters
    ----------
    exact : bool
        Whether the attacker knows each shown cell as it is, as who has the register's margins, all weights and who
        answered may; otherwise it is known to the unit that it is printed to.
    weights : float
        How far, as a part of it, a weight may be from what the attacker takes it to be: sums over groups are then known
        to that part. Nought is an attacker who has all weights.
    colleagues : int
        Respondents of the table, drawn at random, whose answers the attacker has: fewer than these a cell cannot have.

    Returns
    -------
    DataFrame
        Cells with less than five, or a tenth, open on a side; nothing is open below nobody, or those whose answers the
        attacker has, nor above the base.
    """
    rng, found = np.random.default_rng(seed), []
    for _, cells in pub.truth.groupby("table", sort=False):
        counted = (cells["numerator"] > 0) & ((cells["unit"] == "share") | (cells["estimate"] >= cells["numerator"]))
        counts = (cells["statistic"] == "count") | counted  # below one each it is a sum of probabilities
        asked = (alone(cells) & (cells["flag"] == "hidden") & counts).to_numpy()
        if cells["adds"].iloc[0] and asked.any() and cells["printed"].notna().any():
            found.append(_narrowed(pub, cells.reset_index(drop=True), asked, exact, weights, colleagues, rng))
    return pd.concat([pub.truth.iloc[:0], *found])


def measured(cells: pd.DataFrame) -> pd.DataFrame:
    """How cells of one table are counted: respondents, what one of them is of a cell, its weight in a line."""
    n, value = (np.nan_to_num(cells[c].to_numpy(float)) for c in ("n", "estimate"))
    share, met = (cells["unit"] == "share").to_numpy(), cells["numerator"].fillna(cells["n"]).to_numpy()
    scored = set(cells["adds"].iloc[0]) <= set(declare.GROUPS)  # a mean of scores counts each of its numerator in part
    parts = cells["weight"].isna().to_numpy() & (met > 0) & scored
    each = np.where(share, np.where(parts, value / np.where(met > 0, met, 1.0), 1 / np.where(n > 0, n, np.nan)), 1.0)
    weight = np.where(share, n * cells["weight"].fillna(1.0).to_numpy(), 1.0)
    if set(cells["codes"].str.len()) != {0}:  # a line that has its own sum: the groups less all leave who is of none
        weight = np.where(cells["codes"].map(lambda codes: "all" in codes), -weight, weight)
    columns = {"n": n, "value": value, "met": met, "share": share, "each": each, "weight": weight}
    return pd.DataFrame(columns, cells.index)


def _narrowed(
    pub: Publication,
    cells: pd.DataFrame,
    asked: np.ndarray,
    exact: bool,
    weights: float,
    colleagues: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Cells of one table that are known too well, in respondents of mean weight."""
    half, seen = np.nan_to_num(cells["step"].to_numpy(float)) / 2, cells["printed"].notna().to_numpy()
    n, value, met, share, each, weight = (column.to_numpy() for _, column in measured(cells).items())
    low = np.where(seen, value if exact else cells["printed"].to_numpy() - half, 0.0)
    high = np.where(seen, value if exact else cells["printed"].to_numpy() + half, np.where(share, 1.0, np.inf))
    told = np.zeros(len(cells))
    if colleagues:
        others = 0 if CATEGORY in cells["adds"].iloc[0] else int((n - met).sum())  # who is in no cell of the table
        drawn = rng.multivariate_hypergeometric([*met.astype(int), others], min(colleagues, int(met.sum())))[:-1]
        told = np.minimum(drawn * each, value)
        low = np.where(seen, low, told)
    lines = [line.index.to_numpy() for line in pub.lines(cells)]
    groups = [axis != CATEGORY for axis in cells["adds"].iloc[0] for _ in pub.lines(cells, [axis])]
    rows = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    places = np.concatenate(lines)
    matrix = sparse.csr_array((weight[places], (rows, places)), shape=(len(lines), len(cells)))
    sums = matrix @ value
    slack = 1e-9 * (1 + np.abs(sums)) + weights * np.abs(sums) * np.array(groups)
    # of a line that is hidden whole the sum is known where it may be shown itself
    silent = [not seen[line].any() and met[line].sum() < policy().min_respondents for line in lines]
    slack = np.where(silent, np.inf, slack)
    within = np.column_stack([(told / each)[asked], np.where(share, n, np.inf)[asked]])
    size = np.where(share, np.fmin(met, n - met), value)[asked]
    enough = reach(value[asked] / each[asked], within, size) * each[asked][:, None]
    found = ranges(matrix, (sums - slack, sums + slack), (low, high), list(np.flatnonzero(asked)), enough)
    return cells[asked][tight(value[asked] / each[asked], within, found / each[asked][:, None], size)]


def whole_numbers(pub: Publication) -> pd.DataFrame:
    r"""Cells of small groups that fail a rule by themselves, and that are known too well since people are whole.

    Of k respondents who meet a condition, of n whom the attacker has the weights of, the weighted number W p lies
    between the sums of the k smallest and the k largest weights. Both are bent lines in k,

    .. math:: \max_j \{L_j + (k - j) w_j\} \le W p \le \min_j \{U_j + (k - j) w_{n - j}\},

    and the k of a group's categories add to n: rows of an integer program beside the lines of the table, whose sums are
    known as they are printed. It is asked where the linear program leaves `WIDE` respondents at most.
    """
    found = [pub.truth.iloc[:0]]
    for _, cells in pub.truth[pub.truth["unit"] == "share"].groupby("table", sort=False):
        own = cells.reset_index().rename(columns={"index": "row"})
        counted = np.array([row in pub.weights for row in own["row"]])
        asked = counted & alone(own).to_numpy() & (own["flag"] == "hidden").to_numpy()
        if asked.any() and own["adds"].iloc[0]:
            k = _whole(pub, own, counted, np.flatnonzero(asked))
            n, met = (own.loc[asked, c].to_numpy(float) for c in ("n", "numerator"))
            known = tight(met, np.column_stack([np.zeros(len(n)), n]), k, np.fmin(met, n - met))
            found.append(cells[asked][known])
    return pd.concat(found)


def _whole(pub: Publication, cells: pd.DataFrame, counted: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Fewest and most respondents (asked x 2) in cells of a table of shares, of those ``counted`` one by one."""
    m, seen, small = measured(cells), cells["printed"].notna().to_numpy(), np.flatnonzero(counted)
    half, size, n = cells["step"].to_numpy(float) / 2, len(cells), m["n"].to_numpy()
    low = np.where(seen, np.fmax(cells["printed"] - half, 0.0), 0.0)
    high = np.where(seen, np.fmin(cells["printed"] + half, 1.0), 1.0)
    place = {cell: size + i for i, cell in enumerate(small)}  # of its respondents, after all shares
    rows: list[tuple[dict[int, float], float, float]] = []
    for axis in cells["adds"].iloc[0]:
        for line in pub.lines(cells, [axis]):
            row, total = m.loc[line.index, "weight"].to_dict(), float(m.loc[line.index].eval("weight * value").sum())
            step = 1e-6 if axis == CATEGORY else policy().step("share") / 2
            slack = step * m.loc[line.index, "weight"].abs().sum()
            rows.append((row, total - slack, total + slack))
            if axis == CATEGORY and counted[line.index].all():
                rows.append((dict.fromkeys([place[i] for i in line.index], 1.0), n[line.index[0]], n[line.index[0]]))
    for cell in small:
        w = pub.weights[cells.at[cell, "row"]] / pub.weights[cells.at[cell, "row"]].mean()
        for order, sign in ((w, -1.0), (w[::-1], 1.0)):
            for j in np.unique(order, return_index=True)[1]:
                at = sign * (order[:j].sum() - j * order[j])
                rows.append(({place[cell]: sign * order[j], cell: -sign * len(w)}, -at - 1e-4, np.inf))
    at = [(k, column, x) for k, (row, *_) in enumerate(rows) for column, x in row.items()]
    row, column, x = map(np.array, zip(*at, strict=True))
    matrix = sparse.csr_array((x, (row, column)), shape=(len(rows), size + len(small)))
    within = np.array([ends for _, *ends in rows]).T
    limits = np.append(low, np.zeros(len(small))), np.append(high, n[small])
    wanted = [place[cell] for cell in asked]
    found = ranges(matrix, (within[0], within[1]), limits, wanted)
    for i in np.flatnonzero(np.diff(found, axis=1)[:, 0] <= WIDE):
        for end, sign in enumerate((1.0, -1.0)):
            goal = sign * (np.arange(matrix.shape[1]) == wanted[i])
            solved = milp(goal, integrality=np.arange(matrix.shape[1]) >= size, bounds=Bounds(*limits),
                          constraints=LinearConstraint(matrix, *within))  # fmt: skip
            found[i, end] = solved.x[wanted[i]]
    return found


def along_sliders(pub: Publication) -> pd.DataFrame:
    """Neighbouring points of a grid of what-ifs between which few stop being able to pay, and the difference says so.

    The attacker knows how all others would choose, so that a difference of two printed numbers is what the few made of
    it; it is known to half of both units. What one respondent makes of a number is its mean over those who can pay.
    """
    found = [pub.truth.iloc[:0]]
    for name, cells in pub.truth[pub.truth["table"].str.contains("_grid") & pub.shown].groupby("table"):
        for axis in set(pub.tables[name].keys) & set(POINTS["axis"]):
            for line in pub.lines(cells, [axis]):
                found.append(_few_between(line.iloc[np.argsort(pub.key(line, axis).astype(float))]))
    return pd.concat(found)


def along_steps(pub: Publication) -> pd.DataFrame:
    """Shown steps of funnels between which few fall out, and the difference says so; as `along_sliders`."""
    found = [pub.truth.iloc[:0]]
    for name, cells in pub.truth[pub.truth["table"].str.contains("_funnel") & pub.shown].groupby("table"):
        step = next(key for key in (*pub.tables[name].keys, CATEGORY) if key.endswith("_step") or key == CATEGORY)
        counts = cells[~pub.key(cells, step).isin(["in_need", "likely"])]  # no step of all, and a forecast
        found += [_few_between(line) for line in (pub.lines(counts, [step]) if len(counts) else ())]
    return pd.concat(found)


def _few_between(steps: pd.DataFrame) -> pd.DataFrame:
    """Cells that have one to nine respondents more or less than the one before, fewer than five of them open."""
    each = (steps["estimate"] / steps["numerator"]).abs()
    wide = (steps["step"] + steps["step"].shift()) / 2
    few = steps["numerator"].diff().abs().between(1, policy().min_respondents - 1)
    return steps[few & (wide / np.fmax(each, each.shift()) < policy().open_respondents)]


def repeated(pub: Publication) -> pd.DataFrame:
    """Hidden cells whose very quantity is shown in another place.

    Nobody tells the attack which quantities are the same: two cells are, where unit, base and seven digits of the
    estimate agree (a model of first places alone gives their shares), or of a share that of all others. What is not
    weighted is left out, since counts and shares of a count agree by chance; so is what counts nobody, as a share that
    is hidden for the parts beside it.
    """
    cells = pub.truth[(pub.truth["estimate"] % 1 != 0) & ~pub.truth["unseen"]]
    cells = cells[~((cells["estimate"] - cells["numerator"] / cells["n"]).abs() <= 1e-9)]
    less = np.where(cells["unit"] == "share", np.fmin(cells["estimate"], 1 - cells["estimate"]), cells["estimate"])
    same = [cells["unit"], pd.Series(less, cells.index).map("{:.6e}".format), cells["n"]]
    lost = (cells["flag"] == "hidden") & cells["numerator"].notna()
    return cells[lost & cells["printed"].notna().groupby(same).transform("any")]


def counted_again(pub: Publication) -> pd.DataFrame:
    """Hidden cells of a table by group whose respondents are those of a table that shows them, group for group.

    Two columns are the same where three groups or more, and no others, have equal respondents, and numbers that are
    within a tenth: each may be estimated in a way of its own.
    """
    cells = pub.truth[~pub.truth["unseen"] & (pub.truth["unit"] == "persons")]
    columns: dict[tuple, list[pd.DataFrame]] = {}
    for name, own in cells.groupby("table", sort=False):
        for group in set(pub.tables[name].keys) & set(declare.GROUPS):
            named = own.assign(group=pub.key(own, group))
            held = [pub.key(own, key) for key in pub.tables[name].keys if key != group]
            for _, column in named.groupby(held) if held else [("", named)]:
                counts = column.set_index("group")["numerator"].sort_index()
                if len(counts) > 2 and counts.gt(0).sum() > 1:
                    columns.setdefault((group, *counts.items()), []).append(column.set_index("group").sort_index())
    found = [pub.truth.iloc[:0]]
    for alike in columns.values():
        for lost, seen in permutations(alike, 2):
            near = (lost["estimate"] / seen["estimate"] - 1).abs() < 0.1
            found.append(lost[(lost["flag"] == "hidden") & seen["printed"].notna() & near])
    return pd.concat(found)


def differing_by_few(pub: Publication) -> pd.DataFrame:
    """Pairs of shown shares or sums of which one holds all who are in the other, and few more, whose number they leave.

    Both sides of each share are tried, with every other: bases are the same (nested conditions), or one is a part of
    the other of which the register tells who is in it (women, and widows). Of who else is in a base, as those who left
    a question open, nobody knows who they are. A sum has everybody as its base, and what a respondent makes of it is
    its mean. Where the one holds more of both, of the shared base and of the rest, they are few of all.

    Returns
    -------
    DataFrame
        Cells, each with one that is a part of it (``less``: table and codes), how many more, and of how many.
    """
    sides = []
    for row, (met, of) in pub.members.items():
        cell = pub.truth.loc[row]
        others = [(of & ~met, 1 - cell["estimate"])] if cell["unit"] == "share" else []
        for inside, number in ((met, cell["estimate"]), *others):
            sides.append((inside, of, cell["step"] / 2 * inside.sum() / number, row))
    sides = sorted(sides, key=lambda side: side[2])
    sides = list({side[0].tobytes() + side[1].tobytes(): side for side in sides[::-1]}.values())  # the finest of equals
    size = np.array([side[0].sum() for side in sides])
    bits, base = (np.packbits([side[k] for side in sides], axis=1) for k in (0, 1))
    found = []
    for narrow, (inside, of, wide, row) in enumerate(sides):
        near = np.flatnonzero((size > size[narrow] - 1) & (size < size[narrow] + policy().min_base))
        held = ~(bits[narrow] & ~bits[near]).any(axis=1) & ~(base[narrow] & ~base[near]).any(axis=1)
        for other in near[held & (near != narrow)]:
            more, rest = float(size[other] - size[narrow]), sides[other][1] & ~of
            apart = rest.any() and not (sides[other][0] & of & ~inside).any()
            n = float((rest if apart else sides[other][1]).sum())
            known = not set(pub.register[rest]) & set(pub.register[of])
            gap = np.array([[max(more - wide - sides[other][2], 0), min(more + wide + sides[other][2], n)]])
            fails = unsafe(np.array([n]), np.array([more]), policy())[0] and (rest.any() or more > 0)
            if known and fails and tight(np.array([more]), np.array([[0.0, n]]), gap)[0]:
                found.append((sides[other][3], " ".join(map(str, pub.truth.loc[row, ["table", "codes"]])), more, n))
    pairs = pd.DataFrame(found, columns=["row", "less", "more", "of"])
    return pub.truth.loc[pairs["row"]].assign(**pairs.drop(columns="row").to_dict("list"))


def crossed(tables: dict[str, Released]) -> list[str]:
    """Tables of numbers by rank and place at once: those of every kind, or on every term, add up to a head count."""
    keys = {name: {*table.keys, *table.by, table.variable} for name, table in tables.items()}
    return [name for name, own in keys.items() if own & PLACES and "rank_group" in own]


def divided(pub: Publication, sizes: np.ndarray) -> pd.DataFrame:
    """Hidden numbers of persons that are a shown share times a known size of a group, and the other way round."""
    cells = pub.truth[pub.truth["numerator"] > 0]
    persons, shares = cells[cells["unit"] == "persons"], cells[cells["unit"] == "share"]
    pairs = persons.merge(shares, on=["n", "numerator"], suffixes=("", "_share"))
    size = (pairs["estimate"] / pairs["estimate_share"]).to_numpy()
    same = (np.abs(size[:, None] / sizes - 1) < 1e-9).any(axis=1)
    lost, lost_share = pairs["flag"].eq("hidden"), pairs["flag_share"].eq("hidden")
    return pairs[same & (lost & pairs["printed_share"].notna() | lost_share & pairs["printed"].notna())]


def left_over(whole: pd.DataFrame, parts: pd.DataFrame, by: str) -> pd.DataFrame:
    """What all less the groups leaves, where it is of one to nine respondents: those whose group is not known.

    ``whole`` (a row a ``by``) and ``parts`` are cells with the column ``by``, such as the step of a funnel.
    """
    groups = parts.groupby(by).agg(sum_of_groups=("numerator", "sum"), known=("printed", lambda x: x.notna().all()))
    both = whole.set_index(by).join(groups, how="inner")
    gap = both["numerator"] - both["sum_of_groups"]
    return both[both["printed"].notna() & both["known"] & gap.between(1, policy().min_respondents - 1)]


def of_strength(tables: dict[str, Released]) -> list[str]:
    """Tables with a place or rank finer than the policy, a shift at a place, or what is paid for runs to a place."""
    found = []
    for name, table in tables.items():
        keys = {*table.keys, *table.by, table.variable}
        costs = set(table.frame["unit"]) & COSTS if table.state == "shown" and "run" in name + "".join(keys) else set()
        if keys & FINER or (keys & PLACES and ("shift" in keys or "day_part" in keys or costs)):
            found.append(name)
    return found


def bases_as_they_are(tables: dict[str, Released]) -> list[str]:
    """Tables with a number of respondents that is none of those that the policy prints."""
    return [
        name
        for name, table in tables.items()
        if table.state == "shown"
        for n in [pd.Series([*table.frame.get("n", ()), table.respondents], dtype=float).dropna().to_numpy()]
        if (n != policy().base(n)).any()
    ]

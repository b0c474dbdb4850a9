r"""Whether the answers are sound: gaps, heaping, straight lines, contradictions, forms that are too alike.

Nothing here changes an answer. What a rule of ``consistency.csv`` would blank is written to a log, old value beside
new, and the log gives the corrected answers from the raw ones again (`replay`).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..errors import WelfareError
from .codebook import Codebook
from .reading.cells import Question
from .reading.personal import HIDDEN, shown
from .reading.spelling import plain

SPECIAL: Mapping[str, object] = {"does_not_know": -98, "refused": -99}  # as they are written in a file
GAPS = ("skipped", "refused", "does_not_know")
SCALE_ITEMS = 4  # answered items of a scale from which a straight line says something
BANDS, MOST_IN_BAND = 12, 8  # near-duplicates: bands of the form, and how many may share one and still be compared
ALIKE, ITEMS = 0.85, 40  # share of equal answers, and how many both must have given
SIGNS: Mapping[str, Callable[[pd.Series, pd.Series], pd.Series]] = {"<=": operator.le, ">=": operator.ge}
TERM = re.compile(r"^(?:(\d+(?:\.\d+)?) \* )?([a-z]\w*)$|^(\d+(?:\.\d+)?)$")


def item_nonresponse(kinds: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """Of each question: how many were asked, and the part that was skipped, refused or not known.

    ``kinds`` has the kind of each answer (`reading.KINDS`). An item of a ranking is left open where no item is ranked.
    Indexed by variable, with its block; the worst first.
    """
    rankings = codebook.groups.index[codebook.groups["kind"] == "ranking"]
    for group in rankings:
        items = [n for n in codebook.members(group) if n in kinds]
        some = (kinds[items] == "answered").any(axis=1)
        kinds = kinds.assign(**{n: kinds[n].astype(object).mask(some, "answered") for n in items})
    names = [n for n in kinds if n in codebook.variables.index and codebook.variables.at[n, "type"] != "key"]
    asked = (kinds[names] != "not_asked").sum()
    parts = {kind: (kinds[names] == kind).sum() / asked.where(asked > 0) for kind in GAPS}
    table = pd.DataFrame({"block": codebook.variables.loc[names, "block"], "asked": asked, **parts})
    table["missing"] = table[list(GAPS)].sum(axis=1)
    return table[table["asked"] > 0].sort_values("missing", ascending=False, kind="stable")


def heaping(frame: pd.DataFrame, codebook: Codebook, least: float = 1000.0) -> pd.DataFrame:
    """Of each amount from ``least`` on: the part given in hundreds and in five hundreds; of minutes, in fives and tens.

    ``even`` is the part that would fall there if the last digits were even: of amounts in tens, a tenth and a fiftieth;
    of whole minutes, a fifth and a tenth.
    """
    rows = {}
    for name, line in codebook.variables.iterrows():
        if name not in frame or not (str(line["unit"]).startswith("DH") or line["unit"] == "min"):
            continue
        money = str(line["unit"]).startswith("DH")
        given = frame[name].dropna()
        given = given[given >= (least if money else 10)]
        steps, even = ((100, 500), (0.1, 0.02)) if money else ((5, 10), (0.2, 0.1))
        if len(given):
            parts = [float((given % step == 0).mean()) for step in steps]
            rows[str(name)] = (len(given), *parts, *even)
    return pd.DataFrame.from_dict(rows, orient="index", columns=["n", "first", "second", "even", "even_2"])


def straight_lines(frame: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    r"""Of each group of scale items: the part that gave all items one answer, and the part that would by chance.

    Chance: answers drawn item by item from what all said, :math:`\sum_k \prod_j p_{jk}`.
    """
    rows = {}
    for group in codebook.groups.index[codebook.groups["kind"] == "scale"]:
        names = [n for n in codebook.members(group) if n in frame]
        if len(names) < 2:
            continue
        codes = frame[names].apply(lambda column: column.cat.codes).to_numpy(float).copy()
        codes[codes < 0] = np.nan
        full = (~np.isnan(codes)).sum(axis=1) >= min(SCALE_ITEMS, len(names))
        if full.any():
            kept = codes[full][:, ~np.isnan(codes[full]).all(axis=0)]  # items that somebody answered
            same = np.nanmax(kept, axis=1) == np.nanmin(kept, axis=1)
            levels = np.arange(np.nanmax(kept) + 1)
            shares = np.array([[np.nanmean(column[~np.isnan(column)] == k) for k in levels] for column in kept.T])
            rows[str(group)] = {"n": int(full.sum()), "items": len(names), "straight": float(same.mean())}
            rows[str(group)]["chance"] = float(shares.prod(axis=0).sum())
    return pd.DataFrame.from_dict(rows, orient="index")


@dataclass(frozen=True)
class Rule:
    """Two sides that must be equal, or one no larger than the other, within a tolerance."""

    id: str
    left: tuple[tuple[float, str], ...]
    op: str
    right: tuple[tuple[float, str], ...]
    tolerance: float
    action: str
    labels: Mapping[str, str]

    @property
    def variables(self) -> list[str]:
        """The variables of both sides."""
        return [name for _, name in (*self.left, *self.right) if name]

    def broken(self, frame: pd.DataFrame) -> pd.Series:
        """Rows that break it; not where an answer is missing."""
        left, right = _sum(frame, self.left), _sum(frame, self.right)
        if self.op == "=":
            return (left - right).abs() > self.tolerance
        return ~SIGNS[self.op](left, right + self.tolerance) & left.notna() & right.notna()


def read_rules(codebook: Codebook) -> list[Rule]:
    """The rules of ``consistency.csv``: sums of variables (``a + 2 * b``, or a number), a sign, a tolerance, an action.

    Raises
    ------
    WelfareError
        A side that cannot be read or names no numeric variable; the row is named.
    """
    rules = []
    for row, (name, line) in enumerate(codebook.consistency.iterrows(), 2):
        where = f"consistency.csv, row {row}"
        sides = [_side(line[side], codebook, where) for side in ("left", "right")]
        labels = {language: line[f"label_{language}"] for language in ("ar", "fr", "en")}
        rules.append(Rule(str(name), sides[0], line["op"], sides[1], float(line["tolerance"]), line["action"], labels))
    return rules


def _side(text: str, codebook: Codebook, where: str) -> tuple[tuple[float, str], ...]:
    terms = []
    for part in text.split(" + "):
        match = TERM.match(part)
        name = match[2] if match else None
        numeric = name in codebook.variables.index and codebook.variables.at[name, "type"] in ("integer", "amount")
        if match is None or (name and not numeric):
            raise WelfareError("a side cannot be read", where=where, got=part, expected="a sum of numeric variables")
        terms.append((float(match[1] or match[3] or 1), name or ""))
    return tuple(terms)


def _sum(frame: pd.DataFrame, terms: tuple[tuple[float, str], ...]) -> pd.Series:
    parts = [factor * frame[name] if name else pd.Series(factor, index=frame.index) for factor, name in terms]
    return sum(parts[1:], parts[0])


def inconsistent(frame: pd.DataFrame, rules: list[Rule]) -> pd.DataFrame:
    """Of each rule whose variables were asked: forms that can be checked, and those that break it."""
    rows = {}
    for rule in rules:
        if set(rule.variables) <= set(frame):
            checked = int(frame[rule.variables].notna().all(axis=1).sum())
            rows[rule.id] = {"checked": checked, "broken": int(rule.broken(frame).sum()), "action": rule.action}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["checked", "broken", "action"])


def corrections(frame: pd.DataFrame, rules: list[Rule]) -> pd.DataFrame:
    """The consistency log: row, column, old value, new value, reason (the rule).

    A rule of action ``blank`` blanks its left side; of ``flag``, ``new`` is the old value until somebody who has the
    form writes what is right.
    """
    parts = []
    for rule in rules:
        if set(rule.variables) <= set(frame):
            rows, blank = frame.index[rule.broken(frame)], rule.action == "blank"
            for name in [name for _, name in rule.left if name] if blank else rule.variables:
                old = frame.loc[rows, name]
                new = np.nan if blank else old
                parts.append(pd.DataFrame({"row": rows, "column": name, "old": old, "new": new, "reason": rule.id}))
    empty = pd.DataFrame(columns=["row", "column", "old", "new", "reason"])
    return pd.concat(parts, ignore_index=True) if parts else empty


def replay(frame: pd.DataFrame, log: pd.DataFrame, codebook: Codebook, where: str = "the log") -> pd.DataFrame:
    """The answers as they are written in a file, with a log applied.

    Parameters
    ----------
    frame : DataFrame
        Answers as they were read.
    log : DataFrame
        form (from 1), column, old, new, and the ``person_id`` of the form where there are keys; cells are read as those
        of a file of answers are.
    codebook : Codebook
        What was asked.
    where : str
        What the log is called, for errors.

    Raises
    ------
    WelfareError
        The first line of another form, column, key or old value than the answers have, whose new value is no answer, or
        that gives an answer a second new value.
    """
    out, given = frame.astype(object), dict[tuple[int, str], object]()
    for number, line in enumerate(log.to_dict("records"), 2):
        form, name = plain(line["form"]), str(line["column"])

        def wrong(column: str, expected: str, hint: str, number: int = number, line: Any = line) -> WelfareError:
            place = f"{where}, row {number}, column {column}"
            got = HIDDEN if column == "person_id" else shown(line[column], numeric=True)
            return WelfareError("the log cannot be applied", where=place, got=got, expected=expected, hint=hint)

        of_other = "Apply the log to the file that it was made from."
        if not form.isdecimal() or not 0 < int(form) <= len(frame):
            raise wrong("form", f"the number of a form, from 1 to {len(frame)}", of_other)
        row, numeric = int(form) - 1, name in frame and pd.api.types.is_numeric_dtype(frame[name])
        if name not in frame or name not in codebook.lines or codebook.lines[name]["type"] == "key":
            raise wrong("column", "a question of the answers", of_other)
        if "person_id" in frame and "person_id" in log and plain(line["person_id"]) != frame["person_id"].iloc[row]:
            raise wrong("person_id", "the key of that form", of_other)
        question, now = Question.of(codebook, name), frame[name].iloc[row]
        old, new = (question.read("" if pd.isna(line[side]) else line[side]) for side in ("old", "new"))
        if old.rule or (old.value is None) != pd.isna(now) or (old.value is not None and old.value != now):
            raise wrong("old", "the answer of that form", of_other)
        if new.rule:
            raise wrong("new", new.rule, new.todo)
        if (new.value, new.kind) == (old.value, old.kind):
            continue
        if given.setdefault((row, name), (new.value, new.kind)) != (new.value, new.kind):
            raise wrong("new", "one new value of an answer; an earlier row has another", "Keep the line that is right.")
        blank = np.nan if numeric else None
        out.iloc[row, out.columns.get_loc(name)] = SPECIAL.get(new.kind, blank) if new.value is None else new.value
    return out


def near_duplicates(frame: pd.DataFrame) -> pd.DataFrame:
    """Pairs of forms that are alike in most answers: columns first, second (rows), items, alike.

    Forms that share a band of neighbouring questions are compared in full, so the cost is linear in the forms; a band
    that many share says nothing.
    """
    codes, pairs = _codes(frame), [np.empty((0, 2), int)]
    for band in np.array_split(np.arange(codes.shape[1]), min(BANDS, codes.shape[1])):
        keys = pd.util.hash_pandas_object(pd.DataFrame(codes[:, band]), index=False)
        shared = keys.groupby(keys).transform("size").between(2, MOST_IN_BAND).to_numpy()
        rows = np.flatnonzero(shared & ((codes[:, band] >= 0).mean(axis=1) >= 0.5))
        rows = rows[np.argsort(keys.to_numpy()[rows], kind="stable")]
        for step in range(1, min(MOST_IN_BAND, len(rows))):
            same = keys.to_numpy()[rows[step:]] == keys.to_numpy()[rows[:-step]]
            pairs.append(np.column_stack([rows[:-step][same], rows[step:][same]]))
    both = np.sort(np.concatenate(pairs), axis=1)
    table = _likeness(codes, np.column_stack(np.divmod(np.unique(both @ [len(codes), 1]), len(codes))))
    return table[(table["items"] >= ITEMS) & (table["alike"] >= ALIKE)].reset_index(drop=True)


def alike_by_chance(frame: pd.DataFrame, rng: np.random.Generator, pairs: int = 20_000) -> float:
    """The largest likeness among pairs of forms drawn at random; nan where too few answers are in common."""
    codes = _codes(frame)
    drawn = rng.integers(0, len(codes), (pairs, 2))
    table = _likeness(codes, drawn[drawn[:, 0] != drawn[:, 1]])
    return float(table.loc[table["items"] >= ITEMS, "alike"].max())


def _codes(frame: pd.DataFrame) -> np.ndarray:
    """What each form answers, as numbers that are equal where the answers are; below zero where there is none."""
    columns = (frame[name] for name in frame)
    coded = (c.cat.codes if isinstance(c.dtype, pd.CategoricalDtype) else pd.factorize(c)[0] for c in columns)
    return np.column_stack([np.asarray(codes, np.int32) for codes in coded])


def _likeness(codes: np.ndarray, pairs: np.ndarray) -> pd.DataFrame:
    """Of each pair of rows: answers that both gave, and the part that is equal."""
    one, two = codes[pairs[:, 0]], codes[pairs[:, 1]]
    both = (one >= 0) & (two >= 0)
    items, alike = both.sum(axis=1), (both & (one == two)).sum(axis=1)
    table = {"first": pairs[:, 0], "second": pairs[:, 1], "items": items, "alike": alike / np.maximum(items, 1)}
    return pd.DataFrame(table)


def reconciled(frame: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """What forms tell of their sender against the register: answers that can be compared, and the part that agrees.

    Ages may differ by a year, for birthdays lie between.
    """
    people, rows = register.set_index("person_id").reindex(frame["person_id"]), {}
    for name in [n for n in ("status", "sex", "age", "rank", "command") if n in frame and n in register]:
        ours, theirs = frame[name].reset_index(drop=True), people[name].reset_index(drop=True)
        known = ours.notna() & theirs.notna()
        same = (ours - theirs).abs() <= 1 if name == "age" else ours.astype(str) == theirs.astype(str)
        if known.any():
            rows[name] = {"n": int(known.sum()), "agree": float(same[known].mean())}
    return pd.DataFrame.from_dict(rows, orient="index")

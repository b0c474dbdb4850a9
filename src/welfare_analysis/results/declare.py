"""Results, declared once: a table is its name, its rows and columns, its unit, and a function that estimates it.

States, protection, marks and rounding follow from the declaration, for every table alike.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ..demand.stated import sums
from ..disclosure import CATEGORY, NUMBERS, Lazy, Released, declared, evidence, marks, policy, protect
from ..disclosure.digits import SUMS
from ..disclosure.suppression import unsafe
from ..errors import WelfareError
from ..estimation import Design, Estimate, quantile
from ..needs.factors import of_few_places
from ..study import Study

GROUPS = ("status", "rank_group", "command_group", "shift", "sex")  # their cells add up to a number that is shown
PLACE = "command_group"
WITHHELD = "WELFARE_WITHHELD"  # the variable with the names of tables that an attack broke
Base = tuple[pd.Series, pd.Series]  # rows of whom it can be computed, and rows that were asked


@dataclass(frozen=True)
class Table:
    """A table of a topic; see `Topic.table`."""

    make: Callable[..., Any]
    rows: tuple[str, ...]
    across: str
    unit: str
    base: Callable[[Any], Base] | None
    ready: Callable[[Any], str] | None
    adds: tuple[str, ...]
    statistic: str


@dataclass(frozen=True, eq=False)
class Topic:
    """The tables of one subject of a study.

    Attributes
    ----------
    name : str
        Tables are called ``NAME_TABLE``.
    subject : callable
        Of the study: what the tables are computed from; None where it was not asked.
    ready : callable
        Of the subject: ``shown``, or the key of a text that says why a model cannot be had.
    unit : str
        Of the tables that declare none.
    base : callable
        Of the subject: `Base`.
    findings : (str, tuple of str)
        The table without which the page has nothing to say, and the texts of its findings, in order.
    totals : bool
        Whether numbers of people are needed, and so a register.
    behind : callable
        Of the study and the subject: on how many respondents a forecast rests, those who may take what is offered. It
        is asked of tables of `SUMS` that have neither a ``numerator`` nor such a column ``behind`` (`resting`).
    """

    name: str
    subject: Callable[[Study], Any]
    ready: Callable[[Any], str]
    unit: str
    base: Callable[[Any], Base]
    findings: tuple[str, tuple[str, ...]] = ("", ())
    totals: bool = True
    behind: Callable[[Study, Any], float] | None = None
    tables: dict[str, Table] = field(default_factory=dict)

    def table(
        self,
        name: str,
        rows: str,
        across: str = "",
        unit: str = "",
        base: Callable[[Any], Base] | None = None,
        ready: Callable[[Any], str] | None = None,
        adds: str | None = "",
        statistic: str = "",
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare the decorated function of (study, subject) as what makes a table.

        It returns rows as `long_format` gives them, with the levels of an estimate named, or None where nothing can be
        computed; an estimate of one number may come as it is. ``rows`` and ``adds`` are key
        columns parted by ``|``; ``adds`` are those, besides `GROUPS`, along which cells add up to a number that is
        shown, or None where nothing adds up, as with differences. ``ready`` and ``base`` are the topic's where they are
        not given.
        """

        def declare(make: Callable[..., Any]) -> Callable[..., Any]:
            keys, own = tuple(rows.split("|")), unit or self.unit
            kind = statistic or ("share" if own == "share" else "total")
            lines = [*(k for k in (*keys, across) if k in GROUPS), *filter(None, (adds or "").split("|"))]
            lines = [] if adds is None else [CATEGORY if line == across else line for line in lines]
            self.tables[name] = Table(
                make, keys, across, own, base or self.base, ready or self.ready, tuple(lines), kind
            )
            return make

        return declare

    @property
    def names(self) -> list[str]:
        """Names of its tables."""
        return [self.address(name) for name in self.tables]

    def address(self, table: str) -> str:
        """What a table is called in the release; the one without a name is called as the topic."""
        return f"{self.name}_{table}" if table else self.name

    def release(self, study: Study) -> Lazy:
        """Every table, protected, made when it is asked for."""
        return Lazy({self.address(name): partial(study.result, self._one, name) for name in self.tables})

    def _one(self, study: Study, name: str) -> Released:
        table = self.tables[name]
        blank = declared(self.address(name), table.statistic, table.across, table.rows, table.unit)
        if self.totals and study.population is None:
            return blank.without_numbers("no_totals")
        try:
            subject = study.result(self.subject)
            state = "not_asked" if subject is None else table.ready(subject) if table.ready else "shown"
        except WelfareError:  # as of ready-made replicate weights, which do not tell what a model needs
            state = "no_model"
        if state != "shown":
            return blank.without_numbers(state)
        try:
            made = table.make(study, subject)
        except WelfareError:  # an estimator refuses: nobody of a group answered, a model has no maximum
            return blank.without_numbers("too_few")
        cells = None if made is None else made if isinstance(made, pd.DataFrame) else long_format(made)
        if cells is None or cells.empty:
            return blank
        if table.across:
            cells = cells.rename(columns={table.across: CATEGORY})
        lacking = {*table.rows, *([CATEGORY] if table.across else []), *NUMBERS, "n"} - set(cells)
        if lacking:
            hint = 'Levels of an estimate are named in order, "" drops one: long_format(estimate, "", "status").'
            raise WelfareError("a declared table lacks columns", where=blank.id, got=sorted(lacking), hint=hint)
        few = cells.get("unsafe", pd.Series(False, cells.index)).eq(True)
        if PLACE in table.rows or table.across == PLACE:
            few |= cells[PLACE if PLACE in table.rows else CATEGORY].isin(study.result(lone_groups))
        if self.behind is not None and table.unit in SUMS and not {"numerator", "behind"} & set(cells):
            cells = cells.assign(behind=float(self.behind(study, subject)))
        if "behind" in cells:  # a forecast counts nobody, but rests on them; its base may be of others
            n = cells["n"].to_numpy(float)
            few |= unsafe(n, np.fmin(cells.pop("behind").to_numpy(float), n / 2), policy())
        cells = cells.assign(unsafe=few)
        counts, late = (0, 0), 0
        if table.base is not None:
            known, asked = table.base(subject)
            counts, late = (int(known.sum()), int(asked.sum())), study.followed_up(known)
        return protect(blank, cells, counts, adds=table.adds, followed_up=late)


def withheld() -> list[str]:
    """Names of tables that an attack broke (`audit`), and so are not shown, nor any cell of them elsewhere."""
    return os.environ.get(WITHHELD, "").split()


def lone_groups(study: Study) -> list[str]:
    """Groups of commands that are one command, which no table speaks of."""
    return of_few_places(study, int(policy().min_places))


def always(_: Any) -> str:
    """A table that needs no model."""
    return "shown"


def fitted(fit: Callable[[Any], Any]) -> Callable[[Any], str]:
    """Whether a model can be had of a subject: ``too_few`` where it has no maximum or is not identified."""
    return lambda subject: "shown" if attempted({"fit": partial(fit, subject)}) else "too_few"


def long_format(estimates: Estimate | pd.DataFrame | Mapping[Any, Any], *keys: str) -> pd.DataFrame:
    """Estimates as rows: ``keys`` name the labels of nested mappings, then the levels of the index; "" drops a level.

    A number that the rules of models call unsure is marked and not hidden: its interval is beside it, and a change that
    may well be none is a result. A frame is taken as it is.
    """
    if isinstance(estimates, pd.DataFrame):
        return estimates
    if isinstance(estimates, Estimate):
        table = estimates.bounded()
        names = [key or f"_{place}" for place, key in enumerate(keys)]
        labels = table.iloc[:, : len(names)].set_axis(names, axis=1).astype(str)
        rows = labels.assign(**table[[*NUMBERS, "n"]].astype(float), flag=marks(estimates, "model"))
        return rows.drop(columns=[name for name in names if name.startswith("_")])
    parts = [
        long_format(part, *keys[1:]).assign(**{keys[0]: label}) for label, part in estimates.items() if part is not None
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def evidenced(estimates: Mapping[Any, Estimate], *keys: str) -> pd.DataFrame:
    """Estimates as rows (`long_format`), with the respondents behind each."""
    numerators, ruled = zip(*map(evidence, estimates.values()), strict=True)
    return long_format(estimates, *keys).assign(numerator=np.concatenate(numerators), unsafe=np.concatenate(ruled))


def measured(estimates: Mapping[str, tuple[Estimate, str]], key: str) -> pd.DataFrame:
    """One number each with a unit of its own, named in the column ``key``, with the respondents behind each."""
    rows = evidenced({name: estimate for name, (estimate, _) in estimates.items()}, key, "")
    return rows.assign(unit=rows[key].map({name: unit for name, (_, unit) in estimates.items()}))


def is_shown(table: Released, codes: pd.DataFrame) -> np.ndarray:
    """Which cells, by the codes of its keys in order (cells x keys), a table shows.

    The same quantity in another table, or a base that is how many are in such a cell, is shown where this is True.
    """
    shown = set(table.shown.reindex(columns=table.keys).astype(str).itertuples(index=False, name=None))
    return np.array([cell in shown for cell in codes.astype(str).itertuples(index=False, name=None)], dtype=bool)


def resting(rows: pd.DataFrame, who: Mapping[str, pd.DataFrame], key: str, kind: str = "") -> pd.DataFrame:
    """Forecasts with the respondents on whom each rests: of ``who`` may take what (persons x kinds), by code of a key.

    ``kind`` is the key of the kinds; of a code that is none, as all together, those who may take any.
    """
    codes = [(who.get(code, pd.DataFrame()), k) for code, k in zip(rows[key], rows[kind or key], strict=True)]
    return rows.assign(behind=[float((of[k] if k in of else of.any(axis=1)).sum()) for of, k in codes])


def exact(rows: pd.DataFrame, n: Any) -> pd.DataFrame:
    """Rows of numbers that have no interval of their own: their bounds are the number itself."""
    return rows.assign(low=rows["estimate"], high=rows["estimate"], n=n)


def facts(numbers: Mapping[str, tuple[float, str]], key: str, n: float) -> pd.DataFrame:
    """Numbers without an interval as rows, each with a unit of its own, named in the column ``key``."""
    rows = pd.DataFrame.from_dict(dict(numbers), orient="index", columns=["estimate", "unit"])
    return exact(rows.rename_axis(key).reset_index(), n)


def fact_rows(**numbers: Mapping[str, float]) -> pd.DataFrame:
    """Numbers as rows by ``fact``, of the unit that each argument is called by."""
    rows = [(fact, float(x), unit) for unit, some in numbers.items() for fact, x in some.items()]
    return pd.DataFrame(rows, columns=["fact", "estimate", "unit"])


def attempted(makers: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """What estimators give, without what they refuse: too few answered, or a model has no maximum."""
    made = {}
    for name, make in makers.items():
        with contextlib.suppress(WelfareError):
            made[name] = make()
    return made


def point(value: float, n: float, **labels: str | float) -> pd.DataFrame:
    """A number without an interval of its own as a row: an end of a range of assumptions."""
    return pd.DataFrame([{**labels, **dict.fromkeys(NUMBERS, float(value)), "n": float(n)}])


def counted(estimate: Estimate, key: str, numerator: Any, kind: str = "share", across: str = "") -> pd.DataFrame:
    """Shares of persons (or numbers of them: ``kind`` is then ``amount``) as rows, marked as descriptive tables are.

    ``key`` names the first level of the index, ``across`` the second; ``numerator`` are the respondents behind each.
    """
    rows = long_format(estimate, *filter(None, (key, across)))
    if kind == "share":  # what adds up are weighted numbers
        rows = rows.assign(weight=(estimate.counts["n_weighted"] / estimate.counts["n"]).to_numpy(float))
    return rows.assign(flag=marks(estimate, kind), numerator=np.asarray(numerator, dtype=float))


def melted(table: pd.DataFrame, keys: Sequence[str], units: Mapping[str, str]) -> pd.DataFrame:
    """Numbers without intervals that stand side by side (``units``: the unit of each) as rows by ``measure``."""
    kept = [c for c in ("n", "numerator", "flag", "unsafe") if c in table]
    rows = table.melt([*keys, *kept], list(units), "measure", "estimate")
    return rows.assign(unit=rows["measure"].map(units), low=rows["estimate"], high=rows["estimate"])


def beside(cells: pd.DataFrame, measure: str, unit: str) -> pd.DataFrame:
    """Cells of a released table as one column of a combined display: what was hidden stays hidden."""
    return cells.drop(columns=CATEGORY, errors="ignore").assign(measure=measure, unit=unit)


def part(estimate: Estimate, first: Any, second: Sequence[Any] | None = None) -> Estimate:
    """The values of one code of the first level of the index (and some of the second), without the first level."""
    index = estimate.value.index
    keep = index.get_level_values(0) == first
    if second is not None:
        keep &= index.get_level_values(1).isin(second)
    return sums(estimate, index[keep].droplevel(0), np.eye(len(index))[keep])


def quantile_rows(design: Design, values: pd.Series, q: float, by: pd.Series | None, where: pd.Series) -> pd.DataFrame:
    """A quantile (by group) as rows; its numerator are the respondents on the side of it where there are fewer."""
    keys = [""] if by is None else ["", str(by.name)]
    rows = long_format(quantile(design, values, q, by=by, where=where), *keys)
    own = [values[where]] if by is None else [values[where & (by.astype(str) == code)] for code in rows[str(by.name)]]
    sides = [min((x <= at).sum(), (x >= at).sum()) for x, at in zip(own, rows["estimate"], strict=True)]
    return rows.assign(numerator=np.minimum(sides, rows["n"] / 2))

"""Conditions: of whom a question is asked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

CLAUSE = re.compile(r"^(\w+) (?:(?:=|in) ([\w|]+)|(>=|<) (-?\d+(?:\.\d+)?))$")


@dataclass(frozen=True)
class Clause:
    """One part of a condition: a variable has one of some codes, or lies in [low, high)."""

    variable: str
    codes: frozenset[str] | None = None
    low: float = -math.inf
    high: float = math.inf

    @property
    def never(self) -> bool:
        """Whether no answer meets it."""
        return self.codes == frozenset() or self.low >= self.high

    def both(self, other: Clause) -> Clause:
        """What meets this clause and another one on the same variable."""
        sets = [codes for codes in (self.codes, other.codes) if codes is not None]
        codes = frozenset.intersection(*sets) if sets else None
        return replace(self, codes=codes, low=max(self.low, other.low), high=min(self.high, other.high))

    def holds(self, answers: pd.Series) -> pd.Series:
        """True, False, or unknown where the answer is missing."""
        met = answers.ge(self.low) & answers.lt(self.high) if self.codes is None else answers.isin(list(self.codes))
        return met.astype("boolean").mask(answers.isna())


def clauses(rule: str) -> tuple[Clause, ...]:
    """Read ``a = x & b in y|z & c >= 18 & d < 5``; of nothing, no clause.

    Raises
    ------
    ValueError
        If a part cannot be read.
    """
    return tuple(_clause(part) for part in rule.split(" & ")) if rule else ()


def _clause(part: str) -> Clause:
    match = CLAUSE.match(part)
    if match is None:
        raise ValueError(part)
    variable, codes, sign, bound = match.groups()
    if codes is not None:
        return Clause(variable, frozenset(codes.split("|")))
    return Clause(variable, low=float(bound)) if sign == ">=" else Clause(variable, high=float(bound))


def routes(name: str, rules: Mapping[str, str]) -> dict[str, Clause]:
    """All that must hold for a question to be asked: its own clauses and those of its gates, one a variable.

    Raises
    ------
    RecursionError
        If the conditions go in a circle.
    """
    gates: dict[str, Clause] = {}
    waiting: list[tuple[Clause, tuple[str, ...]]] = [(clause, (name,)) for clause in clauses(rules[name])]
    while waiting:
        clause, path = waiting.pop()
        gate = clause.variable
        if gate in path:
            raise RecursionError(gate)
        gates[gate] = clause.both(gates[gate]) if gate in gates else clause
        waiting += [(further, (*path, gate)) for further in clauses(rules.get(gate, ""))]
    return gates

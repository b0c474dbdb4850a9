"""A market: who is offered what, at which terms.

A market is never changed: at other terms it is another one, with what the terms do not decide (people, answers, models)
taken from the first. Nothing is kept but in properties that are computed once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import pandas as pd

from ..estimation import Design
from ..survey.codebook import Codebook

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Market:
    """People before an offer; kinds of offers add their terms, ``at(...)``, ``fit(...)`` and ``demand(...)``.

    Attributes
    ----------
    frame : DataFrame (n rows)
        Answers of everybody, rows named as those of ``design``.
    design : Design
    codebook : Codebook
    origin : Market or None
        The market of the same people that this one was made from by a change of terms.
    """

    frame: pd.DataFrame
    design: Design
    codebook: Codebook
    origin: Any = field(default=None, kw_only=True, repr=False)

    @property
    def first(self) -> Any:
        """The market of these people that was made from no other."""
        return self if self.origin is None else self.origin

    @cached_property
    def superpopulation(self) -> Design:
        """The design of coefficients."""
        return self.design.superpopulation()


class shared(cached_property[T]):  # noqa: N801 - named as `cached_property` is
    """A property that no change of terms moves: computed once, by the first market."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Return the value that the first market has."""
        if instance is not None and instance.origin is not None:
            return getattr(instance.origin, str(self.attrname))
        return super().__get__(instance, owner)

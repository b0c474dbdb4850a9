r"""From need to likely demand: how many are left at each step, and what falls out between two.

Of the N people of a domain, step s keeps

.. math:: T_s = N \, \frac{\sum_i w_i \prod_{r \le s} x_{ir}}{\sum_i w_i},

sums over those of whom every step is known, who stand for all of the domain; :math:`x_{ir}` is 1 where person i passes
step r. The last step is not a condition but a forecast: of those left, how many would take what is offered, times the
part of stated choices that becomes an act.

Groups have missing answers of their own, so that each, scaled by itself, adds up to another total than that of all.
What is published of them is therefore fitted to the whole (`fitted`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ..errors import WelfareError
from ..estimation import Design, Estimate, joint, mean, total
from .stated import CardMarket, times

STEPS = ("in_need", "wants", "eligible", "affordable")
LIKELY = "likely"
NEED = "in_need"
Counts = Callable[[pd.Series | None], Mapping[str, Estimate]]


def sides(steps: pd.DataFrame) -> dict[str, pd.Series]:
    """Who is in need, who is not, and all."""
    need = steps[NEED]
    return {NEED: need, "not_in_need": ~need, "all": pd.Series(True, need.index, dtype="boolean")}


def crossed(market: CardMarket, offer: Any) -> dict[str, Estimate]:
    """A funnel of each of the `sides`: all people of the side first, then the steps after need, `fitted` to all.

    Parameters
    ----------
    market : CardMarket
        The people.
    offer
        What is before them: itself, or something else with ``steps`` (n x steps; whether a person passes each,
        ``in_need`` first, NA where it is not known) and ``takers(among, by)`` (how many are likely to take it;
        ``among`` are the people who count, NA where that is not known).
    """
    passed, made = offer.steps.drop(columns=NEED), {}
    for name, side in sides(offer.steps).items():
        steps = pd.DataFrame({"people": side.astype("boolean")}).join(passed)
        likely = offer.takers(side)
        made[name] = funnel(market.design, steps, likely, where=market.counted, reached=market.reached)
    every = joint(made)
    names, many = list(made)[:-1], len(every.value) // len(made)
    place = np.arange(len(every.value)).reshape(len(made), many)  # by (side, step)
    after = picked(every, place[:-1, 1:].T.ravel())
    parts = fitted(after, picked(every, place[-1, 1:]))
    sides_ = joint({"people": picked(every, place[:-1, 0]), "after": parts})
    found = np.arange(len(sides_.value)).reshape(many, len(names))
    index = made["all"].value.index
    return {name: picked(sides_, found[:, j], index) for j, name in enumerate(names)} | {"all": made["all"]}


def picked(estimate: Estimate, places: np.ndarray, index: pd.Index | None = None) -> Estimate:
    """Some values of an estimate, by their places, under names of their own where an ``index`` is given."""
    named = estimate.value.index[places] if index is None else index
    rows = sparse.eye_array(len(estimate.value), format="csr")[places]
    return estimate.apply(lambda v: pd.Series(v.to_numpy()[places], index=named), rows)


def fitted(parts: Estimate, whole: Estimate) -> Estimate:
    r"""Steps by group that add up to those of the whole, each group's still nested.

    With :math:`e_{sg}` the people of group g who pass step s and not the next one, and :math:`E_s` those of the whole,

    .. math:: T^*_{sg} = \sum_{r \ge s} E_r \frac{e_{rg}}{\sum_h e_{rh}}:

    of those who leave at one place, the groups have the shares that they have among those of whom it is known. The
    forecast is no condition, and is fitted by itself.

    Parameters
    ----------
    parts : Estimate (steps x groups values)
        People left by (step, group), groups of a step together; each person is in one group.
    whole : Estimate (steps values)
        People left by step.
    """
    many = len(whole.value)
    groups = len(parts.value) // many
    leave, last = np.eye(many) - np.eye(many, k=1), whole.value.index[-1]
    if many > 1 and LIKELY in (last if isinstance(last, tuple) else (last,)):
        leave[-2, -1] = 0.0
    stay = np.kron(np.linalg.inv(leave), np.eye(groups))

    def shares(v: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        own, all_ = v.to_numpy()[: many * groups].reshape(many, groups), v.to_numpy()[many * groups :]
        left = leave @ own
        sums = left.sum(axis=1)
        known = np.where(sums != 0, sums, 1.0)
        return left / known[:, None], leave @ all_, known

    def values(v: pd.Series) -> pd.Series:
        share, left, _ = shares(v)
        return pd.Series(stay @ (share * left[:, None]).ravel(), parts.value.index, name=parts.value.name)

    every = joint({"parts": parts, "whole": whole})
    share, left, known = shares(every.value)
    within = [e / k * (np.eye(groups) - q[:, None]) for e, k, q in zip(left, known, share, strict=True)]
    by_part = sparse.block_diag(within).toarray() @ np.kron(leave, np.eye(groups))
    by_whole = sparse.block_diag([q[:, None] for q in share]).toarray() @ leave
    made = every.apply(values, stay @ np.hstack([by_part, by_whole]))
    return replace(made, df=parts.df, counts=parts.counts).as_positive()


def fitted_by(parts: Mapping[str, Estimate], whole: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """`fitted`, of each of several counts."""
    return {name: fitted(one, whole[name]) for name, one in parts.items()}


def by_group(counts: Counts, status: pd.Series, group: pd.Series) -> dict[str, Estimate]:
    """Counts by group that add up to those of all (`fitted`): of ranks, to the active among the statuses.

    Parameters
    ----------
    counts : callable
        Of the groups of people, or None for all: counts by name.
    status, group : Series (n,)
        Groups of those who count; statuses are taken as they are to be shown.
    """
    parts, whole = counts(group), counts(None)
    if group.name == "rank_group":
        by_status = fitted_by(counts(status), whole)
        active = {name: one.value.index.get_level_values(-1) == "active" for name, one in by_status.items()}
        whole = {name: picked(one, np.flatnonzero(active[name])) for name, one in by_status.items()}
    return fitted_by(parts, whole)


def funnel(
    design: Design,
    steps: pd.DataFrame,
    likely: Estimate | None = None,
    by: Any = None,
    where: Any = None,
    reached: bool = False,
) -> Estimate:
    """How many people are left at each step, by (step[, domain]).

    Parameters
    ----------
    design : Design
    steps : DataFrame (n x steps)
        Whether a person passes each step, in order; NA where that is not known.
    likely : Estimate, optional
        People of the last step by the same domains, in their order: the forecast. It is the step ``likely``.
    by, where : optional
        Domains, and rows that count: the people N.
    reached : bool
        A step was asked only of those who reached it (how much is wanted, of those who want it), so that who is known
        at every step is a selection of them. Each step is then a share of those who reached it, of whom it is known.

    Raises
    ------
    WelfareError
        Nobody of whom every step is known, or ``likely`` of other domains.
    """
    known = steps.notna().all(axis=1)
    inside = known if where is None else known & where
    if not inside.any():
        raise WelfareError("of nobody is every step known", where="funnel", expected=", ".join(map(str, steps)))
    passed = steps.fillna(False).astype(bool).cumprod(axis=1).astype(float)
    if by is not None:
        last = inside & passed.iloc[:, -2].gt(0) if reached and passed.shape[1] > 1 else inside
        by = by.where(by.isin(by[last].unique()))
    people = total(design, pd.Series(1.0, steps.index, name="people"), by=by, where=where).as_positive()
    if reached:
        left = _by_step(design, steps, people, by, where)
    else:
        shares = mean(design, passed, by=by, where=inside)
        left = times(shares, people, shares.value.index)
    if likely is None:
        return left
    groups, last = len(people.value), list(left.value.index[-len(people.value) :])
    own = [key[-1] if isinstance(key, tuple) else key for key in likely.value.index]
    if len(own) != groups or (by is not None and own != [key[-1] for key in last]):
        raise WelfareError("the forecast is of other domains", where="funnel", got=own, expected=str(last))
    index = [(LIKELY, *key[1:]) if isinstance(key, tuple) else LIKELY for key in last]
    names = left.value.index.append(
        pd.MultiIndex.from_tuples(index, names=left.value.index.names) if by is not None else pd.Index(index)
    )
    every = joint({"left": left, "likely": likely})
    return every.apply(lambda v: pd.Series(v.to_numpy(), index=names), sparse.eye_array(len(names)))


def _by_step(design: Design, steps: pd.DataFrame, people: Estimate, by: Any, where: Any) -> Estimate:
    """People left, each step a share of those who reached it: of whom it is known, who stand for the others."""
    at, found = pd.Series(True, steps.index) if where is None else where, {}
    for step in map(str, steps):
        flag = steps[[step]].astype("Float64")
        share = mean(design, flag.astype(float), by=by, where=at & flag[step].notna())
        people = found[step] = times(share, people, share.value.index)
        at = at & steps[step].fillna(False).astype(bool)
    every = joint(found)
    groups = people.value.index.get_level_values(-1)
    index = pd.Index(list(found), name="variable")
    if by is not None:
        index = pd.MultiIndex.from_product([index, groups], names=["variable", by.name])
    return every.apply(lambda v: pd.Series(v.to_numpy(), index=index), sparse.eye_array(len(index)))


def lost(estimate: Estimate) -> Estimate:
    """People who fall out between two steps of a `funnel`, named by the step that they do not pass."""
    steps = estimate.value.index.get_level_values(0)
    groups = len(steps) // steps.nunique()
    many = len(steps) - groups
    slopes = sparse.eye_array(many, len(steps)) - sparse.eye_array(many, len(steps), k=groups)
    index = estimate.value.index[groups:]
    return estimate.apply(lambda v: pd.Series(slopes @ v.to_numpy(), index=index), slopes).as_positive()

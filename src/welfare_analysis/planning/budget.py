r"""Which services for whom, within a budget: the plan that closes most need, and what the next million would buy.

Of service s and group g (a *cell*) money :math:`x_{sg}` closes :math:`w_{sg} x_{sg}` needs, as far as there is room for
it, and a service that is offered at all costs :math:`F_s` first. The plan is the solution of

.. math:: \max \sum_{sg} w_{sg} x_{sg}, \quad \sum_{sg} x_{sg} + \sum_s F_s y_s \le B, \quad
   0 \le x_{sg} \le r_{sg} y_s, \quad \sum_s w_{sg} x_{sg} \ge f_g, \quad y_s \in \{0, 1\}

It is solved exactly, without a solver. For given y it is a fractional knapsack (Dantzig 1957, Operations Research 5,
266-277): the cells that buy most for a DH come first. Groups do not share cells, so a floor :math:`f_g` is met at
least cost by the group's own best cells, and what is left of the money goes to the best of all that remains. Every set
of services with a cost of their own is tried. The tests compare it with HiGHS and with enumeration. Floors of sets of
groups that overlap are left to HiGHS (`shared`).

Arrays may have leading axes, of replicates: then each is solved by itself. Of equal cells the first is served first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from ..errors import WelfareError

NEARLY = 0.999  # of the most equal floors, so that rounding leaves a plan
ROUNDED = 1e-9  # of the money or the needs: what rounding may leave of a constraint


@dataclass(frozen=True, eq=False)
class Cells:
    """What money can do.

    Attributes
    ----------
    room : (..., S, G) array
        DH a year that can be spent on each service and group.
    worth : (..., S, G) array
        Needs closed by one DH.
    fixed : (S,) array
        DH a year that a service costs before anybody is served.
    """

    room: np.ndarray
    worth: np.ndarray
    fixed: np.ndarray

    def delivered(self, spent: np.ndarray) -> np.ndarray:
        """Needs closed in each cell by money that was set aside before: what finds nobody in need is lost."""
        return np.minimum(spent, self.room) * self.worth


@dataclass(frozen=True, eq=False)
class Plan:
    """Money by cell, ``spent`` (..., S, G), which services are ``opened`` (..., S), and the needs closed, ``value``.

    The value is -inf where the budget does not reach the floors.
    """

    spent: np.ndarray
    opened: np.ndarray
    value: np.ndarray

    def alike(self, other: Plan) -> np.ndarray:
        """The part of the money (...) that goes where another plan puts it, each DH being a part of its own plan."""
        parts = [one.spent / np.maximum(one.spent.sum(axis=(-2, -1), keepdims=True), 1e-300) for one in (self, other)]
        return np.asarray(np.minimum(*parts).sum(axis=(-2, -1)))


def sets(fixed: np.ndarray) -> Iterator[np.ndarray]:
    """Sets of services (S,) that may be opened, the smallest first; those without a cost of their own always are."""
    own = np.flatnonzero(fixed > 0)
    for some in chain.from_iterable(combinations(own, many) for many in range(len(own) + 1)):
        yield (fixed <= 0) | np.isin(np.arange(len(fixed)), some)


def filled(room: np.ndarray, money: np.ndarray) -> np.ndarray:
    """The part of each room, in the order of the last axis, that money fills."""
    before = np.cumsum(room, axis=-1) - room
    return np.clip(money[..., None] - before, 0.0, room)


def best(cells: Cells, budget: float | np.ndarray, floor: float | np.ndarray = 0.0) -> Plan:
    """The plan that closes most need within a budget (DH a year), and at least ``floor`` (..., G) in each group.

    Raises
    ------
    WelfareError
        A plan that breaks its constraints, which would be an error of this module.
    """
    room, worth = np.broadcast_arrays(cells.room, cells.worth)
    *batch, S, G = room.shape
    least = np.broadcast_to(floor, (*batch, G))
    within = np.argsort(-worth, axis=-2, kind="stable")
    overall = np.argsort(-worth.reshape(*batch, S * G), axis=-1, kind="stable")
    found = Plan(np.zeros(room.shape), np.zeros((*batch, S), dtype=bool), np.full(batch, -np.inf))
    for opened in sets(cells.fixed):
        there = room * opened[:, None] * (worth > 0)  # money that closes nothing is not spent, however much there is
        kept = floored(there, worth, within, least)
        left = np.asarray(budget - cells.fixed @ opened - kept.sum(axis=(-2, -1)))
        flat = np.take_along_axis((there - kept).reshape(*batch, S * G), overall, axis=-1)
        more = np.empty_like(flat)
        np.put_along_axis(more, overall, filled(flat, np.maximum(left, 0.0)), axis=-1)
        spent = kept + more.reshape(room.shape)
        reached = (worth * spent).sum(axis=-2) >= least * (1 - ROUNDED)
        possible = reached.all(axis=-1) & (left >= -ROUNDED * np.abs(budget))
        value = np.where(possible, (worth * spent).sum(axis=(-2, -1)), -np.inf)
        better = value > found.value + ROUNDED * np.abs(np.where(np.isfinite(found.value), found.value, 0.0))
        found = Plan(
            np.where(better[..., None, None], spent, found.spent),
            np.where(better[..., None], opened, found.opened),
            np.where(better, value, found.value),
        )
    return checked(cells, found, budget, least)


def shared(cells: Cells, budget: float, classes: np.ndarray, floor: np.ndarray) -> Plan:
    """The best plan whose floors (F,) are of sets of groups that may overlap, ``classes`` (F, G) of 0 and 1.

    Raises
    ------
    WelfareError
        The budget does not reach the floors; a plan that breaks its constraints.
    """
    S, G = cells.room.shape
    gain = (cells.room * cells.worth).ravel()
    shut = np.hstack([np.eye(S * G), -np.repeat(np.eye(S), G, axis=0)])  # nothing of a service that is not opened
    least = np.hstack([np.tile(classes, S) * gain, np.zeros((len(floor), S))])
    money = np.append(cells.room, cells.fixed)
    limits = [(money, -np.inf, budget), (shut, -np.inf, 0.0), (least, floor, np.inf)]
    found = milp(
        -np.append(gain, np.zeros(S)),
        constraints=[LinearConstraint(*limit) for limit in limits],
        bounds=Bounds(0, np.append(gain > 0, np.ones(S))),
        integrality=np.append(np.zeros(S * G), np.ones(S)),
        options={"mip_rel_gap": 0.0},
    )
    if found.status != 0:
        raise WelfareError("no plan meets the floors", where="budget", got=found.message, hint="Lower the floors.")
    part, opened = np.split(found.x, [S * G])
    spent = part.reshape(S, G) * cells.room
    plan = Plan(spent, opened > 1 / 2, np.asarray((spent * cells.worth).sum()))
    return checked(cells, plan, budget, floor, classes)


def floored(room: np.ndarray, worth: np.ndarray, order: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """The least money (..., S, G) that closes so many needs (..., G) in each group, as far as there is room."""
    value, rate = (np.take_along_axis(x, order, axis=-2) for x in (room * worth, worth))
    part = np.swapaxes(filled(np.swapaxes(value, -2, -1), floor), -2, -1)
    money = np.empty_like(part)
    np.put_along_axis(money, order, np.divide(part, rate, out=np.zeros_like(part), where=rate > 0), axis=-2)
    return money


def checked(
    cells: Cells,
    plan: Plan,
    budget: float | np.ndarray,
    floor: float | np.ndarray = 0.0,
    classes: np.ndarray | None = None,
) -> Plan:
    """The plan, if it keeps its constraints; floors are of groups, or of ``classes`` of them (`shared`).

    Raises
    ------
    WelfareError
        It spends more than there is, more than there is room for or on a service that is not opened; it closes fewer
        needs than the floor of a group, or others than it claims.
    """
    real = np.isfinite(plan.value)
    closed = cells.worth * plan.spent
    met = closed.sum(axis=-2) if classes is None else closed.sum(axis=-2) @ classes.T
    gaps = {
        "budget": plan.spent.sum(axis=(-2, -1)) + (cells.fixed * plan.opened).sum(axis=-1) - budget,
        "room": (plan.spent - cells.room * plan.opened[..., None]).max(axis=(-2, -1)),
        "sign": -plan.spent.min(axis=(-2, -1)),
        "floor": (floor - met).max(axis=-1),
        "value": np.abs(closed.sum(axis=(-2, -1)) - np.where(real, plan.value, 0.0)),
    }
    size = 1.0 + np.abs(budget) + np.abs(np.where(real, plan.value, 0.0))
    broken = {name: float(np.max(gap * real)) for name, gap in gaps.items() if (gap * real > 10 * ROUNDED * size).any()}
    if broken:
        raise WelfareError("a plan breaks its constraints", where="budget", got=broken, expected="none broken")
    return plan


def earmarked(cells: Cells, plan: Plan, amount: float) -> np.ndarray:
    """Needs (..., S) that a further amount would close in each service if it were for that service alone.

    The plan stays; a service that it does not offer is opened from the amount. Money that finds no room closes nothing.
    """
    left = np.maximum(cells.room - plan.spent, 0.0)
    order = np.argsort(-cells.worth, axis=-1, kind="stable")
    room, worth = (np.take_along_axis(x, order, axis=-1) for x in np.broadcast_arrays(left, cells.worth))
    money = np.maximum(amount - cells.fixed * ~plan.opened, 0.0)
    return np.asarray((filled(room, money) * worth).sum(axis=-1))


def fairest(cells: Cells, budget: float, needs: np.ndarray, steps: int = 18) -> np.ndarray:
    """The largest part (...) of ``needs`` (..., G) that every group can have closed within a budget, by bisection."""
    room, worth = np.broadcast_arrays(cells.room, cells.worth)
    order = np.argsort(-worth, axis=-2, kind="stable")
    rate = np.take_along_axis(worth, order, axis=-2)
    price = np.divide(1.0, rate, out=np.zeros_like(rate), where=rate > 0)
    found = np.zeros(np.broadcast_shapes(room.shape[:-2], needs.shape[:-1]))
    for opened in sets(cells.fixed):
        value = np.take_along_axis(room * worth * opened[:, None], order, axis=-2)
        before, money = np.cumsum(value, axis=-2) - value, budget - cells.fixed @ opened
        low, high = np.zeros_like(found), np.ones_like(found)
        for _ in range(steps):
            middle = (low + high) / 2
            floor = (middle[..., None] * needs)[..., None, :]
            part = np.clip(floor - before, 0.0, value)
            reached = (part.sum(axis=-2) >= floor[..., 0, :] * (1 - ROUNDED)).all(axis=-1)
            there = reached & (money - (part * price).sum(axis=(-2, -1)) >= -ROUNDED * np.abs(budget))
            low, high = np.where(there, middle, low), np.where(there, high, middle)
        found = np.maximum(found, low)
    return found


def within_reach(cells: Cells, budget: float, floor: np.ndarray) -> Plan:
    """The best plan, with the floors (..., G) of all groups lowered alike where the budget does not reach them."""
    plan = best(cells, budget, floor)
    far = ~np.isfinite(plan.value)
    if not far.any():
        return plan
    part = np.where(far, NEARLY * fairest(cells, budget, floor), 1.0)
    return best(cells, budget, part[..., None] * floor)


def concentration(closed: np.ndarray, needs: np.ndarray) -> np.ndarray:
    r"""Concentration index (...) of the part of its needs that each group (..., G), from the poorest on, has closed.

    :math:`2 \operatorname{cov}(h, R) / \bar h` over needs, R the middle of a group's place among them: below 0 the poor
    have more (Kakwani, Wagstaff and van Doorslaer 1997, Journal of Econometrics 77, 87-103).
    """
    part = needs / needs.sum(axis=-1, keepdims=True)
    place = np.cumsum(part, axis=-1) - part / 2
    share = np.divide(closed, needs, out=np.zeros_like(closed), where=needs > 0)
    mean = (part * share).sum(axis=-1)
    return np.asarray(2 * (part * share * (place - 0.5)).sum(axis=-1) / np.where(mean > 0, mean, 1.0))


def corrected(claimed: float, own: np.ndarray, elsewhere: np.ndarray) -> float:
    r"""A claim less what an optimum promises too much: :math:`v - \overline{v_b(x_b) - v(x_b)}` over replicates b.

    ``own`` is what the plan of each replicate closes there, ``elsewhere`` what the same plan closes by the estimate.
    """
    return float(claimed - np.mean(own - elsewhere))


def robust(values: np.ndarray, tail: float = 0.05) -> tuple[int, int]:
    """Of packages (P, draws): which has the best mean, and which the best of the worst cases (a low quantile)."""
    return int(values.mean(axis=1).argmax()), int(np.quantile(values, tail, axis=1).argmax())


def worth_knowing(values: np.ndarray, parameter: np.ndarray, bins: int = 10) -> float:
    """Needs that knowing one parameter first would close beyond the package with the best mean (EVPPI).

    ``values`` (P, draws) are of a finite set of packages; the mean of each given the parameter (draws,) is taken in
    bins of equal size, which overstates a little what little knowledge is worth (Strong and Oakley 2013, Medical
    Decision Making 33, 755-766).
    """
    places = np.array_split(np.argsort(parameter, kind="stable"), bins)
    known = sum(values[:, rows].sum(axis=1).max() for rows in places) / values.shape[1]
    return float(known - values.mean(axis=1).max())


def learnt(known: np.ndarray, asked: np.ndarray, ratio: float) -> np.ndarray:
    r"""How much a mean will move (k, k) once more is asked: :math:`V - (V^{-1} + H' V_n^{-1} H)^{-1}`.

    Parameters
    ----------
    known : (k, k) array
        Covariance V of what is known now.
    asked : (k,) array of bool
        H: the numbers that the further interviews ask about, each with the error that it has now.
    ratio : float
        Interviews there are for each further one, so that :math:`V_n` is V of these times it: of a single number the
        shrinkage is the 1 / (1 + ratio) of Jalal and Alarid-Escudero (2018, Medical Decision Making 38, 174-188).
        0: everybody is asked.
    """
    sides = known[:, asked]
    return np.asarray(sides @ np.linalg.pinv((1 + ratio) * known[np.ix_(asked, asked)], hermitian=True) @ sides.T)


def noise(covariance: np.ndarray, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Normal deviations (``shape``, k) with a covariance (k, k)."""
    values, vectors = np.linalg.eigh(covariance)
    return rng.standard_normal((*shape, len(values))) @ (vectors * np.sqrt(np.maximum(values, 0.0))).T


def worth_asking(
    choose: Callable[[np.ndarray], np.ndarray],
    value: Callable[[np.ndarray, np.ndarray], np.ndarray],
    centre: np.ndarray,
    known: np.ndarray,
    moved: np.ndarray,
    rng: np.random.Generator,
    draws: tuple[int, int] = (400, 8),
) -> tuple[float, float]:
    r"""What is gained by choosing again after more interviews, and the standard error of the simulation (EVSI).

    The mean after them is drawn, :math:`m \sim N(\hat\theta, L)`, then the truth, :math:`\theta \sim N(m, V - L)`; a
    draw is :math:`v(x(m), \theta) - v(x(\hat\theta), \theta)`. The choice never sees the truth by which it is judged,
    and no largest of several noisy means is taken: so nothing is biased upward. With a choice that is not the best of
    all by m, it is what this rule gains.

    Parameters
    ----------
    choose : callable
        Of means (..., k): what is chosen.
    value : callable
        Of what is chosen and of truths (..., k): its value (...).
    centre, known, moved : arrays
        What is known now, its covariance V, and L (`learnt`).
    draws : (int, int)
        Means, and truths of each.
    """
    count, each = draws
    ahead, beside = noise(moved, (count // 2,), rng), noise(known - moved, (count, each // 2), rng)
    means = centre + np.concatenate([ahead, -ahead])  # in pairs of opposite signs, which have less error
    truths = means[:, None] + np.concatenate([beside, -beside], axis=1)
    again = np.expand_dims(choose(means), 1)
    gains = (value(again, truths) - value(choose(centre), truths)).mean(axis=1)
    pairs = gains.reshape(2, -1).mean(axis=0)
    return float(pairs.mean()), float(pairs.std(ddof=1) / np.sqrt(len(pairs)))


def of_folds(plans: Plan, cells: Cells, folds: int) -> float:
    r"""Needs closed by plans (..., folds) in the fold of the sample that each did not see, on average.

    What a plan closes is linear in the needs but for money that finds nobody in need. This loss grows with the standard
    deviation between room as it was seen and as it is: :math:`V K^2 / (K - 1)` between a fold and the K - 1 others, and
    V between the sample and the truth. So the loss is taken :math:`\sqrt{K - 1} / K` times.
    """
    if_never_lost = (plans.spent * cells.worth).sum(axis=(-2, -1))
    lost = if_never_lost - cells.delivered(plans.spent).sum(axis=(-2, -1))
    return float((if_never_lost - np.sqrt(folds - 1) / folds * lost).mean())

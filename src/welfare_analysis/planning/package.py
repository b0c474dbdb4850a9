r"""Services that close needs within one budget: who is in need of what, in which group, and on which terms.

Needs are counted, not persons: a member in need of a home and of transport has two. A need of a home counts once,
however many of its members fill in forms. Services of one *account* meet the same kind of need, and whoever could have
several of them is counted for the first alone, so that no need is closed twice.

Of service s and group g, N persons in need lack U units (children, DH, rides). Reached are at most :math:`\rho_s N`, at
:math:`c_s U / N` DH each, and of those served the part :math:`e_s` is in need no more: so there is room for
:math:`\rho_s c_s U` DH, and one DH closes :math:`e_s N / (c_s U)` needs (`budget`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd

from ..demand import grants, intercity
from ..demand.services import AID, NEEDED, aided, home_share, parameter
from ..demand.stated import sums
from ..errors import WelfareError
from ..estimation import Design, Estimate, total
from ..needs import commuting, housing, income_debt, projection
from ..needs.aspirations import has_chronic_illness, hope
from ..needs.income_debt import above, asked, is_code
from ..needs.priorities import ranking
from ..study import Study, public
from ..survey.codebook import Codebook
from .budget import Cells, Plan, learnt, noise, of_folds, within_reach, worth_asking

REPLICATES, SEED = 500, 2012
FOLDS, SPLITS = 2, 200  # parts of the sample, and how often it is parted
FLOWS = ("retired_death_rate", "survivor_share", "survivor_exit_rate")
TERMS = ("cost_dh", "effect", "reach")  # that are drawn from their ranges; what it takes to begin is not
MOVED = 1e-4  # of each number, for slopes


def rail_trips(frame: pd.DataFrame) -> pd.Series:
    """Whether a member travels between towns by train and wishes for agreed fares; NA where an answer is missing.

    Others can wish for lower fares too, but a discount on trains reaches nobody who takes none.
    """
    by_train = is_code(frame["intercity_mode"], intercity.RAIL)
    return hope("rail")(frame) & above(frame["intercity_trips_n"], 0) & by_train


def fund_dh(frame: pd.DataFrame) -> pd.Series:
    """What the support fund would pay, DH a year (`demand.grants.paid`)."""
    cost = frame["uncovered_cost_dh"].astype(float)
    return grants.paid(cost, parameter("fund_floor_dh"), parameter("fund_cap_dh"))


def chronic_forgone(frame: pd.DataFrame) -> pd.Series:
    """Whether somebody in the home is chronically ill and care was forgone; NA where one is missing."""
    return has_chronic_illness(frame) & is_code(frame["care_forgone"], "yes")


def scholars_n(frame: pd.DataFrame) -> pd.Series:
    """Children in higher education, where a scholarship is wished for."""
    return grants.concerned(frame, {"scholarship": ("higher_n",)})["scholarship"]


def holiday_gap_dh(frame: pd.DataFrame) -> pd.Series:
    """What a family that wants a week lacks to pay it, DH; 0 where it wants none or can pay, NA where not known."""
    centre, weeks, persons, budget = asked(frame, *NEEDED[1:])
    wants = ~is_code(centre, "none") & above(weeks, 0) & above(persons, 0)
    gap = (parameter("week_price_dh") * persons.astype(float) - budget.astype(float)).clip(lower=0.0)
    return gap.mask((~wants).fillna(value=False).astype(bool), 0.0).where(wants.notna())


def pension_low(status: str, frame: pd.DataFrame) -> pd.Series:
    """Whether a pension of a status is not above the threshold of its aid; no for other statuses."""
    under = ~above(frame["pension_dh"], parameter(status + AID))
    return under.mask(frame["status"].ne(status).fillna(value=True).astype(bool), False)


@dataclass(frozen=True)
class Service:
    """The units that each lacks of a service (n,), 0 where not in need, and whether a home has one need of it.

    ``item`` is what the ranking of priorities calls it, if it is there.
    """

    account: str
    item: str
    lacking: Callable[[pd.DataFrame], pd.Series]
    home: bool = False


SERVICES: dict[str, Service] = {
    "home": Service("home", "housing", housing.core_need, home=True),
    "loan": Service("credit", "consumer_loan", income_debt.credit_need),
    "shuttle": Service("work", "transport", commuting.transport_need),
    "rail": Service("travel", "transport", rail_trips),
    "fund": Service("health", "health", fund_dh, home=True),
    "chronic": Service("health", "health", chronic_forgone, home=True),
    "scholarship": Service("studies", "education", scholars_n, home=True),
    "camps": Service("leisure", "holidays", lambda frame: frame["camp_children_n"], home=True),
    "holidays": Service("leisure", "holidays", holiday_gap_dh, home=True),
    "hajj": Service("pilgrimage", "", hope("hajj")),
}


def services() -> dict[str, Service]:
    """All services by name, with aid for each status of which a threshold is known."""
    return SERVICES | {status: Service("pension", "", partial(pension_low, status)) for status in aided()}


def lacking(frame: pd.DataFrame) -> pd.DataFrame:
    """Units that each lacks of each service that was asked for (n x S), 0 where not in need, NA where not known.

    Who could have several services of one account lacks the first alone. A status that was not asked is in no need.
    """
    found: dict[str, pd.Series] = {}
    before: dict[str, pd.Series] = {}
    for name, service in services().items():
        with suppress(KeyError, WelfareError):  # a question was not asked
            units = service.lacking(frame).astype("Float64").astype(float)
            units = units.where(units.notna().groupby(frame["status"]).transform("any").astype(bool), 0.0)
            if (has := before.get(service.account)) is not None:
                units = units.mask(has > 0, 0.0).mask(has.isna() & (units > 0))
            found[name] = before[service.account] = units
    return pd.DataFrame(found, frame.index)


@dataclass(frozen=True, eq=False)
class Package:
    """Members before services that share one budget, on terms that `at` changes.

    Attributes
    ----------
    units, needs : DataFrame (n x S)
        Units that each lacks, and needs (1, or a home's part); rows named as those of the design.
    group : Series (n,)
        Categorical, from the poorest group on; NA is in no group.
    terms : DataFrame (S x (term, end))
        ``cost_dh``, ``effect``, ``reach``, ``fixed_dh`` at ``value``, ``low``, ``high``.
    weights : Series (S,)
        What a closed need of each service counts.
    budget_dh, floor_share
        DH a year; the part of its needs that each group must have closed at least.
    known : Estimate, optional
        `sums`, where they were estimated before.
    """

    units: pd.DataFrame
    needs: pd.DataFrame
    group: pd.Series
    design: Design
    terms: pd.DataFrame
    weights: pd.Series
    budget_dh: float
    floor_share: float = field(default_factory=lambda: float(assumed().at[("package", "floor_share"), "value"]))
    known: Estimate | None = None

    def at(self, **changes: Any) -> Package:
        """The same people on other terms; what is estimated of them is taken along."""
        return replace(self, known=self.sums, **changes)

    @property
    def services(self) -> list[str]:
        """Services with anybody in need."""
        return list(self.units)

    @property
    def groups(self) -> list[str]:
        """Groups, the poorest first."""
        return list(self.group.cat.categories)

    @cached_property
    def sums(self) -> Estimate:
        """Needs and units (2 x S x G), flattened: the only numbers of the survey that the plan rests on."""
        if self.known is not None:
            return self.known
        table = pd.concat({"needs": self.needs, "units": self.units}, axis=1)
        flat = table.set_axis([f"{kind} {name}" for kind, name in table], axis=1)
        made = total(self.design, flat, by=self.group, where=self.group.notna(), missing="mean")
        index = pd.MultiIndex.from_product([("needs", "units"), self.services, self.groups])
        return made.apply(lambda v: v.set_axis(index), np.eye(len(index)))

    @property
    def answered(self) -> pd.DataFrame:
        """Respondents of whom each need is known, services x groups."""
        return self.needs.notna().groupby(self.group, observed=False).sum().T.astype(float)

    @property
    def met(self) -> pd.DataFrame:
        """Respondents in need, services x groups."""
        return (self.needs > 0).groupby(self.group, observed=False).sum().T.astype(float)

    def parted(self, sums: np.ndarray) -> np.ndarray:
        """Needs and units as an array (2, ..., S, G); what a replicate has below nought is nought."""
        shape = (*sums.shape[:-1], 2, len(self.services), len(self.groups))
        return np.moveaxis(np.maximum(sums, 0.0).reshape(shape), -3, 0)

    def at_end(self, end: str) -> np.ndarray:
        """`TERMS` (3, S) at an end of their ranges, or at their values."""
        return self.terms.xs(end, axis=1, level=1)[list(TERMS)].to_numpy(float).T

    def cells(self, sums: np.ndarray, terms: np.ndarray | None = None) -> Cells:
        """Room and worth from ``sums`` (..., k) and terms (3, ..., S); see the module."""
        needs, units = self.parted(sums)
        cost, effect, reach = (self.at_end("value") if terms is None else terms)[..., None]
        money = cost * units
        worth = self.weights.to_numpy()[:, None] * effect * needs
        worth = np.divide(worth, money, out=np.zeros(np.broadcast_shapes(worth.shape, money.shape)), where=money > 0)
        return Cells(reach * money, worth, self.terms[("fixed_dh", "value")].to_numpy(float))

    def floor(self, sums: np.ndarray, share: float | None = None) -> np.ndarray:
        """What must be closed in each group (..., G)."""
        weighted = (self.weights.to_numpy()[:, None] * self.parted(sums)[0]).sum(axis=-2)
        return np.asarray((self.floor_share if share is None else share) * weighted)

    def solved(self, sums: np.ndarray, terms: np.ndarray | None = None, budget_dh: float | None = None) -> Plan:
        """The best plan for ``sums`` (..., k) on the terms of the study or others (`budget.within_reach`)."""
        money = self.budget_dh if budget_dh is None else budget_dh
        return within_reach(self.cells(sums, terms), money, self.floor(sums))

    @property
    def centre(self) -> np.ndarray:
        """The estimated sums (k,)."""
        return self.sums.value.to_numpy()

    @cached_property
    def plan(self) -> Plan:
        """The best plan by the estimates."""
        return self.solved(self.centre)

    @cached_property
    def closed(self) -> Estimate:
        """Needs closed, and DH, by service and group; the plan is made again as the estimates move.

        What it takes to begin with a service is borne by its groups as the rest of its money is.
        """
        centre, (S, G) = self.centre, (len(self.services), len(self.groups))
        index = pd.MultiIndex.from_product([("closed", "cost_dh"), self.services, self.groups])
        plain = self.weights.to_numpy()[:, None]

        def numbers(sums: np.ndarray) -> np.ndarray:
            plan, cells = self.solved(sums), self.cells(sums)
            whole = plan.spent.sum(axis=-1, keepdims=True)
            begun = np.divide(cells.fixed[:, None], whole, out=np.zeros_like(whole), where=whole > 0)
            both = np.stack([plan.spent * cells.worth / plain, plan.spent * (1 + begun)], axis=-3)
            return both.reshape(*sums.shape[:-1], 2 * S * G)

        step = np.where(centre > 0, MOVED * centre, 1.0)
        moves = np.diag(step * (centre > 0))
        slopes = (numbers(centre + moves) - numbers(centre - moves)) / (2 * step[:, None])
        made = self.sums.apply(lambda _: pd.Series(numbers(centre), index), slopes.T)
        return made.as_positive()

    def by(self, axis: int) -> dict[str, Estimate]:
        """Needs (``need``), needs ``closed`` and DH (``cost_dh``) by service (0) or by group (1), and in all."""
        S, G = len(self.services), len(self.groups)
        line = np.kron(np.eye(S), np.ones(G)) if axis == 0 else np.kron(np.ones(S), np.eye(G))
        line = np.vstack([line, np.ones(S * G)])
        index = pd.Index([*(self.groups if axis else self.services), "all"], name=("package_service", "group")[axis])
        n = self.answered.sum(axis=1 - axis).to_numpy() / (len(self.services) if axis else 1)

        def summed(of: Estimate, side: list[int]) -> Estimate:
            made = sums(of, index, np.hstack([line * part for part in side])).as_positive()
            return replace(made, counts=made.counts.assign(n=np.append(n, n.max())))  # slopes may name a few groups

        return {"need": summed(self.sums, [1, 0]), "closed": summed(self.closed, [1, 0]),
                "cost_dh": summed(self.closed, [0, 1])}  # fmt: skip

    def by_service(self) -> Estimate:
        """Needs closed by each service and in all."""
        return self.by(0)["closed"]

    def later(self, values: np.ndarray, rates: Mapping[str, float]) -> np.ndarray:
        """Needs (1 + T, S + 1) by year and service, and in all, if of each group the part in need stays what it is.

        Parameters
        ----------
        values : (2 S G + (3 + T) G,) array
            `sums`, and the totals of the columns of `needs.projection.leaving` by group.
        rates : mapping
            As for `needs.projection.renewed`.
        """
        S, G = len(self.services), len(self.groups)
        needs, counts = (part.reshape(-1, G) for part in np.split(values, [2 * S * G]))
        members = projection.renewed(counts, rates)
        grown = np.divide(members, members[0], out=np.ones_like(members), where=members[0] > 0)
        found = grown @ needs[:S].T
        return np.column_stack([found, found.sum(axis=1)])

    def draws(self, kind: str, count: int = REPLICATES, seed: int = SEED) -> Draws:
        """What may be true: replicates of the needs (``sampling``), and terms from their ranges too (``all``)."""
        rng = np.random.default_rng(seed)
        sums = self.sums.replicates(count, rng).to_numpy()
        low, value, high = (self.at_end(end)[:, None] for end in ("low", "value", "high"))
        at = rng.triangular(-1, 0, 1, (len(TERMS), count, len(self.services)))  # each side of a value is as likely
        terms = value + np.where(at > 0, at * (high - value), at * (value - low)) * (kind == "all")
        return Draws(sums, self.cells(sums, terms), self.solved(sums, terms), terms)

    def folded(self, folds: int = FOLDS, splits: int = SPLITS, seed: int = SEED) -> float:
        r"""Needs closed by plans of all folds but one, judged by the fold that is left out (`budget.of_folds`).

        Folds are not made of forms, whose two phases, calibration and finite corrections each would need again, but of
        the estimate: :math:`\hat\theta_k = \hat\theta + W_k` with normal W that add up to nought,
        :math:`\operatorname{var} W_k = (K - 1) V` and :math:`\operatorname{cov}(W_k, W_l) = -V`, so that a fold and the
        mean of the others are independent, as parts of a sample are (data thinning: Neufeld and others 2024, Journal of
        Machine Learning Research 25(57)).
        """
        apart = noise(folds * self.known_by, (splits, folds), np.random.default_rng(seed))
        apart = apart - apart.mean(axis=1, keepdims=True)
        return of_folds(self.solved(self.centre - apart / (folds - 1)), self.cells(self.centre + apart), folds)

    @cached_property
    def known_by(self) -> np.ndarray:
        """The covariance (k, k) of the sums."""
        return self.sums.covariance().to_numpy()

    def asking(self, interviews: float, group: str | None = None, seed: int = SEED) -> tuple[float, float]:
        """Needs closed more if the plan is made again after further interviews, of a group or of all.

        With the standard error of the simulation (`budget.worth_asking`). They tell needs and no assumption, which stay
        as they are. Infinitely many: everybody is asked.
        """
        within = np.isin(self.groups, self.groups if group is None else [group])
        there = self.answered.to_numpy()[:, within].sum(axis=1).mean()
        asked = np.broadcast_to(within, (2, len(self.services), len(self.groups))).ravel()

        def value(spent: np.ndarray, truths: np.ndarray) -> np.ndarray:
            return self.cells(truths).delivered(spent).sum(axis=(-2, -1))

        moved = learnt(self.known_by, asked, there / interviews)
        rng = np.random.default_rng(seed)
        return worth_asking(lambda m: self.solved(m).spent, value, self.centre, self.known_by, moved, rng)


@dataclass(frozen=True, eq=False)
class Draws:
    """Sums (draws, k), cells and the best plan of each draw, and the terms (3, draws, S) of `TERMS`."""

    sums: np.ndarray
    cells: Cells
    plans: Plan
    terms: np.ndarray

    def values(self, spent: np.ndarray) -> np.ndarray:
        """Needs closed in each draw (..., draws) by money that was set aside before, (..., S, G)."""
        return self.cells.delivered(spent[..., None, :, :]).sum(axis=(-2, -1))


def assumed() -> pd.DataFrame:
    """The assumptions of ``data/public/package.csv`` by service and term."""
    return public("package").set_index(["service", "term"])


def flows(end: str = "value") -> dict[str, float]:
    """The rates of `needs.projection.renewed`, from ``housing_flows.csv`` and ``package.csv``."""
    known = public("housing_flows").set_index("id")[end].astype(float)
    shared = {name: float(known[name]) for name in ("recruits_n", "staff_n", "death_rate")}
    return shared | {name: float(assumed().at[("package", name), end]) for name in FLOWS}


def budget_dh(design: Design, end: str = "value") -> float:
    """The budget that is assumed, DH a year: so much for each member."""
    return float(assumed().at[("package", "budget_each_dh"), end] * design.weights.sum())


def people(frame: pd.DataFrame, codebook: Codebook) -> pd.Series:
    """Ranks of the active and the other statuses, small ones taken together as the codebook says."""
    wide = codebook.wider("status")
    group = "status:" + frame["status"].astype(object).replace(wide)
    if "rank_group" not in frame:
        return group
    ranks = "rank_group:" + frame["rank_group"].astype(object)
    return ranks.where(frame["status"].eq("active")).fillna(group)


def grouped(study: Study, by: str, least: float = 0) -> pd.Series:
    """Groups of at least so many respondents as a Categorical, from the lowest mean income of the household on.

    Several groups, parted by ``|``, are crossed, and so are their codes.
    """
    frame = study.frame
    parts = [(people(frame, study.codebook) if one == "people" else frame[one]).astype(object) for one in by.split("|")]
    group = parts[0].str.cat(parts[1:], sep="|") if len(parts) > 1 else parts[0]
    group = group.where(group.groupby(group).transform("size") >= least)
    order = list(group.dropna().unique())
    with suppress(WelfareError):
        means = income_debt.household_income_dh(study.frame).groupby(group).mean()
        order = sorted(order, key=lambda name: means.get(name, np.inf))
    return group.astype(pd.CategoricalDtype(order))


def package(study: Study, by: str = "people", least: float = 0) -> Package | None:
    """The members of a study before the services that it asked for, by `people` or by a column of places.

    Groups of fewer respondents than ``least`` are left out. None where it asked for fewer than two services, or where
    no group is left.
    """
    if not {"status", *by.split("|")} - {"people"} <= set(study.frame):
        return None
    group = grouped(study, by, least)
    units = lacking(study.frame).where(group.notna())
    some = (units > 0).any(axis=1).groupby(group, observed=True).any()  # a group without any need is in no plan
    group = group.cat.remove_categories([code for code in group.cat.categories if not some.get(code, False)])
    units = units.loc[:, (units > 0).any()]
    if units.shape[1] < 2:
        return None
    part, known = home_share(study.frame), services()
    shares = pd.DataFrame({name: part if known[name].home else 1.0 for name in units}, units.index)
    needs = (units > 0).astype(float).where(units.notna())
    terms = assumed()[["value", "low", "high"]].unstack("term").swaplevel(axis=1).loc[list(units)].astype(float)
    names, weights = study.design.index, pd.Series(1.0, units.columns)
    units, needs = ((table * shares).set_axis(names) for table in (units, needs))
    group = group.rename("group").set_axis(names)
    return Package(units, needs, group, study.design, terms, weights, budget_dh(study.design))


def priorities(study: Study, of: Package) -> pd.Series | None:
    """What a closed need counts (S,) by the mean place of its service in the ranking; 1 for the middle place.

    A service that the ranking does not name counts 1. None where nobody ranked.
    """
    ranked = study.result(ranking, "priority")
    if ranked is None or not ranked.known.any():
        return None
    place = ranked.mean_place().value
    weight = 2 - 2 * place / (len(place) + 1)
    known = services()
    return pd.Series([float(weight.get(known[name].item, 1.0)) for name in of.services], of.services)

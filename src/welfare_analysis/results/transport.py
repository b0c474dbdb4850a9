"""How the active go to work (page 08): modes, times and costs, and what changes of fares, tickets and distance do."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..demand import ownership, transport, worth
from ..demand.modes import TASTES
from ..demand.outcomes import of, outcomes
from ..demand.service import parameter
from ..demand.transport import BLOCK, Commuters
from ..errors import WelfareError
from ..estimation import Estimate, mean, share
from ..estimation.choice import ChoiceFit
from ..estimation.choice.forecast import Forecast
from ..study import Study
from . import choice_models
from .declare import Base, Topic, long_format, sums

FARES = {"fares_10": 0.1, "fares_30": 0.3, "fares_50": 0.5}  # share off
SMALL, MIDDLE = "fares_10", "fares_30"
CHANGES = (*FARES, "ticket", "nearer")
MODELS = ("stated", "pooled", "groups")
COMPARED = ("revealed", "nested")  # models beside the main one; no other number needs them
SHOWN = (*TASTES, "foot_10min", "shuttle", "scale[stated]")
LEVELS = {"minutes": ("commute_min", "door_min", "minutes"), "level_costs": ("commute_cost_dh", "cost_dh", "dh_month")}
FINDINGS = ("transport_shuttle", ("many", "who", "where", "cost", "hours", "changes", "runs", "sure", "rail"))


def commuters_of(study: Study) -> Commuters | None:
    """The active of a study; None where a question that the model needs was not asked."""
    return None if study.lacking((*transport.NEEDED, *transport.CARDS)) else transport.commuters(study)


def ready(people: Commuters) -> str:
    """Whether the models can be had: not separated, not collinear, with a cost that lowers utility."""
    try:
        fits = [people.fit(name) for name in MODELS]
        costs = [fit.value[[n for n in fit.value.index if str(n).startswith("cost_100")]] for fit in fits]
        known = bool(people.market) and all((cost < 0).all() for cost in costs)
    except WelfareError:  # small samples
        known = False
    return "shown" if known else "too_few"


def base(people: Commuters) -> Base:
    """The active, and those of them of whom times and costs are known."""
    return people.known, people.active


topic = Topic("transport", commuters_of, ready, "persons", base, FINDINGS)

for _name, (_reported, _level, _unit) in LEVELS.items():

    @topic.table(_name, "commute_mode", "transport_source", _unit)
    def levels(study: Study, people: Commuters, reported: str = _reported, level: str = _level) -> pd.DataFrame | None:
        """Means of the mode in use, as people report them and as the table has them."""
        if reported not in people.frame:
            return None
        mode = people.frame["commute_mode"]
        table = people.levels.of(people.frame, mode)[level]
        pair = pd.DataFrame({"reported": people.frame[reported].astype(float), "table": table})
        where = people.known & mode.notna() & pair.notna().all(axis=1)
        return long_format(mean(people.design, pair, by=mode, where=where), "transport_source", "commute_mode")


def observed(people: Commuters) -> Estimate:
    """Shares of the modes in use."""
    mode = people.frame["commute_mode"]
    return share(people.design, mode, where=people.active & mode.notna())


def with_users(people: Commuters, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the respondents who use each mode: what a change leaves of a share tells the share of today."""
    users = people.frame.loc[people.active, "commute_mode"].astype(str).value_counts()
    return rows.assign(numerator=rows["commute_mode"].map(users).fillna(0).to_numpy(float))


def changes(study: Study) -> Forecast:
    """`outcomes` of each change of fares, a season ticket and a shorter way, in the calibrated market."""
    people = study.result(commuters_of)
    changed = {name: people.situations(fares=1 - off) for name, off in FARES.items()}
    changed["ticket"] = people.situations(ticket_dh=parameter("season_ticket_dh"))
    changed["nearer"] = people.situations(km=parameter("nearer_share"))
    return outcomes(people.market, people.design, people.today, changed)


@topic.table("shares", "transport_scenario", "commute_mode", "share", adds="commute_mode")
def shares(study: Study, people: Commuters) -> pd.DataFrame:
    """Shares of modes as they are, and after each change given those of today: the model is calibrated to them."""
    after = study.result(changes).part([f"{name}.after" for name in CHANGES])
    rows = long_format(after, "transport_scenario", "commute_mode")
    rows["transport_scenario"] = rows["transport_scenario"].str.removesuffix(".after")
    today = long_format({"base": observed(people)}, "transport_scenario", "commute_mode")
    return with_users(people, pd.concat([today, rows]))


def extra_model(people: Commuters, name: str) -> ChoiceFit | None:
    """A model that others do not need; None where it has no maximum."""
    try:
        return people.fit(name)
    except WelfareError:
        return None


@topic.table("versions", "transport_version", "commute_mode", "share", adds="commute_mode")
def versions(study: Study, people: Commuters) -> pd.DataFrame:
    """Shares observed, and with fares cut by the middle of the range in each model."""
    cut = 1 - FARES[MIDDLE]
    after = {"pooled": of(study.result(changes), MIDDLE, "after")}
    for name in COMPARED:
        fit = extra_model(people, name)
        if fit is not None and not fit.blocked and fit.value["cost_100"] < 0:
            changed = outcomes(fit, people.design, people.today, {MIDDLE: people.situations(fares=cut)})
            after[name] = of(changed, MIDDLE, "after")
    others = {"observed": observed(people), "joint": ownership.long_run(people, cut)}
    rows = [long_format(after, "transport_version", "", "commute_mode"),
            long_format(others, "transport_version", "commute_mode")]  # fmt: skip
    return with_users(people, pd.concat(rows))


@topic.table("fare_elasticity", "commute_mode", unit="elasticity")
def fare_elasticity(study: Study, people: Commuters) -> Estimate:
    """Arc elasticity of each mode whose fare is cut, to its fare, at the smallest cut."""
    forecast, gap = of(study.result(changes), SMALL, "before", "after"), np.log(1 - FARES[SMALL])
    kept = [mode for mode in transport.TICKETS["fares"] if ("after", mode) in forecast.value.index]
    at = forecast.value.index.get_indexer([(end, mode) for end in ("before", "after") for mode in kept])
    ends = sums(forecast, range(len(at)), np.eye(len(forecast.value))[at])

    def slope(v: pd.Series) -> pd.Series:
        before, after = v.to_numpy().reshape(2, -1)
        return pd.Series(np.log(after / before) / gap, index=kept)

    return long_format(ends.apply(slope), "commute_mode")


@topic.table("worth", "income_group", "transport_worth", "dh_hour")
def worth_of_time(study: Study, people: Commuters) -> pd.DataFrame:
    """What an hour is worth on the way to work, and what an hour of work is paid, by income group."""
    values, pay = worth.value_of_time(people)
    made = [long_format(values, "income_group", "").assign(transport_worth="value_of_time")]
    if pay is not None:
        made.append(long_format(pay, "", "income_group").assign(transport_worth="pay_an_hour"))
    rows = pd.concat(made)
    return rows[rows["income_group"] != "unknown"]


@topic.table("tastes", "term", "measure", "decimal", statistic="model")
def tastes(study: Study, people: Commuters) -> pd.DataFrame:
    """Coefficients of the pooled model and of that of modes alone."""
    rows = long_format({name: people.fit(name) for name in ("pooled", "revealed")}, "measure", "term")
    return rows[rows["term"].isin(SHOWN)]


@topic.table("checks", "transport_check", unit="dh_month", statistic="model")
def checks(study: Study, people: Commuters) -> pd.DataFrame:
    """What a minute less is worth by cards and by modes (DH a month), and how alike the shared modes are (lambda)."""
    rows = long_format(worth.time_over_cost(people), "transport_check").assign(unit="dh_month")
    if (fit := extra_model(people, "nested")) is None:
        return rows
    nests = long_format(fit, "transport_check").assign(unit="decimal")
    nests = nests[nests["transport_check"].str.startswith("lambda")]
    return pd.concat([rows, nests.assign(transport_check="lambda")])


def card_model(study: Study) -> ChoiceFit:
    """The model of the cards alone."""
    fit: ChoiceFit = study.result(commuters_of).fit("stated")
    return fit


choice_models.declare(topic, card_model, f"{BLOCK}_alternative", base)

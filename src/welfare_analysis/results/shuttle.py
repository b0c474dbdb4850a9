"""A staff shuttle (page 08): riders, cost, what assumptions decide, need apart from demand.

Whoever knows how many come to one place at one shift knows its strength: no table crosses a shift with anything finer
than a group of commands, and neither runs nor the cost of a rider are released by cell, since with the riders they
would give how many serve there.
"""

from __future__ import annotations

from itertools import product

import pandas as pd

from ..demand import stated
from ..demand.levels import levels
from ..demand.outcomes import pick, totals
from ..demand.service import Service, parameter
from ..demand.shuttle import Offer, Shuttle, car_pool, cells, taken
from ..demand.transport import Commuters
from ..errors import WelfareError
from ..estimation import Estimate, joint, total
from ..estimation.choice.forecast import Forecast
from ..needs import commuting
from ..needs.income_debt import member_income_dh
from ..study import Study, public
from .choice_models import by_access
from .declare import long_format, point, sums
from .transport import CHANGES, changes, commuters_of, topic

FREE = ("nearer", "car_pool")  # nobody is known to bear their cost
YEAR = 12
PRICES, HEADWAYS = (0, 100, 200), (30, 60, 120)
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the constant, from today to the cards
RIDES = ("cost_dh", "walk_min", "window_min", "constant_share")  # assumptions that decide who rides at a headway
RULE = ("seats_n", "load_share", "window_share", "least_riders_n", "members_a_route_n")  # how many runs there are
HEADWAY = "headway_min"  # of the modes of today: what moves riders most; one more costs two fits


def shuttle_of(study: Study) -> Shuttle:
    """The shuttle on the terms of ``data/public/shuttle.csv``."""
    return Shuttle.before(study.result(commuters_of))


def offers(study: Study) -> Forecast:
    """`outcomes` of a shuttle where it pays its way, and of organised car-pools, beside the present way."""
    shuttle = study.result(shuttle_of)
    return shuttle.offer.effect({"shuttle": shuttle.running, "car_pool": car_pool(shuttle.people)})


def riders(study: Study, group: str = "") -> Estimate:
    """Riders where the shuttle pays its way, of all or by a group of the active."""
    shuttle = study.result(shuttle_of)
    if not group:
        return taken(study.result(offers), shuttle.people.active)
    return shuttle.riders(by=of_known(shuttle.people, shuttle.people.frame[group], shuttle.people.active))


def of_known(people: Commuters, group: pd.Series, mask: pd.Series) -> pd.Series:
    """The group of the people of a mask, missing where the commute is known of nobody of it."""
    group = group.where(mask)
    there = group[people.known & people.frame["commute_mode"].notna()].dropna()
    return group.where(group.isin(set(there)))


def effects(study: Study) -> Estimate:
    """What each change and offer does to all the active together, a month."""
    active = study.result(commuters_of).active
    return joint({"market": totals(study.result(changes), active), "offer": totals(study.result(offers), active)})


def saved(study: Study, name: str, factor: float = YEAR, without: tuple[str, ...] = ()) -> Estimate:
    """What each change and offer saves of one of `outcomes.VALUES`, in a year."""
    kinds = dict.fromkeys(CHANGES, "market") | dict.fromkeys(("shuttle", "car_pool"), "offer")
    keys = {c: (kind, f"{c}.saved", name) for c, kind in kinds.items() if c not in without}
    return pick(study.result(effects), keys, factor)


@topic.table("gains", "transport_scenario", "transport_gain", "million_dh")
def gains(study: Study, people: Commuters) -> pd.DataFrame:
    """DH a year that members save, and what somebody bears for it."""
    every = pick(study.result(effects), {"riders": ("offer", "shuttle.after", "shuttle")})
    net = sums(study.result(shuttle_of).net_cost(every), ["shuttle"], [[float(YEAR)]])
    made = {"saved": saved(study, "dh"), "cost": saved(study, "borne_dh", -YEAR, (*FREE, "shuttle"))}
    rows = long_format(made, "transport_gain", "transport_scenario")
    return pd.concat([rows, long_format(net, "transport_scenario").assign(transport_gain="cost")])


@topic.table("hours", "transport_scenario", unit="hours")
def hours(study: Study, people: Commuters) -> pd.DataFrame:
    """Hours saved in a year."""
    return long_format(saved(study, "hours"), "transport_scenario")


@topic.table("takers", "transport_scenario")
def takers(study: Study, people: Commuters) -> pd.DataFrame:
    """How many would leave their present way for a shuttle, or for a car-pool, were each the only offer."""
    kinds = ("shuttle", "car_pool")
    every = pick(study.result(effects), {name: ("offer", f"{name}.after", name) for name in kinds})
    return long_format(every, "transport_scenario")


@topic.table("shuttle", "command_group", "day_part", adds="day_part")
def by_cell(study: Study, people: Commuters) -> pd.DataFrame:
    """Riders by group of commands and part of the day."""
    return long_format(study.result(shuttle_of).riders(by=cells(people)), "command_group", "day_part")


for _name, _group in {"rank": "rank_group", "mode": "commute_mode"}.items():

    @topic.table(f"riders_by_{_name}", _group, adds=_group)
    def by_group(study: Study, people: Commuters, group: str = _group) -> pd.DataFrame:
        """Riders by who they are, or how they come now."""
        return long_format(study.result(riders, group), group)


@topic.table("curve", "transport_fare", "transport_headway")
def curve(study: Study, people: Commuters) -> pd.DataFrame:
    """Riders by fare and headway, wherever it is offered."""
    shuttle, offered = study.result(shuttle_of), {}
    for price, headway in product(PRICES, HEADWAYS):
        at = shuttle.at(cost_dh=float(price))
        offered[f"{price}_{headway}"] = at.at_runs(at.service.window_min / headway)
    every = totals(shuttle.offer.effect(offered), people.active)
    keys = {tuple(name.split("_")): (f"{name}.after", "shuttle") for name in offered}
    return long_format(pick(every, keys), "transport_fare", "transport_headway")


@topic.table("constant", "transport_constant")
def constant(study: Study, people: Commuters) -> pd.DataFrame:
    """Riders with the constant at steps from that of staff transport today to the cards, and of cards alone."""
    shuttle = study.result(shuttle_of)
    runs = shuttle.runs_of_kinds
    offered = {f"{100 * step:.0f}": shuttle.at(constant_share=step).at_runs(runs) for step in STEPS}
    every = totals(shuttle.offer.effect(offered), people.active)
    steps = pick(every, {name: (f"{name}.after", "shuttle") for name in offered})
    alone = taken(shuttle.offer.on_cards(offered["100"]), people.active, "cards")
    return pd.concat([long_format(estimate, "transport_constant") for estimate in (steps, alone)])


@topic.table("realised", "transport_realisation")
def realised(study: Study, people: Commuters) -> pd.DataFrame:
    """Riders if a part of those of the headline keeps to it."""
    parts = public("transport_realisation")
    return long_format(
        sums(study.result(riders), parts["factor"], parts[["value"]].to_numpy(float)), "transport_realisation"
    )


@topic.table("cells", "home_cell")
def access(study: Study, people: Commuters) -> pd.DataFrame:
    """Stated x eligible x affordable: would ride, is served, can pay the fare out of a part of pay."""
    shuttle, pay = study.result(shuttle_of), member_income_dh(people.frame)
    eligible = shuttle.eligible
    able = (shuttle.service.cost_dh <= parameter("fare_share_most") * pay).astype("boolean").mask(pay.isna())
    known = people.active & eligible.notna()
    by = [stated.yes_no(c, name).where(known) for c, name in ((eligible, "eligible"), (able, "affordable"))]
    every = totals(shuttle.offer.effect({"all": shuttle.everywhere}, by), known, by)
    return long_format(by_access(pick(every, {key[1:]: key for key in every.value.index if key[0] == "all.after"}),
                                 "shuttle"), "home_cell")  # fmt: skip


@topic.table("need", "command_group", "transport_need")
def need(study: Study, people: Commuters) -> pd.DataFrame:
    """Need, who cannot come at shift hours, apart from demand, who would ride, and how many are in both."""
    group, shuttle = people.frame["command_group"].where(people.active), study.result(shuttle_of)
    flags = pd.DataFrame({"out_of_reach": commuting.out_of_reach(people.frame),
                          "no_way": commuting.no_way_to_come(people.frame)})  # fmt: skip
    needing = total(people.design, flags, by=group, where=people.active, missing="mean")
    rows = long_format(needing, "transport_need", "command_group")
    met = flags[people.active].fillna(False).astype(float).groupby(group.astype(object)).sum().stack()
    codes = zip(rows["command_group"], rows["transport_need"], strict=True)
    made = [rows.assign(numerator=met.loc[list(codes)].to_numpy())]
    without = flags["no_way"].fillna(False).astype(bool)
    for name, mask in (("riders", people.active), ("riders_no_way", people.active & without)):
        riding = shuttle.riders(by=of_known(people, group, mask), where=mask)
        made.append(long_format(riding, "command_group").assign(transport_need=name))
    return pd.concat(made)


@topic.table("tornado", "transport_assumption", "home_end")
def tornado(study: Study, people: Commuters) -> pd.DataFrame:
    """Riders with each assumption at the ends of its range, in the greatest equilibrium there."""
    shuttle, known, ends = study.result(shuttle_of), float(people.known.sum()), ("low", "high")
    at = {(name, end): shuttle.at(**{name: parameter(name, end)}) for name, end in product((*RIDES, *RULE), ends)}
    try:
        for end in ends:  # the model is fitted anew
            moved = Shuttle(Offer(people.at(levels(end, HEADWAY)), "shuttle"), Service.named())
            moved.people.fit("pooled")
            at[HEADWAY, end] = moved
    except WelfareError:  # without a maximum at an end
        at = {key: one for key, one in at.items() if key[0] != HEADWAY}
    return pd.concat(
        [point(one.riders_point, known, transport_assumption=name, home_end=end) for (name, end), one in at.items()]
    )

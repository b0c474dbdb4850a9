"""Transport between towns, health, education, sport, leisure, priorities and satisfaction."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .conditions import yes_no
from .draws import Draws, added, asked
from .household import BANDS

LEVELS = ("preschool", "primary", "secondary", "higher")
LATEST = ["social_works_use", "social_works_why_not"]  # from a stream of their own: see `social_works`


def transport(f: pd.DataFrame, d: Draws) -> pd.DataFrame:
    """Add public transport at shift hours, wishes, trips between towns (fewer where they cost more), trips to services.

    Trips are negative binomial: E[trips] = exp(a + e log(cost / median) + slopes), e = ``intercity_price_elasticity``.
    """
    p, active = d.p, d.x["active"].to_numpy() == 1
    old = d.x[["retired", "widow"]].sum(axis=1).to_numpy() == 1
    km = d.amount("intercity_km")
    cost = 2 * km * p["intercity_fare_dh_km"] * np.exp(d.rng.normal(0, p["intercity_fare_log_sd"], len(f)))
    dearer = p["intercity_price_elasticity"] * np.log(cost / np.median(cost))
    return added(
        f,
        transit_at_shift=d.code("transit", p.codes("transit"), active),
        intercity_trips_n=d.count("intercity_trips_n", lift=dearer).clip(0, 200),
        intercity_cost_dh=(cost / 10).round().clip(1, 500) * 10,
        trip_price_dh=cost,  # also of those who make no trip and so are not asked
        intercity_mode=d.code("intercity_mode", p.codes("intercity_mode")),
        service_trips_n=d.count("service_trips_n", old).clip(0, 60),
        service_trip_mode=d.code("service_trip", p.codes("commute_mode"), old),
        **_wishes(f, d, "transport_wish"),
    )  # fmt: skip


def _wishes(f: pd.DataFrame, d: Draws, group: str) -> dict[str, np.ndarray]:
    """Every item of a multiple choice, as yes or no."""
    items = [f"{group}_{code}" for code in d.p.members(group)]
    return {item: yes_no(d.yes(item, asked(f, d.p, item))) for item in items}


def family(f: pd.DataFrame, d: Draws) -> pd.DataFrame:
    """Add health, pupils by level (never more than children of that age, an orphan's own place apart), and wishes."""
    p, rng, n = d.p, d.rng, len(f)
    orphan, age = d.x["orphan"].to_numpy() == 1, f["age"].to_numpy()
    pupils, own = [], np.searchsorted([6, 12, 18], age, side="right")
    for i, (level, band) in enumerate(zip(LEVELS, BANDS, strict=True)):
        children = (f[f"dependants_{band}_n"].to_numpy() + (orphan & (own == i) & (age < 25))).astype(int)
        pupils.append(rng.binomial(children, p[f"{level}_share"]))
    cost = sum(p[f"{level}_cost_dh"] * n for level, n in zip(LEVELS, pupils, strict=True))
    cost = cost * np.exp(d.slopes("schooling_dh") + rng.normal(0, p["schooling_log_sd"], n))
    chronic = np.minimum(d.count("chronic_n"), f["household_size_n"].to_numpy())
    return added(
        f,
        uncovered_cost_dh=d.yes("uncovered_cost", lift=0.5 * chronic) * d.amount("uncovered_cost_dh", 50.0),
        chronic_n=chronic, care_forgone=yes_no(d.yes("care_forgone", lift=p["care_forgone_chronic"] * chronic)),
        health_cover=yes_no(d.yes("health_cover", d.x["active"].to_numpy() == 0)),
        **{f"{level}_n": n * 1.0 for level, n in zip(LEVELS, pupils, strict=True)},
        schooling_dh=(cost / 50).round() * 50, **_wishes(f, d, "education_wish"),
        training_wish=d.code("training", p.codes("training"), d.x["active"].to_numpy() == 1),
        **_ranks(d, "health_rank"),
    )  # fmt: skip


def _ranks(d: Draws, group: str) -> dict[str, np.ndarray]:
    codes = d.p.members(group)
    return dict(zip([f"{group}_{code}" for code in codes], d.ranking(group, codes).T, strict=True))


def leisure(f: pd.DataFrame, d: Draws) -> pd.DataFrame:
    """Add sport, social promotion, summer holidays (nothing is wanted nowhere), priorities and satisfaction.

    Satisfaction has one factor, lower for the crowded, the indebted and those with a long way to work.
    """
    p, n = d.p, len(f)
    centre = d.code("holiday_centre", p.codes("holiday_centre"))
    away = centre != "none"
    weeks = (1 + d.count("holiday_more_weeks_n")).clip(0, 8)
    persons = np.minimum(1 + d.rng.binomial(f["household_size_n"].astype(int) - 1, p["holiday_joins_share"]), 20)
    school = (f["dependants_6_11_n"] + f["dependants_12_17_n"]).astype(int).clip(0, 10)
    mood = d.slopes("mood") + p["mood_half_hour_effect"] * (f["commute_min"].fillna(30) - 30) / 30
    mood = (mood + d.rng.normal(size=n)).to_numpy()
    mood, names = (mood - mood.mean()) / mood.std(), [f"satisfied_{q}" for q in p.members("satisfied")]
    satisfied = {q: d.scale(q, mood, p.codes("satisfaction"), asked(f, p, q)) for q in names}
    return added(
        f,
        **_wishes(f, d, "sport_wish"), **_wishes(f, d, "promotion"),
        holiday_centre=centre, holiday_weeks_n=weeks * away, holiday_persons_n=persons * 1.0 * away,
        holiday_budget_dh=d.amount("holiday_budget_dh", 50.0).clip(0, 20000) * away,
        camp_children_n=d.rng.binomial(school, p["camp_joins_share"]) * 1.0, **_ranks(d, "priority"), **satisfied,
        consequential=d.code("consequential", p.codes("consequence")),
    )  # fmt: skip


STAGES = (transport, family, leisure)


def social_works(f: pd.DataFrame, d: Draws) -> pd.DataFrame:
    """Add who was ever served by the social works, and why those who never were: what is not known, asked or obtained.

    Those of far places, the young and women are reached less, widows and the higher ranks more.
    """
    use, why = LATEST
    used = d.code(use, d.p.codes(use))
    return added(f, **{use: used, why: d.code(why, d.p.codes(why), used == "never")})

"""The people of the stand-in: register columns, household and income."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit

from .chance import noise
from .parameters import Parameters

REGISTER = ["person_id", "status", "sex", "age", "rank", "command"]
STATUSES = ["active", "retired", "widow", "orphan"]
EARNED = {"net_pay_dh": (500, 60000), "pension_dh": (100, 40000), "other_income_dh": (0, 60000)}  # bounds of the form
GROUPS = ["guards", "inspectors", "officers", "senior"]


def people(p: Parameters, rng: np.random.Generator, size: int | None) -> pd.DataFrame:
    """Draw register columns, seniority, household and income of everybody (`size` scales all four statuses)."""
    counts = np.array([p[f"{status}_n"] for status in STATUSES])
    if size is not None:
        counts = counts * size / counts.sum()
    counts = np.diff(np.round(np.r_[0, counts.cumsum()])).astype(int)
    status = np.repeat(np.array(STATUSES, dtype=object), counts)
    status = status[rng.permutation(len(status))]
    digits = max(6, len(f"{len(status)}") + 1)  # a zero comes first: no key looks like the number of an identity card
    keys = [f"M{i:0{digits}d}" for i in range(1, len(status) + 1)]
    frame = pd.DataFrame({"person_id": keys, "status": status})
    frame = _sex_age(frame, p, rng)
    frame["rank"] = _rank(frame, p, rng)
    places = p.territory["share_of_staff"]
    frame["command"] = rng.choice(places.index.to_numpy(object), len(frame), p=places / places.sum())
    frame["command_group"] = p.territory["command_group"].reindex(frame["command"]).to_numpy()
    frame["rank_group"] = p.ranks["rank_group"].reindex(frame["rank"]).to_numpy()
    frame["dear"] = p.territory["dear"].reindex(frame["command"]).to_numpy()
    return _income(_household(frame, p, rng), p, rng)


def _sex_age(frame: pd.DataFrame, p: Parameters, rng: np.random.Generator) -> pd.DataFrame:
    n, status = len(frame), frame["status"].to_numpy()
    of = [status == s for s in STATUSES]
    women = np.select(of, [p["women_share"], p["retired_women_share"], 1.0, p["orphan_women_share"]])
    low, end = p["active_age_low"], p["retirement_age"]
    at, spread = (p["active_age_mean"] + 0.5 - low) / (end - low), p["active_age_concentration"]  # ages are floored
    active = low + (end - low) * rng.beta(at * spread, (1 - at) * spread, n)
    early = rng.random(n) < p["retired_early_share"]
    mean_years = p["retired_years_mean"]
    retired = end + rng.gamma(2, mean_years / 2, n) - early * (mean_years + rng.uniform(0, 3, n))
    widow = rng.normal(p["widow_age_mean"], p["widow_age_sd"], n).clip(24, 98)
    orphan = rng.normal(p["orphan_age_mean"], p["orphan_age_sd"], n).clip(5, 27)
    age = np.select(of, [active.clip(low, end - 0.01), retired.clip(45, 100), widow, orphan])
    entry = low + rng.exponential(p["entry_age_spread"], n).clip(max=15)
    seniority = np.floor((active - entry).clip(0, 40))
    return frame.assign(sex=np.where(rng.random(n) < women, "f", "m"), age=np.floor(age), seniority_years=seniority)


def _rank(frame: pd.DataFrame, p: Parameters, rng: np.random.Generator) -> np.ndarray:
    """Group by sorting on a score that rises with age; rank within it by seniority and luck."""
    n, status = len(frame), frame["status"].to_numpy()
    rank = np.empty(n, dtype=object)
    shares = np.array([p[f"{group}_share"] for group in GROUPS])
    shares = shares / shares.sum()
    career = np.where(status == "active", frame["seniority_years"], p["pension_seniority_years"])
    climb = career + rng.normal(0, p["rank_seniority_noise"], n)
    ability = rng.gumbel(size=n) + np.where(status == "active", p["rank_age_slope"] * frame["age"], 0)
    for own in (status == "active", status != "active"):
        rows = np.flatnonzero(own)
        order = rows[np.argsort(-ability[rows])]
        cuts = np.round(np.array([shares[3], shares[3] + shares[2]]) * len(rows)).astype(int)
        rest = rng.permutation(order[cuts[1] :])
        third = round(len(rest) * shares[1] / (shares[0] + shares[1]))
        members = {"senior": order[: cuts[0]], "officers": order[cuts[0] : cuts[1]]}
        members |= {"inspectors": rest[:third], "guards": rest[third:]}
        lift = 1.0 if own[rows[0]] else p["retired_rank_lift"]
        for group, inside in members.items():
            share = p.ranks.loc[p.ranks["rank_group"] == group, "share_of_active"]
            weight = share.to_numpy() * lift ** np.arange(len(share))
            edges = np.round(weight.cumsum()[:-1] / weight.sum() * len(inside)).astype(int)
            for code, held in zip(share.index, np.split(inside[np.argsort(climb[inside])], edges), strict=True):
                rank[held] = code
    return rank


def _household(frame: pd.DataFrame, p: Parameters, rng: np.random.Generator) -> pd.DataFrame:
    n, status, age = len(frame), frame["status"].to_numpy(), frame["age"].to_numpy()
    ever = rng.random(n) < expit((age - p["marriage_age"]) / p["marriage_age_scale"])
    luck, retired = rng.random(n), status == "retired"
    ever = np.where(retired, rng.random(n) >= p["retired_single_share"], ever)
    lost = np.where(retired, p["retired_widowed_share"], p["widowed_share"])
    cases = [status == "widow", status == "orphan", ~ever, luck < lost, luck < lost + p["divorced_share"]]
    marital = np.select(cases, ["widowed", "single", "single", "widowed", "divorced"], "married").astype(object)
    growing = (p["children_growth"] * (age - p["marriage_age"] + 2)).clip(0.1, p["children_mean"])
    leaving_from = np.where(status == "widow", 60, p["retirement_age"])
    at_start = np.where(status == "widow", p["widow_children_mean"], p["retired_children_mean"])
    leaving = at_start * np.exp(-p["children_decay"] * (age - leaving_from).clip(-12, None))
    children = rng.poisson(np.where(status == "active", growing, leaving)) * (marital != "single")
    alone = [p["orphan_others_mean"], p["single_others_mean"]]
    kin = np.select([status == "orphan", marital == "single"], alone, p["others_mean"])
    size = (1 + (marital == "married") + children + rng.poisson(kin)).clip(1, 18) * 1.0
    return frame.assign(marital_status=marital, children_n=children.clip(0, 12) * 1.0, household_size_n=size)


def _income(frame: pd.DataFrame, p: Parameters, rng: np.random.Generator) -> pd.DataFrame:
    """Net pay = entry pay of the rank x (1 + growth x seniority); pensions are lognormal parts of a last pay."""
    n, status = len(frame), frame["status"].to_numpy()
    entry = p.ranks["net_pay_dh"].reindex(frame["rank"]).to_numpy() * p["pay_scale"]
    growth = p.ranks["pay_growth"].reindex(frame["rank"]).to_numpy()
    pay = entry * (1 + growth * frame["seniority_years"].to_numpy()) * noise(rng, n, p["pay_noise"])
    part = p["pension_fraction_median"] * noise(rng, n, p["pension_fraction_log_sd"])
    survivors = [p["widow_pension_share"], p["orphan_pension_share"]]
    part = part.clip(max=1.0) * np.select([status == "widow", status == "orphan"], survivors, 1.0)
    pension = entry * (1 + growth * p["pension_seniority_years"]) * part
    # The floor is the lowest pension heard in public; survivors' parts of it may lie below.
    pension = pension.clip(np.where(status == "retired", 1.0, p["widow_pension_share"]) * p["pension_floor_dh"])
    has_other = rng.random(n) < np.where(status == "orphan", 0, p["other_income_share"])
    other = has_other * p["other_income_median_dh"] * noise(rng, n, p["other_income_log_sd"])
    income = np.where(status == "active", pay, pension)
    # An orphan lives at the level of the surviving parent, not of the own part of the pension.
    level = income * np.where(status == "orphan", p["widow_pension_share"] / p["orphan_pension_share"], 1.0)
    earned = {"net_pay_dh": pay, "pension_dh": pension, "other_income_dh": other}
    said = {name: amount.round(-1).clip(*EARNED[name]) for name, amount in earned.items()}
    return frame.assign(**said, income_dh=income, log_income=np.log(level) - np.log(level).mean())

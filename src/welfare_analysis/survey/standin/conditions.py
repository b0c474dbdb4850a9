"""How the people of the stand-in live: home, wishes, debt and the way to work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from .chance import choose, happens, noise, probability
from .parameters import Parameters
from .population import GROUPS

MODES = ["walk", "bus", "tram", "grand_taxi", "petit_taxi", "two_wheeler", "car", "staff_transport"]


def linear(p: Parameters, question: str, **covariates: Any) -> Any:
    """Sum of covariates, each times its slope, in their order."""
    return sum(p[f"{question}_{name}_slope"] * values for name, values in covariates.items())


def yes_no(flag: np.ndarray) -> np.ndarray:
    """Codes yes and no of a boolean array."""
    return np.array(["no", "yes"], dtype=object)[np.asarray(flag).astype(int)]


def housing(f: pd.DataFrame, p: Parameters, rng: np.random.Generator) -> pd.DataFrame:
    """Add tenure, dwelling, rooms, facilities, rent and charges."""
    n, zero = len(f), np.zeros(len(f))
    pay, age, status = f["log_income"].to_numpy(), f["age"].to_numpy(), f["status"].to_numpy()
    step = f["rank_group"].map({g: i for i, g in enumerate(GROUPS)}).to_numpy(dtype=float)
    single = (f["marital_status"] == "single").to_numpy()
    dear = f["dear"].to_numpy() - 1
    eta = np.column_stack([
        linear(p, "owner", age=np.where(status == "orphan", 0, age - 40), pay=pay), p["tenant_dear_slope"] * dear,
        linear(p, "service", rank=step, active=status == "active"), p["family_single_slope"] * single, zero,
    ])  # fmt: skip
    tenures = ["owner", "tenant", "service", "family", "other"]
    shares = [p[f"{t}_share"] for t in tenures[:4]] + [p["other_tenure_share"]]
    tenure = choose(rng, eta, shares, tenures)
    rented, owned, slope = tenure == "tenant", tenure == "owner", p["dwelling_pay_slope"]
    eta = np.column_stack([zero, zero, slope * pay, -slope * pay + p["room_tenant_slope"] * rented, -slope * pay])
    kinds = ["house", "villa", "room", "precarious"]
    shares = [p[f"{k}_share"] for k in kinds]
    dwelling = choose(rng, eta, [1 - sum(shares), *shares], ["apartment", *kinds])
    size = np.log(f["household_size_n"].to_numpy() / p["household_size_mean"])
    rooms = p["rooms_mean"] * np.exp(linear(p, "rooms", pay=pay, dear=dear, household=size, owner=owned - owned.mean()))
    rooms = np.where(dwelling == "room", 1, 1 + rng.poisson((rooms - 1).clip(0))).clip(1, 12)
    poor = p["facility_poor_slope"] * np.isin(dwelling, ["room", "precarious"])
    rent = p["rent_anchor_dh"] * f["dear"] * noise(rng, n, p["rent_log_sd"])
    rent = rent * np.exp(p["rent_pay_slope"] * pay + p["rent_rooms_slope"] * np.log(rooms / p["rooms_mean"]))
    charges = p["charges_base_dh"] + p["charges_person_dh"] * f["household_size_n"]
    return f.assign(
        tenure=tenure, dwelling=dwelling, rooms_n=rooms * 1.0,
        own_kitchen=yes_no(happens(rng, poor, p["own_kitchen_share"])),
        own_bathroom=yes_no(happens(rng, poor, p["own_bathroom_share"])),
        rent_dh=rent.round(-1).clip(200, 20000),
        housing_charges_dh=(charges * noise(rng, n, p["charges_log_sd"])).round(-1).clip(0, 10000),
        crowded=f["household_size_n"] > p["crowded_persons_a_room"] * rooms,
    )  # fmt: skip


def wishes(f: pd.DataFrame, p: Parameters, rng: np.random.Generator) -> pd.DataFrame:
    """Add the home that is wanted: whether, price band shifted by income, financing and city."""
    n, pay, status = len(f), f["log_income"].to_numpy(), f["status"].to_numpy()
    orphan, own = status == "orphan", f["tenure"] == "owner"
    age = np.where(orphan, 0, f["age"] - 40)
    eta = linear(p, "wants_home", owner=own, crowded=f["crowded"], age=age, orphan=orphan).to_numpy()
    together = p["budget_pay_correlation"]
    rise = ndtr(together * pay / pay.std() + np.sqrt(1 - together**2) * rng.normal(size=n))
    bands = np.array([p[f"price_band_{i}_share"] for i in range(1, 6)]).cumsum()
    edges = [p[f"price_edge_{i}_dh"] for i in range(6)]
    budget = np.interp(rise, np.r_[0, bands / bands[-1]], edges)
    ways = ["own_funds", "bank_loan", "mixed", "cooperative"]
    slopes = np.zeros((n, 4))
    slopes[:, 1] = p["financing_bank_pay_slope"] * pay
    return f.assign(
        wants_home=yes_no(happens(rng, eta, p["wants_home_share"])),
        home_budget_dh=(budget / 5000).round() * 5000,
        home_financing=choose(rng, slopes, [p[f"financing_{w}_share"] for w in ways], ways),
        home_city=_city(f, p, rng),
    )


def _city(f: pd.DataFrame, p: Parameters, rng: np.random.Generator) -> np.ndarray:
    """Own command, another of the own zone, or another zone; by share of staff among those open."""
    zone, own = f["command_group"].to_numpy(), f["command"].to_numpy()
    stays = rng.random(len(f)) < p["own_group_city_share"]
    city = own.astype(object)
    moves_near = stays & (rng.random(len(f)) >= p["own_command_city_share"])
    for group, inside in p.territory.groupby("command_group"):
        outside = p.territory.drop(index=inside.index)
        for rows, open_ in ((moves_near & (zone == group), inside), (~stays & (zone == group), outside)):
            share = open_["share_of_staff"] / open_["share_of_staff"].sum()
            city[rows] = rng.choice(open_.index.to_numpy(object), rows.sum(), p=share)
    return city


def debt(f: pd.DataFrame, p: Parameters, rng: np.random.Generator) -> pd.DataFrame:
    """Add loans: a mixture for the debt service (below, inside, above 20-40 % of pay), then stock and arrears."""
    n, status, pay = len(f), f["status"].to_numpy(), f["log_income"].to_numpy()
    active, orphan, children = status == "active", status == "orphan", f["children_n"].to_numpy()
    eta = linear(p, "indebted", pay=pay, active=active, orphan=orphan, children=children)
    has = happens(rng, eta, p["indebted_share"])
    low, high = p["debt_service_core_low"], p["debt_service_core_high"]
    core = low + (high - low) * rng.beta(1, p["debt_service_core_shape"], n)
    luck, above = rng.random(n), p["debt_service_above_share"]
    under = rng.uniform(p["debt_service_bottom"], low, n)
    over = rng.uniform(high, p["debt_service_top"], n)
    service = np.select([luck < above, luck < above + p["debt_service_core_share"]], [over, core], under)
    home = (f["tenure"] == "owner").to_numpy() & (rng.random(n) < p["housing_loan_owner_share"])
    files = (1 + rng.poisson(p["loans_mean"] - 1, n)).clip(max=10)
    part = home * rng.beta(10 * p["housing_loan_part"], 10 * (1 - p["housing_loan_part"]), n)
    part = np.where(home & (files == 1), 1.0, part)  # one file is one loan: no consumer loan beside it
    paid = service * f["income_dh"].to_numpy()
    stock = paid * ((1 - part) * p["consumer_debt_months"] + part * p["housing_debt_months"])
    stock = stock * noise(rng, n, p["debt_log_sd"])
    stock = stock * p["debt_outstanding_mean_dh"] / stock[has].mean()
    late = probability((p["arrears_service_slope"] * service)[has], p["arrears_share"])
    arrears = np.zeros(n, dtype=bool)
    arrears[has] = rng.random(int(has.sum())) < late
    return f.assign(
        has_loan=yes_no(has), loans_n=files * 1.0,
        consumer_deduction_dh=(paid * (1 - part)).round(-1).clip(0, 30000),
        housing_deduction_dh=(paid * part).round(-1).clip(0, 30000),
        debt_outstanding_dh=stock.round(-2).clip(0, 3e6),
        arrears=yes_no(arrears),
    )  # fmt: skip


def commute(f: pd.DataFrame, p: Parameters, rng: np.random.Generator) -> pd.DataFrame:
    """Add cars, shift, distance, mode, minutes and cost of the way to work (shares hold among active staff)."""
    active = (f["status"] == "active").to_numpy()
    cars = happens(rng, p["car_pay_slope"] * f["log_income"].to_numpy(), p["car_share"])
    cars_n = cars * (1.0 + (rng.random(len(f)) < p["second_car_share"]))
    w = f[active]
    n, dear, drives = len(w), w["dear"].to_numpy(), cars[active]
    zero = np.zeros(n)
    senior = p["shift_senior_slope"] * (w["rank_group"] == "senior").to_numpy()
    shifts = ["day", "rotating", "night"]
    eta = np.column_stack([zero, senior, senior])
    shift = choose(rng, eta, [p[f"shift_{s}_share"] for s in shifts], shifts)
    near = p["km_service_slope"] * (w["tenure"] == "service").to_numpy()
    km = p["km_median"] * np.exp(p["km_dear_slope"] * (dear - 1) + near) * noise(rng, n, p["km_log_sd"])
    km = km.round(1).clip(0.2, 60)
    eta = np.column_stack([
        p["mode_walk_km_slope"] * km, zero,
        np.where(w["command"] == "rabat", 0.0, -np.inf),  # the only tram that ran in autumn 2012
        p["mode_grand_taxi_km_slope"] * km, p["mode_petit_taxi_km_slope"] * km,
        p["mode_two_wheeler_km_slope"] * km, p["mode_car_owned_slope"] * (drives - 1.0), zero,
    ])  # fmt: skip
    mode = choose(rng, eta, [p[f"mode_{m}_share"] for m in MODES], MODES)
    at = pd.Series(mode)
    speed = at.map({m: p[f"speed_{m}_km_h"] for m in MODES}).to_numpy()
    wait = at.map({m: p[f"wait_{m}_min"] for m in MODES}).to_numpy()
    minutes = (wait + 60 * km / speed) * noise(rng, n, p["minutes_log_sd"])
    weights = np.array([p[f"days_{d}_share"] for d in (4, 5, 6, 7)])
    days = rng.choice([4.0, 5.0, 6.0, 7.0], n, p=weights / weights.sum())
    by_km = {"car": p["fare_car_dh_km"], "two_wheeler": p["fare_two_wheeler_dh_km"]}
    trip = at.map({m: p[f"fare_{m}_dh"] for m in MODES if m not in by_km} | dict.fromkeys(by_km, 0.0)).to_numpy()
    trip = trip + at.map({m: by_km.get(m, 0.0) for m in MODES}).to_numpy() * km
    columns = {
        "shift": shift, "commute_mode": mode, "commute_km": km, "commute_min": minutes.round().clip(1, 240),
        "commute_cost_dh": (2 * days * p["weeks_a_month"] * trip).round(-1).clip(0, 5000), "commute_days_n": days,
    }  # fmt: skip
    own = pd.DataFrame(columns, index=w.index).reindex(f.index)
    return pd.concat([f.assign(cars_n=cars_n), own], axis=1)

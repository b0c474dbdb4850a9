"""What a form says about a person: which questions are asked, and how the answers differ from the truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from ..codebook import Codebook
from .chance import noise
from .draws import added
from .parameters import Parameters
from .population import EARNED, REGISTER

FAMILY = ["marital_status", "children_n", "household_size_n", "seniority_years"]
HOUSING = ["tenure", "dwelling", "rooms_n", "own_kitchen", "own_bathroom", "rent_dh", "housing_charges_dh"]
HOUSING += ["wants_home", "home_budget_dh", "home_financing", "home_city"]
DEBT = ["net_pay_dh", "pension_dh", "other_income_dh", "has_loan", "loans_n", "consumer_deduction_dh"]
DEBT += ["housing_deduction_dh", "debt_outstanding_dh", "arrears"]
COMMUTE = ["cars_n", "shift", "commute_mode", "commute_km", "commute_min", "commute_cost_dh", "commute_days_n"]
EARLIER = [*REGISTER, *FAMILY, *HOUSING, *DEBT, *COMMUTE]
MONEY = [name for name in EARLIER if name.endswith("_dh")]
DOES_NOT_KNOW, REFUSED = -98.0, -99.0


def route(frame: pd.DataFrame, codebook: Codebook, modules: bool = True) -> pd.DataFrame:
    """Blank what is not asked, by the answers of the same row; columns in the order of the form.

    Without `modules` a question that only a module asks is answered by everybody, as in the truth.
    """
    columns: dict[str, pd.Series] = {}
    asked: dict[str, pd.Series] = {"": pd.Series(True, index=frame.index)}
    for name, rule in codebook.variables["asked_if"].items():
        if rule not in asked:  # its gates stand before it
            gates = {n: c for n, c in columns.items() if modules or n != "module"}
            asked[rule] = codebook.asked(str(name), gates, frame.index).fillna(False).astype(bool)
        columns[str(name)] = frame[name].where(asked[rule]) if rule else frame[name]
    return pd.DataFrame(columns)


def report(latent: pd.DataFrame, p: Parameters, rng: np.random.Generator, version: str) -> pd.DataFrame:
    """Return the earlier questions: the truth (plain), with errors and gaps (rich), or with need overstated as well."""
    if version == "plain":
        return latent[EARLIER]
    said = _overstate(latent, p, rng) if version == "strategic" else latent
    said = _round(_mistake(said, p, rng), p, rng)
    return gaps(said, p, rng, MONEY, [n for n in EARLIER if n not in REGISTER and n not in MONEY])[EARLIER]


def strategists(n: int, p: Parameters, rng: np.random.Generator) -> np.ndarray:
    """Who overstates (boolean, n)."""
    return rng.random(n) < p["strategic_share"]


def _overstate(f: pd.DataFrame, p: Parameters, rng: np.random.Generator) -> pd.DataFrame:
    who = strategists(len(f), p, rng)
    return f.assign(
        rooms_n=(f["rooms_n"] - who).clip(lower=1),
        rent_dh=f["rent_dh"].where(~who, (f["rent_dh"] * p["strategic_rent_factor"]).round(-1)).clip(upper=20000),
        wants_home=f["wants_home"].where(~who, "yes"),
    )


def _mistake(f: pd.DataFrame, p: Parameters, rng: np.random.Generator) -> pd.DataFrame:
    error = np.exp(p["income_error_bias"]) * noise(rng, len(f), p["income_error_log_sd"])
    return f.assign(**{name: (f[name] * error).round(-1).clip(*bounds) for name, bounds in EARNED.items()})


def _round(f: pd.DataFrame, p: Parameters, rng: np.random.Generator) -> pd.DataFrame:
    """Heap amounts, and minutes and long distances to 5; never to zero."""
    rounded = heaped(f, p, rng, MONEY)
    minutes, km = f["commute_min"], f["commute_km"]
    at_five = rng.random(len(f)) < p["minutes_heap_share"]
    rounded["commute_min"] = minutes.where(~at_five, ((minutes / 5).round() * 5).clip(lower=5)).to_numpy()
    far = (rng.random(len(f)) < p["km_heap_share"]) & (km >= 10)
    rounded["commute_km"] = km.where(~far, (km / 5).round() * 5).to_numpy()
    return added(f, **rounded)


def heaped(f: pd.DataFrame, p: Parameters, rng: np.random.Generator, names: list[str]) -> dict[str, np.ndarray]:
    """Amounts heaped to 50, 100 or 500 DH, by a habit drawn for each; never to zero."""
    habits = np.array([p["heap_50_share"], p["heap_100_share"], p["heap_500_share"]]).cumsum()
    steps = np.array([50.0, 100.0, 500.0, 10.0])
    heaps = {}
    for name in names:
        step, value = steps[(rng.random((len(f), 1)) > habits).sum(axis=1)], f[name].to_numpy(dtype=float)
        step = np.where((step == 500) & (value < p["heap_500_from_dh"]), 100, step)
        rounded = np.round(value / step) * step
        heaps[name] = np.where((rounded > 0) & (value >= 200), rounded, value)
    return heaps


def gaps(f: pd.DataFrame, p: Parameters, rng: np.random.Generator, money: list[str], others: list[str]) -> pd.DataFrame:
    """Money items are refused, not known or skipped, more by senior ranks; other items are skipped at times."""
    senior = np.log(p["money_missing_or_senior"]) * (f["rank_group"] == "senior").to_numpy()
    chance = expit(logit(p["money_missing_share"]) + senior)
    refused, unknown = p["money_refused_part"], p["money_unknown_part"]
    blanks = {}
    for name in money:
        kind = rng.random(len(f))
        said = np.select([kind < refused, kind < refused + unknown], [REFUSED, DOES_NOT_KNOW], np.nan)
        blanks[name] = f[name].where(rng.random(len(f)) >= chance, pd.Series(said, index=f.index))
    for name in others:
        blanks[name] = f[name].where(rng.random(len(f)) >= p["other_missing_share"])
    return added(f, **blanks)

"""Tables that no respondent is in: public figures, assumptions, stored results of long simulations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from ..demand import scenarios
from ..demand.credit import Terms
from ..demand.housing import BOUGHT
from ..demand.loans import assumed
from ..demand.scenarios import offer
from ..demand.service import LOW_IS_GOOD, break_even
from ..disclosure import Lazy, Released, document
from ..needs import commuting, housing, income_debt
from ..study import DATA, Study, public
from ..survey import quality
from . import coverage, homes, instrument
from .loans import RATES
from .shuttle import FARES

SURVEY = DATA / "survey"
ERRORS = {"loans": ("loan_validation.csv", "loan_number"), "homes": ("demand_validation.csv", "home_number")}
ERRORS["transport"] = ("transport_validation.csv", "transport_number")
ASSUMPTIONS = {"replacement_share": "share", "stress_points": "rate_points", "old_rate": "share"}
ASSUMPTIONS |= {"funding_rate": "share", "running_cost_share": "share"}
BREAK_EVEN = {"needed": "riders", "needed_low": "riders", "needed_high": "riders", "seats": "number"}
BREAK_EVEN["share_covered"] = "share"


def errors(name: str) -> Released:
    """How far numbers are from the truth of generated populations, by how well people answer."""
    file, key = ERRORS[name]
    stored = pd.read_csv(SURVEY / file).rename(columns={"number": key, "persons": "population"})
    if "terms" in stored:
        stored = stored[(stored["terms"] == homes.TERMS[homes.BASE]) & (stored[key] != "stay")].reset_index(drop=True)
    stored["error"], stored["se_of_truth"] = stored["error"] / stored["truth"], stored["mean_se"] / stored["truth"]
    keys = ["version", key]
    long = stored.melt(keys, ["error", "se_of_truth", "coverage", "samples", "population"], "measure", "estimate")
    units = long["measure"].map({"samples": "number", "population": "number"}).fillna("share")
    return document(f"{name}_errors", long.assign(unit=units), keys, "measure")


def home_prices() -> Released:
    """What the homes that are offered cost."""
    prices = {kind: offer(kind, "price_dh") for kind in BOUGHT}
    table = pd.DataFrame({homes.KINDS: list(prices), "estimate": list(prices.values())})
    return document("homes_prices", table, [homes.KINDS], unit="dh")


def home_scenarios() -> Released:
    """What is assumed in each scenario of page 06."""
    base = Terms.named(homes.TERMS[homes.BASE])
    rows = [
        ("term_before", base.months, "months"),
        ("term_after", scenarios.SHORTER_MONTHS, "months"),
        ("grant", Terms.named(scenarios.RATES["grant"]).grant_dh, "dh"),
        ("price_cap", scenarios.CAP_DH, "dh"),
        ("work_km", offer(homes.FLAT, "work_km", "low"), "km"),
        ("participatory", scenarios.participatory_share(), "share"),
    ]
    return document("homes_scenario_terms", pd.DataFrame(rows, columns=["term_of", "estimate", "unit"]), ["term_of"])


def loan_rates() -> Released:
    """The rates a year of the terms of consumer loans."""
    rates = {name: Terms.named(terms).rate for name, terms in RATES.items()}
    table = pd.DataFrame({"loan_rate": list(rates), "estimate": list(rates.values())})
    return document("loans_rates", table, ["loan_rate"], unit="share")


def loan_assumptions() -> Released:
    """The assumptions of page 07 that decide, with their ranges."""
    rows = [(item, unit, *(assumed(item, c) for c in ("value", "low", "high"))) for item, unit in ASSUMPTIONS.items()]
    table = pd.DataFrame(rows, columns=["loan_assumption", "unit", "estimate", "low", "high"])
    return document("loans_assumptions", table, ["loan_assumption"])


def standards() -> Released:
    """The standards that conditions are judged by: the defaults of `needs`."""
    home, debt, way = housing.STANDARDS, income_debt.STANDARDS, commuting.STANDARDS
    rows = [
        ("persons_per_room", home.crowded_above_n, "number"),
        ("housing_cost", home.burden_above_share, "share"),
        ("deductions", debt.limit_share, "share"),
        ("left_of_pay", debt.least_left_dh, "dh"),
        ("service_years", home.tied_within_years, "number"),
        ("retirement_age", home.retirement_age, "number"),
        ("commute", way.long_above_min, "minutes"),
    ]
    return document("standards", pd.DataFrame(rows, columns=["standard_of", "estimate", "unit"]), ["standard_of"])


def transport_parameters() -> Released:
    """What page 08 assumes: value and range, where the value stands between the bad end (0) and the good one (1)."""
    trains = public("intercity").query("parameter in ('elasticity', 'discount')")
    table = pd.concat([public("shuttle"), trains.assign(parameter="rail_" + trains["parameter"])])
    table = table.rename(columns={"parameter": "transport_assumption"})
    keys, width = ["transport_assumption"], table["high"] - table["low"]
    place = (table["value"] - table["low"]) / width.where(width > 0)
    table["place"] = place.where(~table["transport_assumption"].isin(LOW_IS_GOOD), 1 - place)
    long = table.melt(keys, ["value", "low", "high", "place"], "measure", "estimate").dropna(subset="estimate")
    part = (long["measure"] == "place") | long["transport_assumption"].str.contains("share|discount")
    texts = table.assign(evidence="evidence." + table["kind"])[[*keys, "unit", "evidence", "source"]]
    texts = texts.melt(keys, var_name="measure", value_name="text").assign(estimate=0.0, unit="number")
    whole = (table.set_index("transport_assumption")[["value", "low", "high"]] % 1 == 0).all(axis=1)
    plain = np.where(long["transport_assumption"].map(whole), "number", "tenths")
    cells = pd.concat([long.assign(unit=np.where(part, "share", plain)), texts], ignore_index=True)
    return document("transport_parameters", cells, keys, "measure")


def transport_break_even() -> Released:
    """Riders that a run needs for fares to cover it, by fare, over what a vehicle-km costs."""
    table = break_even(FARES).rename_axis("transport_fare").rename(index=str)
    long = table.reset_index().melt("transport_fare", list(BREAK_EVEN), "transport_needed", "estimate")
    return document("transport_break_even", long.assign(unit=long["transport_needed"].map(BREAK_EVEN)),
                    ["transport_fare"], "transport_needed")  # fmt: skip


def likeness_rule() -> Released:
    """From when on two forms are called alike."""
    rows = [("share", quality.ALIKE, "share"), ("items", quality.ITEMS, "number")]
    return document("alike", pd.DataFrame(rows, columns=["fact", "estimate", "unit"]), ["fact"])


DOCUMENTS: dict[str, Callable[[], Released]] = {
    **{f"{name}_errors": partial(errors, name) for name in ERRORS},
    "standards": standards,
    "homes_prices": home_prices,
    "homes_scenario_terms": home_scenarios,
    "loans_rates": loan_rates,
    "loans_assumptions": loan_assumptions,
    "transport_parameters": transport_parameters,
    "transport_break_even": transport_break_even,
    "validation": coverage.validation,
    "validation_summary": coverage.validation_summary,
    "validation_families": coverage.validation_families,
    "coverage": coverage.statistics,
    "coverage_summary": coverage.summary,
    "coverage_models": coverage.models,
    "alike": likeness_rule,
}
INSTRUMENT: dict[str, Callable[[Study], Released]] = {
    "evidence": instrument.evidence,
    "form_length": instrument.form_length,
    "card_efficiency": instrument.card_efficiency,
    "instrument": instrument.facts,
}


def documents(study: Study) -> Lazy:
    """Every table that no respondent is in."""
    return Lazy(DOCUMENTS | {name: partial(study.result, make) for name, make in INSTRUMENT.items()})

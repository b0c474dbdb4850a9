"""Tables that no respondent is in: public figures, assumptions, stored results of long simulations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import pandas as pd

from ..demand import intercity, scenarios
from ..demand.credit import Terms
from ..demand.housing import BOUGHT
from ..demand.loans import assumed
from ..demand.scenarios import offer
from ..demand.service import Service, break_even, parameter
from ..disclosure import Lazy, Released, document
from ..needs import commuting, housing, income_debt
from ..study import DATA, Study
from ..survey import quality
from . import coverage, homes, instrument
from .declare import melted
from .loans import RATES

SURVEY = DATA / "survey"
ERRORS = {"loans": ("loan_validation.csv", "loan_number"), "homes": ("demand_validation.csv", "home_number")}
ERRORS["transport"] = ("transport_validation.csv", "transport_number")
ERROR_UNITS = dict.fromkeys(("error", "se_of_truth", "coverage"), "share")
ERROR_UNITS |= dict.fromkeys(("samples", "population"), "number")
ASSUMPTIONS = {"replacement_share": "share", "stress_points": "rate_points", "old_rate": "share"}
ASSUMPTIONS |= {"funding_rate": "share", "running_cost_share": "share"}
SHUTTLE = {"cost_dh": "dh_month", "walk_min": "minutes", "window_min": "minutes", "constant_share": "share"}
SHUTTLE |= {"seats_n": "number", "load_share": "share", "window_share": "share", "least_riders_n": "number"}
SHUTTLE |= {"members_a_route_n": "number", "discount": "share", "rail_discount": "share"}
BREAK_EVEN = {"needed": "riders", "carried": "riders", "route_dh": "dh_month", "a_rider_dh": "dh_month"}


def errors(name: str) -> Released:
    """How far numbers are from the truth of generated populations, by how well people answer."""
    file, key = ERRORS[name]
    stored = pd.read_csv(SURVEY / file).rename(columns={"number": key, "persons": "population"})
    if "terms" in stored:
        stored = stored[(stored["terms"] == homes.TERMS[homes.BASE]) & (stored[key] != "stay")].reset_index(drop=True)
    stored["error"], stored["se_of_truth"] = stored["error"] / stored["truth"], stored["mean_se"] / stored["truth"]
    keys = ["version", key]
    return document(f"{name}_errors", melted(stored, keys, ERROR_UNITS), keys, "measure")


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


def assumptions(name: str, key: str, of: Callable[[str, str], float], units: Mapping[str, str]) -> Released:
    """The assumptions of a page that decide, with their ranges; ``of`` reads a value or an end of one."""
    rows = [(item, unit, *(of(item, end) for end in ("value", "low", "high"))) for item, unit in units.items()]
    return document(name, pd.DataFrame(rows, columns=[key, "unit", "estimate", "low", "high"]), [key])


def of_transport(item: str, end: str) -> float:
    """An assumption of page 08: of rail journeys, or of the shuttle."""
    return intercity.parameter("discount", end) if item == "rail_discount" else parameter(item, end)


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


def shuttle_runs() -> Released:
    """Riders that a run needs and carries, and what the runs of a route cost."""
    table = break_even(Service.named()).rename_axis("transport_runs").rename(index=str)
    long = table.reset_index().melt("transport_runs", list(BREAK_EVEN), "transport_carried", "estimate")
    units = long["transport_carried"].map(BREAK_EVEN)
    return document("transport_runs", long.assign(unit=units), ["transport_runs"], "transport_carried")


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
    "loans_assumptions": partial(assumptions, "loans_assumptions", "loan_assumption", assumed, ASSUMPTIONS),
    "transport_assumptions": partial(
        assumptions, "transport_assumptions", "transport_assumption", of_transport, SHUTTLE
    ),
    "transport_runs": shuttle_runs,
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

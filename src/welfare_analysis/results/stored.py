"""Tables that no respondent is in: public figures, assumptions, stored results of long simulations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from ..demand import loans, scenarios
from ..demand.assumptions import place
from ..demand.service import LOW_IS_GOOD, break_even
from ..disclosure import Lazy, Released, document
from ..needs import commuting, housing, income_debt
from ..planning.agreements import stated
from ..planning.caravan import day
from ..study import DATA, Study, public
from ..survey import quality
from . import coverage, instrument, runs
from .declare import fact_rows, melted
from .transport import FARES

SURVEY = DATA / "survey"
ERRORS = {"loans": ("loan_validation.csv", "loan_number"), "homes": ("demand_validation.csv", "home_number")}
ERRORS["recheck"] = ("recheck_validation.csv", "condition")
ERRORS["transport"] = ("transport_validation.csv", "transport_number")
ERROR_UNITS = dict.fromkeys(("error", "se_of_truth", "coverage"), "share")
ERROR_UNITS |= dict.fromkeys(("samples", "population"), "number")
PLAIN_UNITS = {"DH": "dh", "DH a m²": "dh", "DH a month": "dh_month", "DH a year in all": "million_dh"}
PLAIN_UNITS |= {"DH to build one": "million_dh", "months": "months", "years": "number", "date": "date"}
BREAK_EVEN = {"needed": "riders", "needed_low": "riders", "needed_high": "riders", "seats": "number"}
BREAK_EVEN["share_covered"] = "share"


def errors(name: str) -> Released:
    """How far numbers are from the truth of generated populations, by how well people answer."""
    file, key = ERRORS[name]
    stored = pd.read_csv(SURVEY / file).rename(columns={"number": key, "persons": "population"})
    for of_truth, number in (("error", "error"), ("spread", "spread"), ("se_of_truth", "mean_se")):
        stored[of_truth] = stored[number] / stored["truth"]
    keys = ["version", key]
    return document(f"{name}_errors", coverage.simulated(stored, keys, ERROR_UNITS), keys, "measure")


def of_transport() -> pd.DataFrame:
    """Assumptions on the way to work, some of which are good for demand at the low end."""
    trains = public("intercity").query("parameter in ('elasticity', 'discount')")
    table = pd.concat([public("shuttle"), trains.assign(parameter="rail_" + trains["parameter"])])
    names = table["parameter"]
    return table.assign(place=place(table, names, set(names) - set(LOW_IS_GOOD)))


def of_caravan() -> pd.DataFrame:
    """Rules of the caravan, dates as days since the year 1."""
    table = public("caravan_rules")
    days = table["unit"] == "date"
    for end in ("value", "low", "high"):
        table[end] = table[end].where(~days, table[end].where(days, 20000101).map(lambda x: day(x).toordinal()))
    return table


# by page: what its assumptions are called, for the first columns of what is assumed
ASSUMED: dict[str, tuple[list[str], Callable[[], pd.DataFrame]]] = {
    "homes": (["home_offer", "home_assumption"], scenarios.parameters),
    "loans": (["loan_assumption"], loans.parameters),
    "transport": (["transport_assumption"], of_transport),
    "services": (["service_assumption"], partial(public, "services")),
    "agreements": (["partner_agreement"], stated),
    "package": (["package_service", "package_term"], partial(public, "package")),
    "caravan": (["caravan_rule"], of_caravan),
}


def parameters(page: str) -> Released:
    """What a page assumes: value and range, where the value stands in it; unit, kind of evidence and source, as texts.

    The value stands in its range from low (0) to high (1), or from the bad end to the good where a ``place`` says so.
    """
    keys, assumed = ASSUMED[page]
    table = assumed()
    table = table.set_axis([*keys, *table.columns[len(keys) :]], axis=1)
    if "place" not in table:
        table = table.assign(place=place(table, table[keys[-1]], set(table[keys[-1]])))
    ends = table[["value", "low", "high"]]
    digits = [(ends.round(places) == ends).all(axis=1) for places in (0, 1)]
    plain = table.assign(plain=np.select(digits, ["number", "tenths"], "decimal"))
    long = plain.melt([*keys, "unit", "plain"], ["value", "low", "high", "place"], "measure", "estimate").dropna()
    part = long["unit"].str.startswith(("share", "a year", "margin")) | (long["measure"] == "place")
    long["unit"] = long["unit"].map(PLAIN_UNITS).fillna(long.pop("plain")).mask(part, "share")
    whole = np.isclose(long["estimate"], long["estimate"].round(2))  # a whole per cent is written as one
    long["step"] = pd.Series(0.01, long.index).where(part & whole)
    texts = table.assign(evidence="evidence." + table["kind"])[[*keys, "unit", "evidence", "source"]]
    texts = texts.melt(keys, var_name="measure", value_name="text").assign(estimate=0.0, unit="number")
    return document(f"{page}_parameters", pd.concat([long, texts], ignore_index=True), keys, "measure")


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
    table = pd.DataFrame(rows, columns=["standard_of", "estimate", "unit"])
    table["step"] = pd.Series(0.01, table.index).where(table["unit"] == "share")  # as it is said: no tenth of a point
    return document("standards", table, ["standard_of"])


def transport_break_even() -> Released:
    """Riders that a run needs for fares to cover it, by fare, over what a vehicle-km costs."""
    table = break_even(FARES).rename_axis("transport_fare").rename(index=str)
    long = melted(table.reset_index(), ["transport_fare"], BREAK_EVEN).rename(columns={"measure": "transport_needed"})
    return document("transport_break_even", long, ["transport_fare"], "transport_needed")


def likeness_rule() -> Released:
    """From when on two forms are called alike."""
    rows = fact_rows(share={"share": quality.ALIKE}, number={"items": quality.ITEMS})
    return document("alike", rows, ["fact"])


PARAMETERS = {f"{page}_parameters": partial(parameters, page) for page in ASSUMED}
DOCUMENTS: dict[str, Callable[[], Released]] = {
    **PARAMETERS,
    **{f"{name}_errors": partial(errors, name) for name in ERRORS},
    "standards": standards,
    "transport_break_even": transport_break_even,
    "validation": coverage.validation,
    "validation_summary": coverage.validation_summary,
    "validation_families": coverage.validation_families,
    "coverage": coverage.statistics,
    "coverage_summary": coverage.summary,
    "coverage_models": coverage.models,
    **{f"{page}_recovery": partial(coverage.recovery, page) for page in coverage.STEPS},
    "recovery_summary": coverage.recovery_summary,
    "alike": likeness_rule,
    "runs": runs.versions,
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

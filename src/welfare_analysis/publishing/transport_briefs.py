"""Sentences and tables of the page on transport: the findings, and what the models behind them rest on."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from IPython.display import HTML, Markdown

from ..demand import intercity, worth
from ..demand.modes import TASTES
from ..errors import WelfareError
from ..languages import amount, between, number, with_interval
from ..study import DATA, Study
from .briefs import contrast
from .intercity import travellers_of, trips_models
from .modelled import absent, cell_of, coefficients, fit_tables
from .plan import Release, Released
from .suppression import CATEGORY
from .tables import label, markup, title, told
from .transport import MIDDLE, commuters_of, riding

FINDINGS = ("many", "who", "where", "cost", "changes", "fixed", "sure", "rail")
MODEL = "transport_shuttle"
RAIL = {"rail_discount": "35"}
LEAST_P = 0.001  # smaller ones are told as this


def findings(released: Release, study: Study) -> Markdown:
    """The page in two minutes: how many, who, where, at what cost, what changes it, how sure."""
    book, language = study.codebook, study.language
    state = released[MODEL].state
    if state != "shown":
        return Markdown(book.text(state, language))
    fields = {
        "out_of_reach": told(released["out_of_reach_total"], study),
        "no_way": told(released["no_way_to_come_total"], study),
    }
    fields |= _shuttle(released, study) | _changes(released, study) | _sure(released, study) | _rail(released, study)
    fields |= {
        "who": contrast(released["no_way_to_come_by_shift"], study),
        "where": contrast(released["no_way_to_come_by_command"], study),
    }
    lines = [book.text(f"transport.{name}", language, **fields) for name in FINDINGS]
    hours = released["transport_hours"]
    row = cell_of(hours, transport_scenario="shuttle")
    if row["high"] <= 0:
        lines.insert(4, book.text("transport.hours_none", language, hours=told(hours, study, row)))
    elif row["low"] > 0:
        cost = _gain(released, "shuttle", "cost")["estimate"] / row["estimate"]
        price = amount(cost, "dh", language, book.text("unit.dh", language))
        lines.insert(4, book.text("transport.hours_some", language, price=price))
    return Markdown("\n".join(f"- {line}" for line in lines))


def _gain(released: Release, scenario: str, gain: str) -> pd.Series:
    return cell_of(released["transport_gains"], transport_scenario=scenario, **{CATEGORY: gain})


def _shuttle(released: Release, study: Study) -> dict[str, str]:
    """Riders of the headline, cost a year, and the worth of an hour in the middle income group."""
    gains, hour = released["transport_gains"], released["transport_worth"]
    found = {name: told(gains, study, _gain(released, "shuttle", name)) for name in ("cost", "saved")}
    found["riders"] = told(_whole(released), study, cell_of(_whole(released), transport_realisation="all"))
    groups = set(hour.frame["income_group"].astype(str))
    group = "middle" if "middle" in groups else sorted(groups)[0]
    cells = hour.frame[hour.frame["income_group"].astype(str) == group].set_index(CATEGORY)
    for name, code in (("worth", "value_of_time"), ("pay", "pay_an_hour")):
        found[name] = (
            told(hour, study, cells.loc[code])
            if code in cells.index
            else study.codebook.text("not_asked", study.language)
        )
    return found


def _whole(released: Release) -> Released:
    return released["transport_realised"]


def _changes(released: Release, study: Study) -> dict[str, str]:
    modes, hours = released["transport_shares"], released["transport_hours"]
    bus = {
        name: told(modes, study, cell_of(modes, transport_scenario=code, **{CATEGORY: "bus"}))
        for name, code in (("before", "base"), ("after", MIDDLE))
    }
    return bus | {
        "scenario": label(study, "transport_scenario", MIDDLE),
        "fares": told(released["transport_gains"], study, _gain(released, MIDDLE, "cost")),
        "nearer": told(hours, study, cell_of(hours, transport_scenario="nearer")),
    }


def _sure(released: Release, study: Study) -> dict[str, str]:
    """Over the range of the constant and the widest assumption; in how many cells there are several equilibria."""
    language = study.language
    ends = released["transport_constant"].frame.set_index("transport_constant")["estimate"]
    tornado = released["transport_tornado"].frame
    tornado = tornado[tornado["transport_assumption"] != "constant_share"]
    widest = tornado.groupby("transport_assumption")["estimate"].agg(lambda x: x.max() - x.min()).idxmax()
    moved = tornado.loc[tornado["transport_assumption"] == widest, "estimate"]
    who = commuters_of(study)
    found = riding(who) if who is not None else pd.DataFrame({"runs": []})
    return {
        "range": between(ends["0"], ends["100"], "persons", language),
        "assumption": label(study, "transport_assumption", widest),
        "moved": between(moved.min(), moved.max(), "persons", language),
        "several": number(int((found["runs"].map(len) > 2).sum()), language),
        "cells": number(len(found), language),
    }


def _rail(released: Release, study: Study) -> dict[str, str]:
    """Cost of an agreement at the middle discount, over the range of the elasticity."""
    table, language = released["transport_rail"], study.language
    if table.state != "shown":
        text = study.codebook.text(table.state, language)
        return dict.fromkeys(("discount", "rail", "low", "high"), text)
    cells = {end: cell_of(table, **RAIL, **{CATEGORY: end}) for end in intercity.ENDS}
    name = study.codebook.text("unit.million_dh", language)
    return {
        "discount": amount(intercity.parameter("discount"), "share", language),
        "rail": told(table, study, cells["value"]),
        "low": amount(min(c["estimate"] for c in cells.values()), "million_dh", language),
        "high": amount(max(c["estimate"] for c in cells.values()), "million_dh", language, name),
    }


def model(released: Release, study: Study) -> HTML:
    """What the model of cards rests on, and whether it predicts persons it has not seen."""
    who, state = commuters_of(study), released[MODEL].state
    if who is None or state != "shown":
        return absent(study, state)
    return fit_tables(who.fit("stated"), "commute", study)


def tastes(released: Release, study: Study) -> HTML:
    """Coefficients of the pooled model and of that of modes alone."""
    who, state = commuters_of(study), released[MODEL].state
    if who is None or state != "shown":
        return absent(study, state)
    names = [*TASTES, "foot_10min", "shuttle", "scale[stated]"]
    return coefficients("transport_model", {name: who.fit(name) for name in ("pooled", "revealed")}, names, study)


def checks(released: Release, study: Study) -> Markdown:
    """Whether cards and modes tell one worth of time, and whether shared modes are a nest."""
    book, language, who, state = study.codebook, study.language, commuters_of(study), released[MODEL].state
    if who is None or state != "shown":
        return Markdown(book.text(state, language))
    found = worth.time_over_cost(who).table().set_index("variable")
    gap = found.loc["difference"]
    verdict = "differ" if gap["low"] > 0 or gap["high"] < 0 else "alike"
    shown = {
        name: with_interval(row["estimate"], row["low"], row["high"], "dh", language)
        for name, row in found.loc[["cards", "modes"]].iterrows()
    }
    text = book.text(f"transport.{verdict}", language)
    lines = [book.text("transport.tastes", language, **shown, verdict=text)]
    try:
        fit, test = who.fit("nested"), worth.one_nest(who)
    except WelfareError:
        return Markdown("\n".join(f"- {line}" for line in lines))
    lam = next(name for name in fit.value.index if str(name).startswith("lambda"))
    bounds = fit.interval().loc[lam]
    told_ = f"{number(fit.value[lam], language, 2)} ({number(bounds['low'], language, 2)}\u2013" \
            f"{number(bounds['high'], language, 2)})"  # fmt: skip
    lines.append(book.text("transport.nests", language, lam=told_, p=number(max(test.p, LEAST_P), language, 3)))
    return Markdown("\n".join(f"- {line}" for line in lines))


def trips(study: Study) -> HTML:
    """What moves trips between towns, of all and of those who travel."""
    if travellers_of(study) is None:
        return absent(study, "not_asked")
    try:
        fits = trips_models(study)
    except WelfareError:
        return absent(study, "too_few")
    names = [n for n in map(str, fits["priced"].value.index) if not n.startswith(("C(command", "C(status)[T.active"))]
    return coefficients("transport_trips_model", fits, names, study)


def errors(study: Study, path: Path = DATA / "survey" / "transport_validation.csv") -> HTML:
    """How far the numbers are from the truth of generated populations, by how well people answer."""
    book, language = study.codebook, study.language
    body = []
    for row in pd.read_csv(path).to_dict("records"):
        parts = [amount(row[column] / row["truth"], "share", language) for column in ("error", "mean_se")]
        parts += [amount(row["coverage"], "share", language), number(row["samples"], language)]
        name = label(study, "transport_number", row["number"])
        body.append([book.text(f"version.{row['version']}", language), name, *parts])
    heads = ("version", "number", "error", "se_of_truth", "coverage", "samples")
    return HTML(markup(title("transport_errors", study), [book.text(f"col.{h}", language) for h in heads], body, ""))

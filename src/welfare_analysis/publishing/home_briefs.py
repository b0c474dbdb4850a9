"""Sentences and tables of the page on homes: the findings, and what the models behind them rest on."""

from __future__ import annotations

from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown

from ..demand import budgets, credit, places, scenarios, tastes
from ..demand.credit import Terms
from ..demand.housing import BOUGHT, OFFERED, Market
from ..demand.scenarios import offer
from ..languages import amount, between, number, span, with_interval
from ..needs import housing as housing_need
from ..needs import income_debt
from ..study import DATA, ROOT, Study
from .briefs import contrast
from .homes import BASE, FLAT, KINDS, TERMS, homes, market_of
from .modelled import absent, cell_of, coefficients, fit_tables
from .plan import Release
from .suppression import CATEGORY
from .tables import label, markup, source, title, told

FINDINGS = ("need", "where", "demand", "cost", "changes", "sure", "realised")
PRICE = "price_100k:C(income_group)[middle]"  # whose price the choice of a place takes


def findings(released: Release, study: Study) -> Markdown:
    """The page in two minutes: need, who and where, demand, cost, what changes it, how sure."""
    book, language = study.codebook, study.language
    if released["homes_by_terms"].state != "shown":
        return Markdown(book.text(released["homes_by_terms"].state, language))
    need, wanted = released["homes_need"], released["homes_by_terms"]
    fields = {
        "core": told(released["core_need_total"], study),
        "suppressed": told(released["suppressed_household_total"], study),
        "net": told(need, study, cell_of(need, home_need="years_10")),
        "where": contrast(released["core_need_by_command"], study),
    }
    fields |= {kind: told(wanted, study, cell_of(wanted, **{KINDS: kind, CATEGORY: BASE})) for kind in OFFERED}
    fields |= {"price_" + kind: _price(kind, study) for kind in BOUGHT}
    fields["bank"] = told(wanted, study, cell_of(wanted, **{KINDS: FLAT, CATEGORY: "bank"}))
    crossing = released["homes_crosses"]
    fields["crossing"] = told(crossing, study, cell_of(crossing, home_variation="as_they_are", **{CATEGORY: "crosses"}))
    versions = released["homes_versions"].shown.query(f"home_version != 'stated' and {CATEGORY} == @FLAT")
    fields["versions"] = between(versions["estimate"].min(), versions["estimate"].max(), "persons", language)
    ends = released["homes_tornado"].frame
    widest = ends.groupby("home_assumption")["estimate"].agg(lambda x: x.max() - x.min()).idxmax()
    moved = ends.loc[ends["home_assumption"] == widest, "estimate"]
    fields["assumption"] = label(study, "home_assumption", widest)
    fields["moved"] = between(moved.min(), moved.max(), "persons", language)
    real = released["homes_realised"].frame.set_index("home_realisation")["estimate"]
    fields["realised"] = between(real["five_years"], real["stated"], "persons", language)
    lines = [book.text(f"homes.{name}", language, **fields) for name in FINDINGS]
    return Markdown("\n".join(f"- {line}" for line in lines))


def _price(kind: str, study: Study) -> str:
    return amount(offer(kind, "price_dh"), "dh", study.language, study.codebook.text("unit.dh"))


def model(study: Study) -> HTML:
    """What the model of the cards rests on, and whether it predicts persons it has not seen."""
    market, state = market_of(study), homes(study)["homes_by_terms"].state
    if market is None or state == "too_few":
        return absent(study, "too_few" if market else "not_asked")
    return fit_tables(market.fit(), "home", study, {"beyond": amount(_beyond(market), "share", study.language)})


def standards(study: Study) -> Markdown:
    """The standards of need and of ability that the page goes by."""
    book, language, of, debt = study.codebook, study.language, housing_need.STANDARDS, income_debt.STANDARDS
    fields = {
        "rooms": number(of.crowded_above_n, language),
        "burden": amount(of.burden_above_share, "share", language),
        "limit": amount(debt.limit_share, "share", language),
        "left": amount(debt.least_left_dh, "dh", language, book.text("unit.dh", language)),
        "years": number(of.tied_within_years, language),
        "age": number(of.retirement_age, language),
    }
    return Markdown(book.text("homes.standards", language, **fields))


def variations(study: Study) -> Markdown:
    """How much the factors of a crossing are varied."""
    step = amount(credit.STEP, "share", study.language)
    return Markdown(study.codebook.text("homes.variations", study.language, step=step))


def scenario_terms(study: Study) -> Markdown:
    """What is assumed in each scenario."""
    book, language, base = study.codebook, study.language, Terms.named(TERMS[BASE])
    unit = book.text("unit.dh", language)
    fields = {
        "months": number(scenarios.SHORTER_MONTHS, language),
        "before": number(base.months, language),
        "grant": amount(Terms.named(scenarios.RATES["grant"]).grant_dh, "dh", language, unit),
        "cap": amount(scenarios.CAP_DH, "dh", language, unit),
        "km": number(offer(FLAT, "work_km", "low"), language),
        "share": amount(scenarios.participatory_share(), "share", language),
    }
    return Markdown(book.text("homes.scenario_terms", language, **fields))


def errors(study: Study, path: Path = DATA / "survey" / "demand_validation.csv") -> HTML:
    """How far the numbers are from the truth of generated populations, by how well people answer."""
    book, language = study.codebook, study.language
    stored = pd.read_csv(path)
    stored = stored[(stored["terms"] == TERMS[BASE]) & (stored["number"] != "stay")]
    body = []
    for row in stored.to_dict("records"):
        bought = row["number"] == "bought"
        name = book.text("homes.bought", language) if bought else label(study, KINDS, row["number"])
        parts = (row[column] / row["truth"] for column in ("error", "mean_se"))
        told_ = [amount(part, "share", language) for part in parts]
        told_ += [amount(row["coverage"], "share", language), number(row["samples"], language)]
        body.append([book.text(f"version.{row['version']}", language), name, *told_])
    heads = [
        book.text(f"col.{name}", language)
        for name in ("version", "home_kind", "error", "se_of_truth", "coverage", "samples")
    ]
    return HTML(markup(title("homes_errors", study), heads, body, ""))


def _beyond(market: Market) -> float:
    """Weighted share of cards on which what was chosen costs more a month than the member can carry."""
    taken = market.cards[market.cards["chosen"] == 1]
    weights = market.design.weights[market.frame.index.get_indexer(taken["row"])]
    return float(np.average(taken["beyond_1k"] > 0, weights=weights))


def own_tastes(study: Study, folder: Path = DATA / "survey") -> HTML:
    """What tastes that differ between persons change: the stored mixed logit of these answers, beside the logit."""
    book, language = study.codebook, study.language
    market = market_of(study)
    if market is None or homes(study)["homes_by_terms"].state == "too_few":
        return absent(study, "not_asked" if market is None else "too_few")
    key, paths = tastes.Subsample(market).key(), (place / tastes.NAME for place in (folder, ROOT / "build"))
    found = (table for table in map(pd.read_csv, filter(Path.is_file, paths)) if set(table["key"]) == {key})
    stored = next(found, None)
    if stored is None:
        return HTML(escape(book.text("homes.tastes_none", language, command="make mixed")))
    likelihood = stored[stored["part"] == "fit"].set_index("model")["estimate"]
    fields = {name: number(value, language, 1) for name, value in likelihood.items()}
    persons = number(int(stored["persons"].iloc[0]), language)
    foot = " ".join([book.text("homes.tastes", language, persons=persons, **fields), source(study)])
    mixed = stored[(stored["model"] == "mixed") & (stored["part"] == "coefficient")].set_index("name")
    body = []
    for name in (n.removeprefix("sd.") for n in mixed.index if n.startswith("sd.")):
        pair = [_valid(mixed.loc[n], language) for n in (name, f"sd.{name}")]
        body.append([_taste(name, study), *pair])
    heads = [book.text(f"col.{name}", language) for name in ("term", "middle", "spread")]
    first = markup(title("homes_tastes", study), heads, body, foot)
    columns = [(view, model) for view in tastes.VIEWS for model in ("logit", "mixed")]
    cells = stored.set_index(["part", "model", "name"])
    rows = [
        [label(study, KINDS, kind), *(_share(cells.loc[(*column, kind)], language) for column in columns)]
        for kind in book.codes(KINDS)
    ]
    heads = [book.text(f"col.{n}", language) for n in ("home_kind", *(f"{m}_{v}" for v, m in columns))]
    return HTML(first + markup(title("homes_tastes_shares", study), heads, rows, foot))


def _valid(row: pd.Series, language: str) -> str:
    """A coefficient with its interval, without one where it is not valid."""
    value = number(row["estimate"], language, 2)
    return f"{value} ({span(row['low'], row['high'], language, 2)})" if row["valid"] else value


def _share(row: pd.Series, language: str) -> str:
    return with_interval(row["estimate"], row["low"], row["high"], "share", language)


def _taste(name: str, study: Study) -> str:
    """The dislike of a price, of an income group where there are several."""
    code = name.partition("[")[2].rstrip("]")
    group = f" ({label(study, 'income_group', code)})" if code else ""
    return study.codebook.text(f"term.{tastes.LESS}", study.language) + group


def budget_models(study: Study) -> HTML:
    """What moves the budget for a home, with the wish as selection and with round figures as intervals."""
    market = market_of(study)
    if market is None:
        return absent(study, "not_asked")
    columns = budgets.told(market.frame)
    fits = {"selected": budgets.selected(market.design, columns), "rounded": budgets.rounded(market.design, columns)}
    names = [n for n in map(str, fits["selected"].value.index) if not n.startswith("selection: ")]
    return coefficients("home_budget_models", fits, names, study)


def place_model(study: Study) -> HTML:
    """What moves the choice of a place: the pull of one's own, the pain of distance."""
    market = market_of(study)
    if market is None or homes(study)["homes_by_terms"].state == "too_few" or PRICE not in market.fit().value:
        return absent(study, "not_asked")
    long = places.choices(market.frame, offer(FLAT, "price_dh"), float(market.fit().value[PRICE]))
    fit = places.fitted(market.design, long)
    names = [n for n in map(str, fit.value.index) if not n.startswith("C(")]
    return coefficients("home_place_model", {"coefficient": fit}, names, study)

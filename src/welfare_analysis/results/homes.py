"""The demand for homes (page 06): from need to likely demand, what each measure brings and costs, how sure it is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..demand import housing, scenarios, tastes
from ..demand.credit import Terms
from ..demand.housing import BLOCK, BOUGHT, OFFERED, YEARS, HomeMarket, assumed, bought
from ..demand.levers import Levers
from ..demand.scenarios import BANK, BASE, FLAT
from ..demand.stated import sums, times
from ..disclosure import NUMBERS
from ..estimation import Estimate, total
from ..needs import projection
from ..needs.housing import NEED_KINDS, need_kind
from ..needs.income_debt import CANNOT
from ..study import DATA, ROOT, Study, public
from . import choice_models, measures, steps
from .declare import Topic, fitted, long_format, part, point, resting

KINDS, NUMBER = f"{BLOCK}_alternative", "home_number"
TERMS = {"bank": BANK, "foundation": BASE, "talks": "housing_talks"}
PRICES = (140_000, 200_000, 250_000, 300_000, 400_000)
WORTH = (10_000, 50_000, 100_000, 150_000, 200_000, 300_000)  # DH that a further home may be worth
FINDINGS = ("homes_funnel", ("many", "who", "where", "cost", "changes", "sure"))


def home_market(study: Study) -> HomeMarket | None:
    """The market of homes; None where a question that it needs was not asked."""
    return None if study.lacking(housing.NEEDED) else housing.market(study)


cards_ready = fitted(HomeMarket.fit)
topic = Topic("homes", home_market, cards_ready, "persons", lambda m: (m.computed, m.adult), FINDINGS,
              behind=lambda _, m: steps.can_pay(m.at(Terms.named(BANK))))  # fmt: skip


steps.declare(topic, "home", home_market)


@topic.table("by_wish", "home_wish", KINDS)
def by_wish(study: Study, market: HomeMarket) -> pd.DataFrame:
    """What everybody would take, whenever, by whether a home is wanted and one is owned."""
    return of_whoever_may(market, market.wishes, "home_wish")


@topic.table("by_need", "need_kind", KINDS)
def by_need(study: Study, market: HomeMarket) -> pd.DataFrame:
    """Who buys, rents or stays, by what would meet the need."""
    need = need_kind(market.frame)
    return of_whoever_may(market, need.where(need != CANNOT), "need_kind")


def of_whoever_may(market: HomeMarket, by: pd.Series, key: str) -> pd.DataFrame:
    """What everybody would take, by group; nobody but who may get a kind and can pay it is behind it."""
    may = (market.eligible & market.affordable)[market.computed].astype(bool).groupby(by.astype(object))
    return resting(long_format(market.demand(by=by), KINDS, key), dict(iter(may)), key, KINDS)


@topic.table("by_terms", KINDS, "home_terms")
def by_terms(study: Study, market: HomeMarket) -> pd.DataFrame:
    """Stated by those who want a home and own none, whenever, by terms of credit."""
    at = {name: market.at(Terms.named(terms)) for name, terms in TERMS.items()}
    rows = long_format({name: one.demand(where=one.wishers) for name, one in at.items()}, "home_terms", KINDS)
    return resting(rows, {name: steps.open_to(one) for name, one in at.items()}, "home_terms", KINDS)


@topic.table("need", "home_need", "need_kind", "homes", adds="need_kind")
def need(study: Study, market: HomeMarket) -> pd.DataFrame:
    """Homes needed a year, apart for those who need another dwelling, money, or work on their own home."""
    homes, kind = projection.homes_needed(market.frame), need_kind(market.frame)
    known = homes["backlog"].mask(kind == CANNOT)
    parts = {k: known.where(kind == k, 0.0).mask(known.isna()) for k in NEED_KINDS[:3]}
    every = total(market.design, homes.assign(**parts), missing="mean").as_positive()
    index, made = every.value.index, {}
    for name in ("backlog", *parts):
        keep = [name, *projection.HOMES[1:]]
        own = sums(every, list(projection.HOMES), np.eye(len(index))[index.get_indexer(keep)])
        if name in ("backlog", "another"):  # what arises and what is supplied are dwellings
            made["all" if name == "backlog" else name] = projection.annual(own)
        else:
            years = {f"years_{h}": 1 / h for h in projection.CLEARANCE}
            made[name] = sums(own, ["backlog", *years], np.outer([1, *years.values()], np.eye(len(keep))[0]))
    rows, met = long_format(made, "need_kind", "home_need"), pd.DataFrame({"all": known, **parts}).gt(0).sum()
    return rows.assign(numerator=rows["need_kind"].map(met).astype(float))


@topic.table("chain", "home_chain", "home_range", "number")
def chain(study: Study, market: HomeMarket) -> pd.DataFrame:
    """What a home that is bought sets free: moves by members for each, at the ends of what is assumed of it."""
    tenure = market.frame["tenure"].astype(object)
    forecast = bought(market.likely(by=tenure.where(market.wishers))).value
    from_ = forecast.reindex(["service", "tenant"]).fillna(0.0) / forecast.sum()
    n, rows = float(min((market.wishers & market.computed).sum(), market.sure.counts["n"].iloc[0])), []
    for column in ("low", "value", "high"):
        passed = np.array([assumed(f"pass_on_{name}", column) for name in ("service", "rented")])
        moves = projection.moves_by_home(from_.to_numpy(), passed)
        values = {"moves": 100 * moves, "freed": 100 * from_.sum(), "homes_a_year": forecast.sum() / YEARS}
        values["moves_a_year"] = values["homes_a_year"] * moves
        for name, value in values.items():
            unit = "homes" if name.endswith("year") else "number"
            rows.append(point(value, n, home_chain=name, home_range=column, unit=unit))
    return pd.concat(rows)


def by_kind(forecast: Estimate) -> Estimate:
    """Homes bought, then those of each kind: of `HomeMarket.likely`."""
    kinds = forecast.value.index.get_level_values(1)
    weights = [kinds.isin(BOUGHT), *(kinds == kind for kind in OFFERED)]
    return sums(forecast, ["bought", *OFFERED], np.array(weights, dtype=float))


@topic.table("cases", "home_case", NUMBER, "homes")
def cases(study: Study, market: HomeMarket) -> pd.DataFrame:
    """Homes likely within five years: all evidence at its middle, at either end, and under each test of the means."""
    made = {"central": market, **scenarios.ends(market), "bank": market.at(Terms.named(BANK))}
    made |= scenarios.tests(market)
    may = {name: steps.open_to(other) for name, other in made.items()}
    may = {name: of.assign(bought=of[list(BOUGHT)].any(axis=1)) for name, of in may.items()}
    rows = long_format({name: by_kind(other.likely()) for name, other in made.items()}, "home_case", NUMBER)
    return resting(rows, may, "home_case", NUMBER)


def measured_levers(study: Study) -> Levers:
    """What measures bring and cost, and what members pay, all against the rate of the banks."""
    return scenarios.levers(study.result(home_market).at(Terms.named(BANK)))


measures.declare(topic, "home_lever", "homes", measured_levers, WORTH)


@topic.table("realised", "home_realisation", "home_time", "homes")
def realised(study: Study, market: HomeMarket) -> pd.DataFrame:
    """From stated to likely: each bridge, in five years and a year.

    Certainty and consequentiality are of what is stated by those who can pay. The market's part is of all who want a
    home: those who cannot pay are among its demanders, so means are not taken out twice.
    """
    stated, wanted = bought(market.likely(bridge=False)), market.number(where=market.wishers)
    made = {"certain": bought(market.likely())}
    if market.believed is not None:
        made["consequential"] = times(stated, market.believed, stated.value.index)
    for row in public("realisation").itertuples():
        made[row.factor] = sums(wanted if row.of == "wanted" else stated, ["x"], [[float(row.value)]])
    spans = {"five_years": 1.0, "a_year": 1 / YEARS}
    return long_format(
        {name: {time: sums(e, ["x"], [[by]]) for time, by in spans.items()} for name, e in made.items()},
        "home_realisation", "home_time", "",
    )  # fmt: skip


@topic.table("curve", "home_price", "home_terms", "homes")
def curve(study: Study, market: HomeMarket) -> pd.DataFrame:
    """Social flats likely within five years, by price and terms."""
    parts = []
    for name in ("bank", "foundation"):
        terms = Terms.named(TERMS[name])
        at = {f"{price:.0f}": market.at(terms, {FLAT: {"price_dh": float(price)}}) for price in PRICES}
        rows = long_format({price: part(one.likely(), "homes", (FLAT,)) for price, one in at.items()}, "home_price", "")
        own = resting(rows, {price: steps.open_to(one)[[FLAT]] for price, one in at.items()}, "home_price")
        parts.append(own.assign(home_terms=name))
    return pd.concat(parts)


@topic.table("tornado", "home_assumption", "home_end", "homes")
def tornado(study: Study, market: HomeMarket) -> pd.DataFrame:
    """Homes likely within five years with each assumption at the ends of its range."""
    known = float(market.likely().counts["n"].min())  # as in the funnel: what is hidden there is hidden here
    return pd.concat(
        point(bought(at.likely()).value.iloc[0], known, home_assumption=name, home_end=end, behind=steps.can_pay(at))
        for name, end, at in scenarios.one_at_a_time(market)
    )


@topic.table("worth", "home_improvement", "income_group", "dh")
def worth(study: Study, market: HomeMarket) -> pd.DataFrame:
    """What an improvement is worth in DH of the price, by income group."""
    table = market.worth().rename(columns={"variable": "home_improvement"})
    return table.loc[table["income_group"] != "unknown", ["home_improvement", "income_group", *NUMBERS, "n"]]


choice_models.declare(topic, KINDS)


@topic.table("tastes_shares", KINDS, "measure", "share", choice_models.answered)
def own_tastes(study: Study, market: HomeMarket) -> pd.DataFrame | None:
    """What tastes that differ between persons change, where most is lent: the stored mixed logit of these answers."""
    paths = [folder / tastes.NAME for folder in (DATA / "survey", ROOT / "build") if (folder / tastes.NAME).is_file()]
    key = tastes.Subsample(tastes.most_lent(market)).key() if paths else ""
    stored = next((table for table in map(pd.read_csv, paths) if set(table["key"]) == {key}), None)
    if stored is None:
        return None
    rows = stored[stored["part"].isin(tastes.VIEWS)]
    columns = {"measure": rows["model"] + "_" + rows["part"], "n": rows["persons"].astype(float)}
    return rows.rename(columns={"name": KINDS}).assign(**columns)[[KINDS, "measure", *NUMBERS, "n"]]

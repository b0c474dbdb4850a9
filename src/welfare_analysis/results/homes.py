"""The demand for homes (page 06): numbers of the model by what is offered, to whom, on what terms."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from ..demand import housing, tastes
from ..demand.credit import Terms, affordable_price_dh, crosses, ranged
from ..demand.housing import BLOCK, BOUGHT, OFFERED, VERSIONS, HomeMarket
from ..demand.scenarios import at_prices, bought, elasticities, forecasts, offer
from ..demand.scenarios import scenarios as scenarios_of
from ..disclosure import NUMBERS
from ..errors import WelfareError
from ..estimation import Estimate, share, total
from ..estimation.choice import ChoiceFit, predicted_shares
from ..needs import projection
from ..study import DATA, ROOT, Study, public
from . import choice_models
from .declare import Base, Topic, long_format, point, sums

KINDS = f"{BLOCK}_alternative"
TERMS = {"bank": "housing_bank", "foundation": "housing_foundation", "talks": "housing_talks"}
BASE, FLAT = "foundation", "social_flat"
PRICES = (140_000, 200_000, 250_000, 300_000, 400_000)
GROUPS = ("command_group", "rank_group")
FINDINGS = ("homes_by_terms", ("need", "where", "demand", "cost", "changes", "sure", "realised"))


def home_market(study: Study) -> HomeMarket | None:
    """The market of homes; None where a question that it needs was not asked."""
    return None if study.lacking(housing.NEEDED) else housing.market(study)


def fitted_market(study: Study) -> HomeMarket | None:
    """The market of homes with its models; None where they cannot be fitted."""
    market = study.result(home_market)
    return market if market is not None and cards_ready(market) == "shown" else None


def cards_ready(market: HomeMarket) -> str:
    """Whether each version of the model can be fitted: ``too_few`` where one is separated or collinear."""
    try:
        for version in VERSIONS:
            market.fit(version)
    except WelfareError:
        return "too_few"
    return "shown"


topic = Topic("homes", home_market, cards_ready, "persons", lambda m: (m.computed, m.adult), FINDINGS)


def active(market: HomeMarket, group: str) -> pd.Series | None:
    """Whom a group speaks of: ranks are of the active."""
    return market.frame["status"] == "active" if group == "rank_group" else None


@topic.table("reach", "rank_group|home_terms", "home_price", "share", adds="rank_group")
def reach(study: Study, market: HomeMarket) -> pd.DataFrame:
    """Who can pay a price, by rank, at the rate of the banks and of the Foundation."""
    rank, parts = market.frame["rank_group"], []
    for name in ("bank", BASE):
        most = affordable_price_dh(market.frame, Terms.named(TERMS[name]))
        able = pd.DataFrame({str(price): most >= price for price in PRICES})
        where = most.notna() & rank.notna() & (market.frame["status"] == "active")
        rows = long_format(share(market.design, able, by=rank, where=where), "home_price", "rank_group")
        met = able[where].groupby(rank[where].astype(str)).sum().stack()
        numerator = met.loc[list(zip(rows["rank_group"], rows["home_price"], strict=True))].to_numpy(float)
        parts.append(rows.assign(numerator=numerator, home_terms=name))
    return pd.concat(parts)


@topic.table("crosses", "home_crossing")
def crossing(study: Study, market: HomeMarket) -> pd.DataFrame:
    """Whom the Foundation's rate brings over the price of a social flat."""
    before, after = (Terms.named(TERMS[name]) for name in ("bank", BASE))
    over = crosses(market.frame, offer(FLAT, "price_dh"), before, after)["crosses"]
    own = over.where(market.adult)
    rows = long_format(total(market.design, own, where=market.adult, missing="mean"), "home_crossing")
    return rows.assign(numerator=float(own.fillna(False).astype(bool).sum()))


@topic.table("need", "home_need", unit="homes")
def need(study: Study, market: HomeMarket) -> pd.DataFrame:
    """Homes needed a year by years of clearance, the backlog as a stock and what arises anew."""
    homes = total(market.design, projection.homes_needed(market.frame), missing="mean")
    made = {"backlog": homes.apply(lambda v: pd.Series({"backlog": v["backlog"]}))}
    made["arising"] = projection.newly_arising(homes)
    made |= {f"years_{h}": projection.net_annual_need(homes, years=[h]) for h in projection.CLEARANCE}
    return long_format(made, "home_need", "")


def at_terms(study: Study, terms: str) -> Estimate:
    """Demand on some terms of credit."""
    return study.result(home_market).at(Terms.named(TERMS[terms])).demand()


@topic.table("by_terms", KINDS, "home_terms")
def by_terms(study: Study, market: HomeMarket) -> pd.DataFrame:
    """Demand by terms of credit."""
    return long_format({name: study.result(at_terms, name) for name in TERMS}, "home_terms", KINDS)


def changed(study: Study) -> dict[str, HomeMarket]:
    """The market with one change each."""
    return scenarios_of(study.result(home_market))


for _group in GROUPS:

    @topic.table(f"by_{_group}", _group, KINDS)
    def by_group(study: Study, market: HomeMarket, group: str = _group) -> pd.DataFrame:
        """Demand by group."""
        return long_format(market.demand(by=market.frame[group], where=active(market, group)), KINDS, group)

    @topic.table(f"scenarios_by_{_group}", _group, "home_scenario")
    def scenarios_by_group(study: Study, market: HomeMarket, group: str = _group) -> pd.DataFrame:
        """What each change does to the homes bought in each group."""
        made = forecasts(study.result(changed), market.frame[group], active(market, group))
        return long_format({name: bought(forecast) for name, forecast in made.items()}, "home_scenario", group)


for _name, _terms in (("cells", ""), ("cells_bank", TERMS["bank"])):

    @topic.table(_name, "home_cell", KINDS)
    def cells(study: Study, market: HomeMarket, terms: str = _terms) -> pd.DataFrame:
        """Stated x eligible x affordable, by kind of home."""
        at = market.at(Terms.named(terms)) if terms else market
        return long_format({kind: by_access(at.ladder(kind), kind) for kind in OFFERED}, KINDS, "home_cell")


def by_access(ladder: Estimate, kind: str) -> Estimate:
    """Who takes a kind, by eligible x affordable: ``takes_yes_no`` takes it, is eligible, cannot afford it.

    ``ladder`` is indexed by (alternative, eligible, affordable), the last two yes, no or something else: then the cell
    is ``takes_cannot_compute`` or ``not_cannot_compute``.
    """
    names = []
    for alternative, eligible, affordable in ladder.value.index:
        access = f"{eligible}_{affordable}" if {eligible, affordable} <= {"yes", "no"} else "cannot_compute"
        names.append(f"{'takes' if alternative == kind else 'not'}_{access}")
    order = list(dict.fromkeys(names))
    return sums(ladder, order, pd.get_dummies(pd.Series(names), dtype=float)[order].to_numpy().T)


@topic.table("intentions", "wants_home", KINDS, "share")
def intentions(study: Study, market: HomeMarket) -> pd.DataFrame:
    """What those who say that they want a home, and the others, would choose on a card: a check, no calibration."""
    target, wants = market.target(restricted=False), market.frame["wants_home"]
    return long_format(predicted_shares(market.fit(), market.design, target, by=wants), "", KINDS, "wants_home")


@topic.table("versions", "home_version", KINDS)
def versions(study: Study, market: HomeMarket) -> pd.DataFrame:
    """Demand by three models, and what is stated whatever the means."""
    made = {version: market.demand(version) for version in VERSIONS} | {"stated": market.demand(restricted=False)}
    return long_format(made, "home_version", KINDS)


def priced(study: Study, terms: str) -> dict[float, Estimate]:
    """Demand with the social flat at each price, on some terms."""
    return at_prices(study.result(home_market).at(Terms.named(TERMS[terms])), FLAT, PRICES)


@topic.table("curve", "home_price", "home_terms")
def curve(study: Study, market: HomeMarket) -> pd.DataFrame:
    """Social flats by price and terms."""
    made = {n: {f"{price:.0f}": e for price, e in study.result(priced, n).items()} for n in ("bank", BASE)}
    rows = long_format(made, "home_terms", "home_price", KINDS)
    return rows[rows[KINDS] == FLAT].drop(columns=KINDS)


@topic.table("elasticity", "home_step", "home_terms", "elasticity")
def elasticity(study: Study, market: HomeMarket) -> pd.DataFrame:
    """By how many per cent the demand for social flats falls when the price rises by one."""
    arcs = {name: elasticities(study.result(priced, name), FLAT) for name in ("bank", BASE)}
    made = {name: {f"{low:.0f}_{high:.0f}": e for (low, high), e in own.items()} for name, own in arcs.items()}
    return long_format(made, "home_terms", "home_step", "")


@topic.table("scenarios", "home_scenario", KINDS)
def scenarios(study: Study, market: HomeMarket) -> pd.DataFrame:
    """What each change does to the number of each kind."""
    return long_format(forecasts(study.result(changed)), "home_scenario", KINDS)


@topic.table("views", KINDS, "home_view")
def views(study: Study, market: HomeMarket) -> pd.DataFrame:
    """Demand by the means of the member, as a bank sees them, and by those of the household."""
    return long_format({view: market.at(of=view).demand() for view in ("member", "household")}, "home_view", KINDS)


@topic.table("realised", "home_realisation")
def realised(study: Study, market: HomeMarket) -> pd.DataFrame:
    """Homes bought if a part of what is stated becomes a purchase."""
    every = bought(market.demand())
    made = {
        row.factor: every.apply(partial(np.multiply, float(row.value))) for row in public("realisation").itertuples()
    }
    return long_format(made, "home_realisation", "")


@topic.table("worth", "home_improvement", "income_group", "dh")
def worth(study: Study, market: HomeMarket) -> pd.DataFrame:
    """What an improvement is worth in DH of the price, by income group."""
    table = market.worth().rename(columns={"variable": "home_improvement"})
    return table.loc[table["income_group"] != "unknown", ["home_improvement", "income_group", *NUMBERS, "n"]]


@topic.table("tornado", "home_assumption", "home_end")
def tornado(study: Study, market: HomeMarket) -> pd.DataFrame:
    """Homes bought with each assumption at the ends of its range."""
    known = float(market.computed.sum())
    ends = (point(at.bought(), known, home_assumption=name, home_end=end) for name, end, at in at_ends(market))
    return pd.concat(ends)


def at_ends(market: HomeMarket) -> Iterator[tuple[str, str, HomeMarket]]:
    """The market with an assumption at an end of its range, one at a time: each takes the memory of all cases."""
    offers = public("home_offers")
    varied = offers[(offers["low"] < offers["high"]) & offers["alternative"].isin(BOUGHT)]
    for attribute, rows in varied.groupby("attribute", sort=False):
        for end in ("low", "high"):
            changed = {r["alternative"]: {attribute: float(r[end])} for r in rows.to_dict("records")}
            yield str(attribute), end, market.at(offers=changed)
    for (parameter, end), terms in ranged(TERMS[BASE]).items():
        yield parameter, end, market.at(terms)


def card_model(study: Study) -> ChoiceFit:
    """The model of the cards."""
    return study.result(home_market).fit()


def cards_base(market: HomeMarket) -> Base:
    """Who answered choice cards, of those who were given some."""
    return pd.Series(market.frame.index.isin(market.cards["row"]), market.frame.index), market.frame[
        f"{BLOCK}_version"
    ].notna()


def beyond(market: HomeMarket) -> dict[str, float]:
    """Weighted share of cards on which what was chosen costs more a month than the member can afford."""
    chosen = market.cards[market.cards["chosen"] == 1]
    weights = market.design.weights[market.frame.index.get_indexer(chosen["row"])]
    return {"beyond": float(np.average(chosen["beyond_1k"] > 0, weights=weights))}


choice_models.declare(topic, card_model, KINDS, cards_base, beyond)


@topic.table("tastes_shares", KINDS, "measure", "share", cards_base)
def own_tastes(study: Study, market: HomeMarket) -> pd.DataFrame | None:
    """What tastes that differ between persons change in demand: the stored mixed logit of these very answers."""
    paths = [folder / tastes.NAME for folder in (DATA / "survey", ROOT / "build") if (folder / tastes.NAME).is_file()]
    key = tastes.Subsample(market).key() if paths else ""
    stored = next((table for table in map(pd.read_csv, paths) if set(table["key"]) == {key}), None)
    if stored is None:
        return None
    rows = stored[stored["part"].isin(tastes.VIEWS)]
    columns = {"measure": rows["model"] + "_" + rows["part"], "n": rows["persons"].astype(float)}
    return rows.rename(columns={"name": KINDS}).assign(**columns)[[KINDS, "measure", *NUMBERS, "n"]]

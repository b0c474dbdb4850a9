"""On whom forecasts rest: where few may take what is offered, no number of them is shown, whatever its base is."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.demand.credit import Terms
from welfare_analysis.demand.housing import BOUGHT
from welfare_analysis.demand.loans import PRODUCTS
from welfare_analysis.errors import WelfareError
from welfare_analysis.needs.housing import need_kind
from welfare_analysis.needs.projection import homes_needed
from welfare_analysis.results import TOPICS, declare, release
from welfare_analysis.results.declare import Topic, resting
from welfare_analysis.results.homes import PRICES, TERMS, home_market
from welfare_analysis.results.loans import RATES, loan_market
from welfare_analysis.results.transport import commuters_of, shuttle_of
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

ROWS = pd.DataFrame({"offer": ["a", "b", "c", "all"], "estimate": 20.0, "low": 15.0, "high": 25.0, "n": 60.0})


@pytest.fixture(scope="module")
def study():
    world = generate(Parameters.read(DATA / "public"), 12, "plain", size=5000)
    return Study.of(*(typed(f, BOOK) for f in (world.answers, world.register, world.followup)), BOOK, is_standin=True)


def hidden(rows, unit="homes", **about):
    """Which rows of a table of forecasts are hidden."""
    topic = Topic("t", lambda _: 0, declare.always, unit, None, totals=False, **about)
    topic.table("x", "offer", statistic="total")(lambda *_: rows)
    frame = topic._one(type("Study", (), {"result": lambda _, f: f(None), "population": 1})(), "x").frame
    assert "behind" not in frame
    return frame["flag"].eq("hidden").tolist()


def test_a_forecast_of_few_is_hidden_whatever_its_base_is():
    """Nine who can pay, of sixty of whom it can be computed; ten may be shown, and so may nobody."""
    assert hidden(ROWS.assign(behind=[9.0, 10.0, 0.0, np.nan])) == [True, False, False, False]
    assert hidden(ROWS.assign(unsafe=[False, False, True, False], behind=20.0)) == [False, False, True, False]


def test_a_table_that_names_nobody_rests_on_those_of_its_topic():
    """Not where it counts respondents itself, nor of what is no number of people, homes or money."""
    few = {"behind": lambda study, subject: 9.0}
    assert hidden(ROWS, **few) == [True] * 4
    assert hidden(ROWS.assign(numerator=20.0), **few) == [False] * 4
    assert hidden(ROWS.assign(behind=20.0), **few) == [False] * 4
    assert hidden(ROWS, "dh", **few) == [False] * 4


def test_a_subject_that_no_model_can_be_made_of_is_a_state_and_no_error():
    """Replicate weights of one's own, of which a model knows no error: the table says so in the reader's language."""

    def refused(_):
        raise WelfareError("replicates do not tell the finite correction")

    topic = Topic("t", refused, declare.always, "share", None, totals=False)
    topic.table("x", "offer")(lambda *_: ROWS)
    study = type("Study", (), {"result": lambda self, f: f(self), "population": 1})()
    assert topic._one(study, "x").state == "no_model"


def test_who_may_take_an_offer_is_counted_by_kind():
    """Of three persons two may take a, one b, all either; of a code that nobody has none."""
    may = {"x": pd.DataFrame({"a": [True, True, False], "b": [False, False, True]})}
    rows = pd.DataFrame({"terms": ["x", "x", "x", "y"], "kind": ["a", "b", "all", "a"]})
    assert resting(rows, may, "terms", "kind")["behind"].tolist() == [2, 1, 3, 0]
    assert resting(rows, may, "terms")["behind"].tolist() == [3, 3, 3, 0]


def able(people, market, *kinds):
    """How many of some people may get and can pay a kind, counted person by person."""
    may, can = (t[list(kinds)].eq(True).fillna(value=False).to_numpy() for t in (market.eligible, market.affordable))
    return sum(bool(one) and any(own) for one, own in zip(people, may & can, strict=True))


def made(study, topic, table, subject, keys):
    """On how many respondents each row of a table rests."""
    rows = TOPICS[topic].tables[table].make(study, study.result(subject))
    return {tuple(codes): float(n) for *codes, n in rows[[*keys, "behind"]].itertuples(index=False)}


def test_homes_rest_on_those_who_can_pay_them_on_these_terms(study):
    """At each price and rate, in each case and of each kind; whoever stays at home rests on all who can pay any."""
    market = study.result(home_market)
    at = {name: market.at(Terms.named(TERMS[name])) for name in ("bank", "foundation")}
    curve = made(study, "homes", "curve", home_market, ["home_price", "home_terms"])
    assert len(curve) == 2 * len(PRICES)
    for (price, name), n in curve.items():
        dearer = at[name].at(offers={"social_flat": {"price_dh": float(price)}})
        assert n == able(market.wishers, dearer, "social_flat"), (price, name)
    cases = made(study, "homes", "cases", home_market, ["home_case", "home_number"])
    assert cases["bank", "bought"] == able(market.wishers, at["bank"], *BOUGHT) <= cases["central", "bought"]
    assert cases["bank", "standing_flat"] == able(market.wishers, at["bank"], "standing_flat")
    terms = made(study, "homes", "by_terms", home_market, ["home_terms", "home_alternative"])
    assert terms["bank", "cooperative_plot"] == able(market.wishers, at["bank"], "cooperative_plot")
    wish = made(study, "homes", "by_wish", home_market, ["home_wish", "home_alternative"])
    owners = market.wishes.eq("no_wish_owner") & market.computed
    assert wish["no_wish_owner", "standing_flat"] == able(owners.fillna(value=False), market, "standing_flat") > 0
    assert wish["no_wish_owner", "social_flat"] == 0
    tornado = made(study, "homes", "tornado", home_market, ["home_assumption", "home_end"])
    assert tornado["rate", "high"] < tornado["rate", "low"]


def test_homes_needed_are_of_those_in_each_kind_of_need(study):
    """Members in the backlog by what would meet their need; the kinds are lines of the table."""
    table, market = TOPICS["homes"].tables["need"], study.result(home_market)
    rows = table.make(study, market).drop_duplicates("need_kind").set_index("need_kind")["numerator"]
    assert rows["all"] == rows.drop("all").sum() > 0
    kind = need_kind(market.frame)
    known = homes_needed(market.frame)["backlog"]
    assert rows["money"] == sum(k == "money" and b > 0 for k, b in zip(kind, known.fillna(0.0), strict=True))
    assert "category" in table.adds


def test_choices_of_those_left_out_are_counted(study):
    """Of each alternative the persons, in parts of all, who chose it on their cards; the shares add to one."""
    for topic, kinds in (("homes", "home_alternative"), ("loans", "loan_alternative")):
        table = TOPICS[topic].tables["hold_out"]
        rows = table.make(study, study.result(TOPICS[topic].subject))
        observed = rows[rows["measure"] == "observed"]
        assert (observed["numerator"] - observed["estimate"] * observed["n"]).abs().max() <= 0.5
        assert rows.groupby(kinds)["numerator"].nunique().eq(1).all()
        assert table.adds == (kinds,)


def test_loans_rest_on_those_who_can_pay_them_at_this_rate(study):
    """By rate, stage and case."""
    market = study.result(loan_market)
    curve = made(study, "loans", "curve", loan_market, ["loan_rate", "loan_taken"])
    for name, terms in RATES.items():
        at = market.at({"foundation": Terms.named(terms).rate})
        assert curve[name, "foundation"] == able(market.wishers, at, "foundation")
        assert curve[name, "all"] == able(market.wishers, at, *PRODUCTS)
    stages = made(study, "loans", "files", loan_market, ["loan_stage", "loan_alternative"])
    for product in PRODUCTS:
        assert stages["stated", product] == market.computed.sum() >= stages["eligible", product]
        assert stages["affordable", product] == able(market.wishers, market, product) <= stages["eligible", product]
    joint = made(study, "loans", "joint", loan_market, ["wants_home"])
    assert sum(joint.values()) == able(market.wishers & market.frame["wants_home"].notna(), market, *PRODUCTS)


def test_riders_rest_on_those_to_whom_a_shuttle_is_open(study):
    """By today's mode and corridor, at each fare; the base of the ends of assumptions is that of the forecast."""
    shuttle = study.result(shuttle_of)
    rides = shuttle.open_to.fillna(value=False).astype(bool)
    modes = study.frame["commute_mode"].set_axis(rides.index)[rides].value_counts()
    by_mode = made(study, "transport", "riders_by_mode", commuters_of, ["commute_mode"])
    assert by_mode == {(mode,): n for mode, n in modes.items()}
    curve = made(study, "transport", "curve", commuters_of, ["transport_fare", "transport_headway"])
    assert curve["200", "30"] == shuttle.at(cost_dh=200.0).open_to.fillna(value=False).sum() <= curve["0", "30"]
    whole = release(study)["transport_funnel"].cell("likely", "all")["n"]
    for name in ("transport_tornado", "transport_cases"):
        assert set(release(study)[name].frame["n"]) == {whole}

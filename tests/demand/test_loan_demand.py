"""Demand for consumer loans: choices of products by those who want a loan."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.demand import loans
from welfare_analysis.demand.borrowers import enumerated
from welfare_analysis.demand.credit import Terms
from welfare_analysis.demand.loans import PRODUCTS, TERMS, LoanMarket
from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design
from welfare_analysis.estimation.choice import prepared
from welfare_analysis.estimation.choice.forecast import slopes
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

LEVEL = Parameters.read(DATA / "public")


@pytest.fixture(scope="module")
def people():
    """Everybody's own answers in a population whose choices follow the model."""
    return typed(generate(LEVEL, 6, "plain", size=16_000).truth, BOOK)


@pytest.fixture(scope="module")
def market(people):
    return LoanMarket(people, Design(pd.Series(2.0, people.index)), BOOK, {p: Terms.named(t) for p, t in TERMS.items()})


def test_who_wants_a_loan_is_counted_once(market):
    """Files over the alternatives add up to those who want a consumer loan, a year; by group too."""
    wanting = 2 * market.wanted["consumer"].fillna(False).astype(bool).sum() / loans.assumed("wish_years")
    for restricted in (True, False):
        assert market.demand(restricted).value["files"].sum() == pytest.approx(wanting, rel=1e-9)
    status = market.frame["status"].astype(object).rename("status")
    by = market.demand(by=status).value["files"].groupby(level=1).sum()
    known = status[market.wanted["consumer"].fillna(False).astype(bool)].value_counts()
    np.testing.assert_allclose(by, known[by.index], rtol=1e-9)


def test_files_and_dirhams_by_hand(market):
    """Sample enumeration, computed with NumPy: sums of probabilities, and of probabilities times amounts."""
    open_to = market.eligible & market.affordable
    long = market.put(market.computed, open_to)
    b, u = market.fit().value, 0.0
    for name in ("amount_100k", "term_years"):
        u = u + b[name] * long[name]
    for name in ("rate_points", "insurance_100"):
        u = u + long[name] * b[[f"{name}:C(income_group)[{g}]" for g in long["income_group"]]].to_numpy()
    for p in PRODUCTS:
        first = f"C(alternative)[T.{p}]"
        shift = b[first] + sum(b[f"{first}:{s}"] * long[s] for s in loans.SHIFTS if f"{first}:{s}" in b)
        u = u + shift * (long["alternative"] == p)
    e = np.exp(u)
    p = e / e.groupby(long["row"]).transform("sum")
    taken, amount = long["alternative"] == "foundation", market.amount[long["row"]].to_numpy()
    scale = market.wanted["consumer"].fillna(False).astype(bool).sum() / market.computed.sum()
    found = market.demand().value
    assert found["files", "foundation"] == pytest.approx(p[taken].sum() * scale, rel=1e-9)
    assert found["dh", "foundation"] == pytest.approx((p * amount)[taken].sum() * scale, rel=1e-9)


def test_error_of_a_sum_by_the_coefficients(market):
    """The derivative of what choices bring is that of differences of the forecast."""
    some = market.computed & (np.arange(len(market.frame)) % 7 == 0)
    long, values = market.put(some), {"dh": market.amount}
    fit, design = market.fit(), market.design
    to, there = prepared(fit, design, long, "row"), design.index.isin(long["row"])
    dh = np.tile(market.amount.fillna(0.0).to_numpy()[:, None], len(to.cases.alternatives))
    moves = slopes(fit, to, design.domains(where=there), dh) / design.weights[there].sum()
    at = list(to.cases.alternatives).index("foundation")
    for name in ("rate_points:C(income_group)[low]", "term_years", "C(alternative)[T.participatory]"):
        place, step = fit.value.index.get_loc(name), 1e-4
        ends = []
        for sign in (1, -1):
            moved = replace(fit, value=fit.value + sign * step * (fit.value.index == name))
            ends.append(enumerated(moved, market.design, long, values).value.iloc[at])
        slope = (ends[0] - ends[1]) / (2 * step)
        assert moves[at, place] == pytest.approx(slope, rel=1e-5)


def test_a_dearer_loan_is_taken_less(market):
    """Files of the Foundation fall with its rate, those of the others rise, and fewer loans are taken in all."""
    levels = [market.at({"foundation": rate}).demand().value["files"] for rate in (0.05, 0.065, 0.0728, 0.12)]
    own = [v["foundation"] for v in levels]
    assert own == sorted(own, reverse=True)
    assert [v["conventional"] for v in levels] == sorted(v["conventional"] for v in levels)
    assert [v["no_loan"] for v in levels] == sorted(v["no_loan"] for v in levels)


def test_what_is_taken_can_be_had_and_carried(market):
    """Where nobody can carry a loan nobody takes one; those in arrears and over the age take none."""
    poor = replace(market, frame=market.frame.assign(net_pay_dh=1500.0, pension_dh=1500.0))
    assert poor.demand().value["files"][list(PRODUCTS)].max() == pytest.approx(0, abs=1e-9)
    late = market.frame["arrears"].eq("yes").fillna(False)
    assert not market.eligible[late].fillna(False).to_numpy().any()
    old = market.frame["age"] >= 80
    assert not market.eligible[old].fillna(False).to_numpy().any()
    within = (market.eligible & market.affordable).fillna(False).astype(bool)
    for p in PRODUCTS:
        assert (market.instalments[p][within[p]] <= market.capacity[within[p]] + 1e-9).all()


def test_rules_of_pensioners():
    """Pensions: 60 months, three files, the agreed rate at the bank, no more than 40 % and 1,500 DH left."""
    own = loans.pensioners(Terms.named("consumer_bank"), "conventional")
    assert (own.months, own.files_most_n, own.rate) == (60, 3, 0.1107)
    assert loans.pensioners(Terms.named("consumer_foundation"), "foundation").rate == 0.065
    frame = pd.DataFrame(
        {
            "status": "retired", "age": [62.0, 62.0, 74.5, 62.0], "net_pay_dh": np.nan, "pension_dh": 5000.0,
            "has_loan": ["no", "yes", "no", "no"], "loans_n": [np.nan, 3, np.nan, np.nan],
            "consumer_deduction_dh": [0.0, 100, 0, 0], "housing_deduction_dh": 0.0, "arrears": "no",
            "wants_loan": "yes", "loan_purpose": "car", "loan_amount_dh": [50_000.0, 50_000, 50_000, 100_000],
            "loan_term_months": 84.0, "loan_version": np.nan, "wants_home": "no",
        }
    )  # fmt: skip
    terms = {p: Terms.named(t) for p, t in TERMS.items()}
    market = LoanMarket(frame, Design(pd.Series(1.0, frame.index)), BOOK, terms)
    assert market.months["foundation"].tolist() == [60, 60, 6, 60]
    assert market.eligible["foundation"].tolist() == [True, False, False, True]
    assert market.capacity.tolist() == [2000, 1900, 2000, 2000]
    cost = 50_000 * terms["foundation"].cost(60)
    assert market.instalments["foundation"].iloc[0] == pytest.approx(cost)
    assert market.affordable["foundation"].tolist() == [True, True, False, False]


def test_instalments_of_the_press():
    """The annuity table of the facts: 100,000 DH over 84 months at 6.5, 7.28 and 12 % before VAT and insurance."""
    for rate, known in ((0.065, 1485), (0.0728, 1523), (0.12, 1765)):
        assert 1e5 * Terms(rate, 84).cost(84) == pytest.approx(known, abs=0.5)


def test_the_truth_of_the_cards_is_recovered(market):
    """Simulate and recover: rate and insurance by income group, amount and term, within chance of their effects."""
    b, se = market.fit().value, market.fit().se
    factors = {"middle": 1.0, "low": LEVEL["price_low_factor"]}
    known = {"amount_100k": LEVEL["loan_amount_dh_effect"], "term_years": LEVEL["loan_term_months_effect"]}
    for name, attribute in (("rate_points", "rate_pct"), ("insurance_100", "insurance_dh")):
        known |= {f"{name}:C(income_group)[{g}]": f * LEVEL[f"loan_{attribute}_effect"] for g, f in factors.items()}
    z = pd.Series({name: (b[name] - value) / se[name] for name, value in known.items()})
    assert z.abs().max() < 3.5
    assert (se[list(known)] < 0.25 * pd.Series(known).abs()).all()


def test_what_was_not_asked_is_named(people):
    """Without the wish or the purpose there is no market, and the error names the question."""
    study = Study.of(people.drop(columns="loan_purpose"), None, None, BOOK)
    with pytest.raises(WelfareError, match="loan_purpose"):
        loans.market(study)

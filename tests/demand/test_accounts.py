"""One account for a home and a consumer loan."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.demand import accounts, housing, loans
from welfare_analysis.demand.credit import Terms
from welfare_analysis.demand.housing import OFFERED
from welfare_analysis.estimation import Design
from welfare_analysis.needs import income_debt
from welfare_analysis.study import DATA, public
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

BOOK = Codebook.read(DATA / "codebook")
OFFERS = public("home_offers").pivot(index="alternative", columns="attribute", values="value").loc[list(OFFERED)]


@pytest.fixture(scope="module")
def pair():
    """Homes and loans before the same people."""
    people = typed(generate(Parameters.read(DATA / "public"), 4, "plain", size=6000).truth, BOOK)
    design = Design(pd.Series(np.random.default_rng(1).uniform(1, 3, len(people)), people.index))
    home = housing.HomeMarket(people, design, BOOK, OFFERS, Terms.named("housing_foundation"))
    return home, loans.LoanMarket(people, design, BOOK, {p: Terms.named(t) for p, t in loans.TERMS.items()})


@pytest.fixture(scope="module")
def account(pair):
    return accounts.account(*pair)


@pytest.mark.parametrize("order", [("home", "loan"), ("loan", "home")])
def test_nobody_passes_the_limit(pair, order):
    """Instalments of all that a person draws, and the running ones, never pass min(40 % of net, net - 1,500 DH)."""
    made = accounts.account(*pair, order=order)
    who = pair[0].computed & pair[1].computed
    frame = pair[0].frame[who]
    income, service = income_debt.member_income_dh(frame), income_debt.debt_service_dh(frame)
    limit = np.minimum(0.4 * income, income - 1500).to_numpy()
    both = 0
    for seed in range(5):
        drawn = made.simulated(np.random.default_rng(seed))
        new = drawn["first_dh"].to_numpy() + drawn["second_dh"].to_numpy()
        takes = new > 0
        assert (new[takes] + service.to_numpy()[takes] <= limit[takes] + 0.01).all()
        both += int(((drawn["first_dh"] > 0) & (drawn["second_dh"] > 0)).sum())
    assert both > 20


def test_the_states_are_the_mean_of_what_is_drawn(account):
    """Simulated shares are near the enumerated ones."""
    found = account.drawn({"files": np.ones((len(account.capacity), 1))}).value["files"]
    drawn = pd.concat([account.simulated(np.random.default_rng(s))["second"] for s in range(60)])
    w = np.tile(account.second.to.cases.design.weights[account.second.rows], 60)
    shares = np.bincount(drawn, w, len(found)) / w.sum()
    np.testing.assert_allclose(shares, found, atol=0.01)


def test_alone_it_is_the_market(pair, account):
    """Without a home the loans are those of the market of loans, with its error; with one they are fewer."""
    one = {"files": np.ones((len(account.capacity), 1))}
    alone, after = account.drawn(one, alone=True), account.drawn(one)
    both = pair[0].computed & pair[1].computed
    market = pair[1].demand(where=both).value["files"] / loans.per_year(pair[1].number(where=both)).value.iloc[0]
    np.testing.assert_allclose(alone.value["files"], market, rtol=1e-9)
    products = list(loans.PRODUCTS)
    assert (after.value["files"][products] < alone.value["files"][products]).all()
    assert after.value["files"].sum() == pytest.approx(1)
    assert (after.se > 0).all()


def test_derivatives_of_both_models(account):
    """By the coefficients of either model: those of differences of the sum itself."""
    w = account.second.to.cases.design.weights[account.second.rows]
    p, q = account.states()
    v = w[:, None] * np.ones((len(w), 1))
    for side, slopes in ((account.first, account._by_first(p, q, v)), (account.second, account._by_second(p, q, v))):
        for place in (0, 3, len(side.model.theta) - 1):
            ends = []
            for sign in (1, -1):
                theta = side.model.theta.copy()
                theta[place] += sign * 1e-5
                if side is account.first:
                    ends.append(np.einsum("i,ih,ihj->j", w, side.probabilities(theta), q))
                else:
                    ends.append(np.einsum("i,ih,ihj->j", w, p, side.probabilities(theta, account.left)))
            gap = (ends[0] - ends[1]) / 2e-5
            np.testing.assert_allclose(slopes[:, place], gap, rtol=1e-4, atol=1e-7 * w.sum())


def test_the_expected_instalment_lets_too_much_through(account):
    """Some loan would fit beside the mean instalment of a person's homes, and not beside a home that may be drawn."""
    p, _ = account.states()
    mean = (p * np.where(p > 0, account.first.monthly, 0.0)).sum(axis=1)
    cost, open_ = account.second.monthly[:, -1], account.second.open[:, -1]
    by_mean = open_ & (cost <= account.capacity - mean)
    in_a_state = (p > 0) & (cost[:, None] > account.left + accounts.CENTIME)
    assert (by_mean & in_a_state.any(axis=1)).mean() > 0.02


def test_errors_of_both_models_are_in_the_sum(account):
    """The influence is that of the people, counted once, and of the coefficients of either model: made by hand."""
    found = account.drawn({"files": np.ones((len(account.capacity), 1))})
    design, rows = account.second.to.cases.design, account.second.rows
    w, (p, q) = design.weights[rows], account.states()
    chance = np.einsum("ih,ihj->ij", p, q)
    known = np.zeros((design.n, chance.shape[1]))
    known[rows] = (chance - w @ chance / w.sum()) / w.sum()
    for side, slopes in ((account.first, account._by_first), (account.second, account._by_second)):
        known += side.model.influence @ (slopes(p, q, w[:, None]) / w.sum()).T
    np.testing.assert_allclose(found.influence.toarray(), known, atol=1e-12)

"""Choice cards: what they show, and the long frame of the answers."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from books import BOOK
from scipy.optimize import minimize

from welfare_analysis.errors import WelfareError
from welfare_analysis.survey import cards


@pytest.mark.parametrize(
    ("rate", "months", "instalment"),
    [(4.5, 60, 1864), (6.03, 300, 646), (6.5, 84, 1485), (7.28, 180, 915), (12, 60, 2224), (0, 100, 1000)],
)
def test_the_instalment_is_the_annuity(rate, months, instalment):
    """Per 100,000 DH, to the dirham (table of public rates of 2012)."""
    assert cards.instalment(np.array([1e5]), np.array([rate]), np.array([months]))[0] == instalment


def test_instalments_on_cards_follow_from_their_terms():
    """A loan's instalment is the annuity of its amount, rate and term; a home's is a share of its price, to 10 DH."""
    loans = cards.stored(BOOK, "loan")
    annuity = cards.instalment(*(loans[c].to_numpy() for c in ("amount_dh", "rate_pct", "term_months")))
    assert loans["instalment_dh"].tolist() == annuity.tolist()
    homes = cards.stored(BOOK, "home").query("price_dh > 0")
    shares = homes["instalment_dh"] / homes["price_dh"]
    levels = np.array([0.00556, 0.00646, 0.00845])
    assert np.abs(shares.to_numpy()[:, None] - levels).min(axis=1).max() < 5.01 / 80000


def answered(**more):
    """Two forms of the home block: a tenant who serves, and a widow who owns and skipped a card."""
    frame = pd.DataFrame(
        {
            "person_id": ["p1", "p2"],
            "status": ["active", "widow"],
            "tenure": ["tenant", "owner"],
            "has_loan": ["yes", "no"],
            "rent_dh": [1500.0, np.nan],
            "housing_deduction_dh": [200.0, np.nan],
            "dwelling_m2": [70.0, 90.0],
            "commute_km": [12.0, np.nan],
            "services_km": [2.0, np.nan],
            "home_version": [2.0, 3.0],
            **{f"home_card_{i}": ["stay", "social_flat"] for i in range(1, 7)},
        }
    )
    return frame.assign(home_card_4=["standing_flat", None], **more)


def test_answers_become_one_row_an_alternative():
    """Cards of the person's version, in order; one chosen a card; a card without an answer has no rows (hand-made)."""
    long = cards.long(answered(), BOOK, "home")
    assert len(long) == (6 + 5) * 5
    assert long["case"].tolist() == list(np.repeat(np.arange(11), 5))
    assert (long.groupby("case")["chosen"].sum() == 1).all()
    fourth = long[(long["person_id"] == "p1") & (long["card"] == 4)].set_index("alternative")
    assert fourth["chosen"].idxmax() == "standing_flat"
    design = cards.stored(BOOK, "home").query("version == 2 and card == 4").set_index("alternative")
    offered = ["price_dh", "instalment_dh", "size_m2", "work_km", "services_km"]
    assert fourth.loc["social_flat", offered].tolist() == design.loc["social_flat", offered].tolist()
    assert set(long.loc[long["person_id"] == "p2", "card"]) == {1, 2, 3, 5, 6}


def test_what_a_person_has_is_the_persons_own():
    """Rent and housing deduction, area and distances where answered; 0 where not asked; the reference elsewhere."""
    long = cards.long(answered(), BOOK, "home")
    stay = long[long["alternative"] == "stay"].drop_duplicates("person_id").set_index("person_id")
    assert stay.loc["p1", ["instalment_dh", "size_m2", "work_km", "services_km"]].tolist() == [1700, 70, 12, 2]
    assert stay.loc["p2", ["instalment_dh", "size_m2", "work_km", "services_km"]].tolist() == [0, 90, 0, 1]
    assert (long.loc[long["person_id"] == "p2", "work_km"] == 0).all()  # a widow has no way to work
    assert (long.loc[(long["person_id"] == "p1") & (long["alternative"] == "social_flat"), "work_km"] > 0).all()


def test_forms_without_keys_keep_their_rows():
    """Without a key a person is told by the row's label."""
    long = cards.long(answered().drop(columns=["person_id", "status"]).set_axis([7, 3]), BOOK, "home")
    assert long["person_id"].unique().tolist() == [7, 3]


@pytest.mark.parametrize(
    ("change", "message"),
    [({"home_version": [9.0, 1.0]}, "a version that has no cards"), ({"drop": "home_card_2"}, "not asked")],
)
def test_answers_that_fit_no_cards_are_told(change, message):
    """A version beyond the design, or a column that is not there, is an error in a sentence."""
    frame = answered().drop(columns=change["drop"]) if "drop" in change else answered(**change)
    with pytest.raises(WelfareError, match=message):
        cards.long(frame, BOOK, "home")


def test_the_prior_is_recovered_from_simulated_answers():
    """Simulate and recover: logit choices on the cards, fitted by maximum likelihood, within 4 standard errors."""
    rng, n, block = np.random.default_rng(3), 3000, cards.Block.of(BOOK, "commute")
    frame = pd.DataFrame(
        {"commute_version": rng.integers(1, 5, n), **{f"commute_card_{i}": "current" for i in range(1, 7)}}
    )
    x = block.matrix(_values(cards.long(frame, BOOK, "commute"), block))
    p = cards.shares(x, block.prior.to_numpy())
    picked = (p.cumsum(axis=1) < rng.random((len(p), 1))).sum(axis=1)
    codes = np.array(block.alternatives, dtype=object)[picked].reshape(n, 6)
    chosen = frame.assign(**{f"commute_card_{i + 1}": codes[:, i] for i in range(6)})
    long = cards.long(chosen, BOOK, "commute")
    x = block.matrix(_values(long, block))
    y = long["chosen"].to_numpy().reshape(-1, 4).argmax(axis=1)
    assert (y == picked).all()
    scale = np.abs(x).max(axis=(0, 1))

    def loss(b):
        u = (x / scale) @ b
        e = np.exp(u - u.max(axis=1, keepdims=True))
        q = e / e.sum(axis=1, keepdims=True)
        at = np.arange(len(y))
        return -np.log(q[at, y]).mean(), ((q[:, :, None] * x / scale).sum(axis=1) - (x / scale)[at, y]).mean(axis=0)

    fit = minimize(loss, np.zeros(len(scale)), jac=True, method="BFGS")
    se = np.sqrt(np.diag(np.linalg.inv(cards.information(x, block.prior.to_numpy()).sum(axis=0))))
    assert np.abs((fit.x / scale - block.prior.to_numpy()) / se).max() < 4


def _values(long, block):
    return long[list(block.attributes)].to_numpy().reshape(-1, len(block.alternatives), len(block.attributes))


def test_a_card_is_shown_in_words_and_numbers():
    """What a person has is as now; what an alternative lacks is a dash; widows see no distance to work."""
    card = cards.shown(BOOK, "home", "fr", "widow")[1, 1]
    own = BOOK.label("home_alternative", "stay", "fr")
    assert card[own].tolist() == ["\u2013", "comme aujourd’hui", "comme aujourd’hui", "comme aujourd’hui", "\u2013"]
    assert not any("travail" in label for label in card.index)
    design = cards.stored(BOOK, "home").query("version == 1 and card == 1").set_index("alternative")
    price = card.loc[
        BOOK.label("card_attribute", "price_dh", "fr"), BOOK.label("home_alternative", "social_flat", "fr")
    ]
    rental = BOOK.label("home_alternative", "service_rental", "fr")
    assert card.loc[BOOK.label("card_attribute", "price_dh", "fr"), rental] == "\u2013"
    assert price.replace("\u202f", "") == f"{design.loc['social_flat', 'price_dh']:.0f}"


def test_faults_in_the_cards_are_told():
    """An unknown block, and a level that is no number, are errors in a sentence."""
    with pytest.raises(WelfareError, match="no such block"):
        cards.Block.of(BOOK, "flat")
    broken = replace(BOOK, cards=BOOK.cards.assign(levels=BOOK.cards["levels"].str.replace("250000", "much")))
    with pytest.raises(WelfareError, match=r"cards.csv, block home"):
        cards.Block.of(broken, "home")

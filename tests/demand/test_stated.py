"""Cards as a choice model, and an offer before everybody."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.demand import stated
from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, mean, total
from welfare_analysis.estimation.choice import predicted_shares
from welfare_analysis.study import DATA
from welfare_analysis.survey import cards
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

PAID, OTHERS = ("price_100k", "instalment_1k"), ("size_10m2", "work_10km", "services_10km", "wait_years")
SHIFTS = ("tenant", "owner", "crowded", "active", "decade", "log_income")


@pytest.fixture(scope="module")
def people():
    """Everybody's own answers in a population whose choices follow the model: no scale, no habits, no errors."""
    truth = typed(generate(Parameters.read(DATA / "public"), 3, "plain", size=24_000).truth, BOOK)
    return truth.set_index(pd.RangeIndex(100, 100 + len(truth)))


@pytest.fixture(scope="module")
def known(people):
    return stated.persons(people, "home")


@pytest.fixture(scope="module")
def long(people, known):
    return stated.observed(people, BOOK, "home", known)


@pytest.fixture(scope="module")
def fit(people, long):
    return stated.fitted(Design(pd.Series(1.0, people.index)), long, stated.formula(long, PAID, OTHERS, SHIFTS))


def test_income_groups_are_those_of_the_well_specified_population(people, known):
    """What one minds a price differs by income group: model and generator draw the line at the same incomes."""
    level = Parameters.read(DATA / "public")
    assert stated.INCOME_EDGES[1:3] == (level["income_low_dh"], level["income_high_dh"])
    assert set(known["income_group"]) == {"low", "middle", "high"}


def test_the_truth_of_the_cards_is_recovered(fit):
    """Simulate and recover: attributes and what one pays by income group, within chance of their true effects."""
    level = Parameters.read(DATA / "public")
    factors = {"middle": 1.0, "low": level["price_low_factor"], "high": level["price_high_factor"]}
    known = {name: level[f"home_{name}_effect"] for name in ("size_m2", "work_km", "services_km", "delivery_months")}
    true = dict(zip(OTHERS, known.values(), strict=True))
    for name, attribute in zip(PAID, ("price_dh", "instalment_dh"), strict=True):
        true |= {f"{name}:C(income_group)[{g}]": f * level[f"home_{attribute}_effect"] for g, f in factors.items()}
    z = pd.Series({name: (fit.value[name] - value) / fit.se[name] for name, value in true.items()})
    assert z.abs().max() < 3.5
    assert (fit.se[list(OTHERS)] < 0.1 * pd.Series(known.values(), OTHERS).abs()).all()


def test_a_card_put_before_those_who_had_it_is_that_card(people, known, long):
    """An offer with the levels of a stored card gives the rows of that card, own attributes included."""
    had = people[people["home_version"] == 2]
    shown = cards.stored(BOOK, "home").query("version == 2 and card == 3").set_index("alternative")
    offers = shown.drop(index="stay", columns=["version", "card"])
    put = stated.offered(had, BOOK, "home", known, offers).set_index(["row", "alternative"])
    asked = long[(long["card"] == 3) & long["row"].isin(had.index)].set_index(["row", "alternative"])
    columns = ["price_100k", "instalment_1k", *OTHERS, *SHIFTS, "income_group"]
    pd.testing.assert_frame_equal(put.loc[asked.index, columns], asked[columns])


def test_shares_of_everybody_are_the_mean_of_their_probabilities(people, known, fit):
    """Sample enumeration, computed row by row with NumPy, with an alternative that is closed to some."""
    offers = pd.DataFrame({"price_dh": [2e5], "size_m2": [65.0]}, index=["social_flat"])
    some = people.iloc[:60]
    monthly = {("social_flat", "instalment_dh"): pd.Series(np.arange(60) * 20.0, some.index)}
    closed = pd.DataFrame({"social_flat": np.arange(60) % 3 > 0}, index=some.index)
    put = stated.offered(some, BOOK, "home", known, offers, monthly, closed)
    assert len(put) == 60 + 40
    found = predicted_shares(fit, fit.design, put, person="row").value
    b, of = fit.value, known.loc[put["row"]].reset_index(drop=True)
    utility = put[list(OTHERS)] @ b[list(OTHERS)]
    for name in PAID:
        utility += put[name] * b[[f"{name}:C(income_group)[{g}]" for g in of["income_group"]]].to_numpy()
    flat = "C(alternative)[T.social_flat]"
    shift = b[flat] + sum(b[f"{flat}:{name}"] * of[name] for name in SHIFTS)
    e = np.exp(utility + shift * (put["alternative"] == "social_flat"))
    p = e / e.groupby(put["row"]).transform("sum")
    taken = p[put["alternative"] == "social_flat"].sum() / 60
    assert found["share", "social_flat"] == pytest.approx(taken, rel=1e-10)


def test_what_the_cards_do_not_have_is_refused(people, known):
    """Another alternative or attribute, and a blank in what differs from person to person, are named."""
    with pytest.raises(WelfareError, match="not on the cards"):
        stated.offered(people, BOOK, "home", known, pd.DataFrame({"price_dh": [1.0]}, index=["castle"]))
    with pytest.raises(WelfareError, match="not on the cards"):
        stated.offered(people, BOOK, "home", known, pd.DataFrame({"rooms": [1.0]}, index=["social_flat"]))
    blank = {("social_flat", "instalment_dh"): pd.Series(np.nan, people.index)}
    with pytest.raises(WelfareError, match="is missing"):
        stated.offered(people, BOOK, "home", known, pd.DataFrame({"price_dh": [1.0]}, index=["social_flat"]), blank)


def test_what_is_not_known_of_persons_is_left_out_of_the_model(people):
    """Answers without income and tenure give one price for all and fewer shifts, not an error."""
    few = people[["status", "age", *(c for c in people if c.startswith("home_"))]]
    long = stated.observed(few, BOOK, "home", stated.persons(few, "home"))
    model = stated.formula(long, PAID, OTHERS, SHIFTS)
    assert "income_group" not in model
    assert "tenant" not in model
    assert stated.fitted(Design(pd.Series(1.0, few.index)), long, model).n_cases


def test_shares_and_sizes_are_of_the_same_domains():
    """Of one region nobody's share is known: neither numbers of other regions nor an error of the program."""
    design, one = Design(np.ones(6)), pd.Series(1.0, range(6), name="one")
    region, known = pd.Series([*"aabbcc"], name="region"), pd.Series([True] * 4 + [False] * 2)
    shares = mean(design, one, by=region, where=known)
    sizes = {codes: total(design, one, by=region, where=region.isin([*codes])).as_positive() for codes in ("ab", "bc")}
    assert stated.times(shares, sizes["ab"], shares.value.index).value.tolist() == [2, 2]
    for other in (sizes["bc"], total(design, one, by=region).as_positive()):
        with pytest.raises(WelfareError, match="other domains"):
            stated.times(shares, other, shares.value.index)

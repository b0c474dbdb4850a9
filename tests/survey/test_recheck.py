"""A recheck: who is drawn, and how its file becomes a further phase of the answers."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design
from welfare_analysis.survey.recheck import checked, drawn, needed, of_those_left


@pytest.fixture
def answered():
    """Two hundred persons by form, and forty who answered in the follow-up and stand for many; half have a loan."""
    loan = np.tile(["yes", "no"], 120)
    outcome = np.repeat(["returned", "answered"], [200, 40])
    keys = [f"P{i:03d}" for i in range(240)]
    frame = pd.DataFrame({"person_id": keys, "outcome": outcome, "has_loan": loan, "rooms_n": 2.0, "rent_dh": 900.0})
    return frame, np.repeat([1.0, 8.0], [200, 40])


def seen(answered, n=60, rooms=3.0):
    frame, weights = answered
    some = drawn(frame, weights, n, np.random.default_rng(1)).reset_index(drop=True)
    return some.assign(outcome="answered", rooms_n=rooms, rent_dh=np.nan)


def test_those_who_stand_for_many_and_those_with_a_loan_are_seen_more(answered):
    """Of 60: the followed-up have 320 of 520 in weight, and a loan counts twice."""
    some = drawn(*answered, 60, np.random.default_rng(1))
    counts = some["stratum"].value_counts().to_dict()
    assert counts == {"follow-up|loan": 20, "follow-up|none": 12, "form|loan": 15, "form|none": 8}
    assert some.groupby("stratum")["stratum_population"].first().sum() == 240
    turned = answered[0].iloc[::-1], answered[1][::-1]
    assert set(drawn(*turned, 60, np.random.default_rng(1))["stratum"].value_counts().items()) == set(counts.items())


def test_they_are_a_sample_of_those_who_answered_with_what_was_found_in_the_place_of_what_they_said(answered):
    frame, weights = answered
    design, found, asked = checked(frame, Design(weights), seen(answered))
    assert asked == ["rooms_n"]
    assert design.weights.sum() == pytest.approx(240)
    assert (found["rooms_n"] == 3.0).all()
    assert (found["rent_dh"] == 900.0).all()  # nobody looked into it
    assert (frame["person_id"].to_numpy()[design.index] == found["person_id"]).all()


def test_few_of_a_stratum_stand_with_the_others_who_answered_alike(answered):
    frame, weights = answered
    some = seen(answered)
    some.loc[(some["stratum"] == "form|loan") & (some.groupby("stratum").cumcount() > 1), "outcome"] = "refused"
    design, found, _ = checked(frame, Design(weights), some)
    back = found["outcome"] == "returned"
    assert design.weights[back.to_numpy()] == pytest.approx(np.full(back.sum(), 200 / back.sum()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.assign(person_id="X" + f["person_id"]), "persons gave no answer that counts"),
        (lambda f: f.assign(stratum_population=10), "the strata are not all who answered"),
    ],
)
def test_a_recheck_of_others_is_refused(answered, change, message):
    with pytest.raises(WelfareError, match=message):
        checked(answered[0], Design(answered[1]), change(seen(answered)))


def test_what_some_found_is_not_carried_over_to_a_status_that_nobody_saw(answered):
    """A fifth of those who answered are retired, and none of them showed papers."""
    frame = answered[0].assign(status=np.where(np.arange(240) % 5 == 0, "retired", "active"))
    some = seen((frame, answered[1]))
    some["outcome"] = np.where(some["person_id"].str[1:].astype(int) % 5 == 0, "refused", "answered")
    with pytest.raises(WelfareError, match="nearly nobody of a status showed papers; got 'retired'"):
        checked(frame, Design(answered[1]), some)


def test_where_forms_in_doubt_are_left_out_their_persons_and_their_part_of_the_strata_go(answered):
    frame, _ = answered
    some = seen(answered)
    gone = some["person_id"].iloc[0]
    after = frame.loc[frame["person_id"] != gone, "person_id"]
    left = of_those_left(some, frame["person_id"], after)
    assert len(left) == len(some) - 1
    assert left.groupby("stratum")["stratum_population"].first().sum() == pytest.approx(239)
    stranger = pd.concat([some, some.iloc[[0]].assign(person_id="other")])
    assert "other" in set(of_those_left(stranger, frame["person_id"], after)["person_id"])  # refused later, not lost


def test_as_many_are_needed_as_the_variance_says():
    """Of 1 in 10 wrong, to a point: z squared times 0.09 over 0.01 squared."""
    assert needed(0.01, 0.1) == int(np.ceil(1.959963984540054**2 * 0.1 * 0.9 / 0.01**2)) == 3458

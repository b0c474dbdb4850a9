"""Who answered, the bias of who did, and what the silent could change."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, share, total
from welfare_analysis.results.weights import answered
from welfare_analysis.survey.response import collection, pattern_mixture, without_followup
from welfare_analysis.survey.weighting import household_share, trimmed, weight, weight_bands


@pytest.fixture
def asked():
    """A register of 100: 40 returned a form; of the 60 silent 30 were drawn in two strata, 20 answered, 4 refused."""
    register = pd.DataFrame(
        {
            "person_id": [f"p{i}" for i in range(100)],
            "status": np.where(np.arange(100) % 2 == 0, "active", "retired"),
            "rank_group": "guards",
            "age_group": "30_39",
            "command_group": "north",
            "sex": "m",
        }
    )
    answers = register[["person_id"]].iloc[:40].assign(need=np.arange(40) < 30)
    drawn = register.iloc[40:70]
    outcome = np.r_[np.repeat("answered", 20), np.repeat("refused", 4), np.repeat("not_reached", 6)]
    stratum = np.where(np.arange(30) < 10, "a", "b")
    followup = pd.DataFrame(
        {
            "person_id": drawn["person_id"].to_numpy(),
            "stratum": stratum,
            "stratum_population": np.where(stratum == "a", 20, 40),
            "outcome": outcome,
            "need": np.where(outcome == "answered", np.arange(30) % 4 == 0, None),
        }
    )
    return register, answers, followup


def test_response_rate_by_hand(asked):
    """RR1 weighted for the selection: 40 forms, and of stratum a 20 x 10/10, of b 40 x 10/20, of 100 persons."""
    found = collection(*asked)
    assert share(found.design, found.frame["responded"]).value.iloc[0] == pytest.approx((40 + 20 + 20) / 100)
    assert share(found.design, found.frame["refused"]).value.iloc[0] == pytest.approx(40 * 4 / 20 / 100)
    parts = [share(found.design, found.frame[n]).value.iloc[0] for n in ("responded", "refused", "unreached")]
    assert sum(parts) == pytest.approx(1)
    assert answered(asked[2]).value.iloc[0] == pytest.approx(40 / 60)


def test_who_returned_is_known_of_all(asked):
    """The return rate of the register has no sampling error; each person has one disposition."""
    found = collection(*asked)
    rate = share(found.census, found.register["returned"], by=found.register["status"])
    assert rate.value.tolist() == [0.4, 0.4]
    assert rate.se.tolist() == [0, 0]
    counts = found.register["disposition"].value_counts()
    assert counts.to_dict() == {"returned": 40, "not_selected": 30, "answered": 20, "not_reached": 6, "refused": 4}


def test_without_a_follow_up_all_others_are_silent(asked):
    """One mailing: the response rate is the part that returned the form, exactly."""
    register, answers, _ = asked
    found = collection(register, answers, None)
    rate = share(found.design, found.frame["responded"])
    assert (rate.value.iloc[0], rate.se.iloc[0]) == (0.4, 0)


def test_bias_is_the_difference_and_its_error_that_of_both_phases(asked):
    """Given who returned the form their share is known: the bias has the standard error of the estimate."""
    register, answers, followup = asked
    study = weight(answers, register, followup)
    both = share(study.design, study.frame["need"].astype(bool))
    gap = without_followup(both, pd.Series(0.75, index=both.value.index))
    assert gap.value.iloc[0] == pytest.approx(0.75 - both.value.iloc[0])
    assert gap.se.iloc[0] == pytest.approx(both.se.iloc[0], rel=1e-8)


def test_pattern_mixture_by_hand(asked):
    """At odds of one the band is the share; else the silent part of the follow-up moves to the other odds."""
    register, answers, followup = asked
    found = weight(answers, register, followup)
    y, late = found.frame["need"].astype(bool), found.frame["outcome"] == "answered"
    w = found.design.weights
    at_one = pattern_mixture(found.design, y, late, 2 / 3, 1.0)
    assert at_one.value.iloc[0] == pytest.approx(np.average(y, weights=w), rel=1e-12)
    early_share, late_share = (np.average(y[m], weights=w[m]) for m in (~late.to_numpy(), late.to_numpy()))
    part = w[late].sum() / w.sum()
    for odds in (0.5, 2.0):
        silent = odds * late_share / (1 - late_share + odds * late_share)
        by_hand = (1 - part) * early_share + part * (2 / 3 * late_share + 1 / 3 * silent)
        assert pattern_mixture(found.design, y, late, 2 / 3, odds).value.iloc[0] == pytest.approx(by_hand, rel=1e-10)


def test_band_needs_the_follow_up(asked):
    """Odds of zero and a follow-up of which nobody answered are errors."""
    register, answers, followup = asked
    found = weight(answers, register, followup)
    y, late = found.frame["need"].astype(bool), found.frame["outcome"] == "answered"
    with pytest.raises(WelfareError, match="cannot be computed"):
        pattern_mixture(found.design, y, late, 2 / 3, 0.0)
    with pytest.raises(WelfareError, match="nobody of the follow-up"):
        pattern_mixture(found.design, y, late & False, 2 / 3, 2.0)


def test_households_count_once():
    """Weight shares: over all samples the total is the number of households, however many members each has."""
    sizes = np.array([1, 1, 2, 3, 1, 2])
    people = pd.DataFrame({"register_links_n": np.repeat(sizes, sizes), "status": "active"})
    everybody = household_share(people)
    assert everybody.sum() == pytest.approx(len(sizes))
    n, size = len(people), 4
    rng = np.random.default_rng(1)
    found = []
    for _ in range(4000):
        rows = rng.choice(n, size, replace=False)
        design = Design(np.full(size, n / size), fpc=np.full(size, float(n)))
        found.append(total(design, everybody.iloc[rows].reset_index(drop=True)).value.iloc[0])
    assert np.mean(found) == pytest.approx(len(sizes), abs=4 * np.std(found) / np.sqrt(len(found)))


def test_a_share_that_was_not_told_is_that_of_the_status():
    """A missing number of members takes the mean share of its status."""
    people = pd.DataFrame({"register_links_n": [1, 2, np.nan, 4], "status": ["widow", "widow", "widow", "orphan"]})
    assert household_share(people).tolist() == [1, 0.5, 0.75, 0.25]


def test_trimming_keeps_the_size(asked):
    """The largest weights are cut and spread over all; the size is kept, and they differ less."""
    register, answers, followup = asked
    design = weight(answers, register, followup).design
    most = float(np.quantile(design.weights, 0.9)) * 0.8
    cut = trimmed(design, most)
    assert cut.weights.sum() == pytest.approx(design.weights.sum())
    assert cut.weights.max() / cut.weights.min() < design.weights.max() / design.weights.min()


def test_weights_fall_in_bands(asked):
    """Each weight has a band before and one after calibration."""
    register, answers, followup = asked
    found = weight_bands(weight(answers, register, followup).design)
    assert found.groupby("stage").size().to_dict() == {"after": 60, "before": 60}
    assert found["weight_band"].notna().all()
    before = found.loc[found["stage"] == "before", "weight_band"].astype(str)
    assert (before == "to_1_1").sum() == 40

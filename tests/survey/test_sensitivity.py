"""What those who never answered could change: by hand, by simulation, and what is refused."""

import doctest

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, imbens_manski, share
from welfare_analysis.survey import sensitivity
from welfare_analysis.survey.response import pattern_mixture
from welfare_analysis.survey.sensitivity import never_answered, tipping_point

N, BACK, DRAWN, SAMPLES = 2000, 800, 240, 150  # persons, those who return a form, visits
LIMIT = 0.9  # far away, so that the error of the part that answered matters: without it the error is a third less


@pytest.fixture(scope="module")
def people():
    """2,000 persons: 40 % return a form; of the others 60 % would answer a visit, and want less than the rest."""
    rng = np.random.default_rng(5)
    back = np.arange(N) < BACK
    answers = back | (rng.random(N) < 0.6)
    wish = np.where(back, 0.6, np.where(answers, 0.45, 0.65))
    return pd.DataFrame({"back": back, "answers": answers, "y": rng.random(N) < wish})


def followed_up(people, rng):
    """The design of those who answered, their answers, who of them was followed up, and r with its error."""
    rest = np.flatnonzero(~people["back"])
    drawn = rng.choice(rest, DRAWN, replace=False)
    seen = people["answers"].to_numpy()[drawn]
    r = share(Design(np.full(DRAWN, len(rest) / DRAWN), fpc=np.full(DRAWN, float(len(rest)))), pd.Series(seen))
    f = people.iloc[np.r_[np.arange(BACK), drawn[seen]]].reset_index(drop=True)
    size = np.where(f["back"], BACK, len(rest))
    weights = np.where(f["back"], 1.0, len(rest) / seen.sum())
    return Design(weights, strata=f["back"], fpc=size), f["y"], ~f["back"], r


@pytest.fixture(scope="module")
def samples(people):
    """150 follow-ups: tipping points, their errors and intervals; intervals over a range of d, and without."""
    rng, rows = np.random.default_rng(11), []
    silent = ~people["back"] & ~people["answers"]
    late_odds, silent_odds = (
        p / (1 - p) for p in (people["y"][people["answers"] & ~people["back"]].mean(), people["y"][silent].mean())
    )
    ends = late_odds / silent_odds, silent_odds / late_odds
    for _ in range(SAMPLES):
        design, y, late, r = followed_up(people, rng)
        parts = never_answered(design, y, late, r)
        point = tipping_point(parts, LIMIT)
        low, high = point.interval().iloc[0]
        row = {"d": point.value.iloc[0], "se": point.se.iloc[0], "low": low, "high": high}
        band = imbens_manski(*(pattern_mixture(design, y, late, r, odds) for odds in ends)).iloc[0]
        plain = share(design, y).interval().iloc[0]
        rows.append(row | {"least": band["low"], "most": band["high"], "plain": plain["high"]})
    return pd.DataFrame(rows)


def test_by_hand():
    """Six forms, three of them yes, and two answers, one yes, for the four others, of whom half never answers.

    So S = 0.4 / 2 and the mean is 0.5: to reach 0.6 the silent fifth must have half a point more than the followed-up.
    """
    design, late = Design([1.0] * 6 + [2.0] * 2), pd.Series([False] * 6 + [True] * 2)
    y = pd.Series([True] * 3 + [False] * 3 + [True, False])
    parts = never_answered(design, y, late, 0.5)
    assert parts.value.to_list() == pytest.approx([0.5, 0.5, 0.2])
    assert tipping_point(parts, 0.6).value.to_dict() == pytest.approx({"difference": 0.5, "needed": 1.0})


def test_the_error_of_a_tipping_point_is_its_spread(people, samples):
    """Over 150 follow-ups: mean standard error against the spread (its own error 6 %), and the interval covers."""
    W, r = 1 - BACK / N, people["answers"][~people["back"]].mean()
    reached = people["y"][people["answers"] & ~people["back"]].mean()
    truth = (LIMIT - people["y"][people["back"]].mean() * BACK / N - W * reached) / (W * (1 - r))
    assert samples["se"].mean() == pytest.approx(samples["d"].std(), rel=0.12)
    assert 0.91 <= ((samples["low"] <= truth) & (truth <= samples["high"])).mean() <= 0.985


def test_the_interval_holds_sampling_and_nonresponse(people, samples):
    """The silent are as far away as the range allows: there it covers 95 %, and that of the sample alone misses."""
    truth = people["y"].mean()
    assert 0.91 <= ((samples["least"] <= truth) & (truth <= samples["most"])).mean() <= 0.985
    assert (samples["plain"] >= truth).mean() < 0.7


def test_what_is_refused(people):
    """A part of the follow-up that is none; a follow-up of which nobody answered; a population that all answered."""
    design, y, late, r = followed_up(people, np.random.default_rng(2))
    for wrong in (0.0, 1.2):
        with pytest.raises(WelfareError, match="no part that answered"):
            never_answered(design, y, late, wrong)
    with pytest.raises(WelfareError, match="nobody of the follow-up"):
        never_answered(design, y, late & False, r)
    with pytest.raises(WelfareError, match="not finite"):
        tipping_point(never_answered(design, y, late, 1.0), 0.6)


def test_examples():
    """The examples of the docstrings give what they say."""
    assert doctest.testmod(sensitivity).failed == 0

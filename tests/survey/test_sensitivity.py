"""What those who never answered could change: by hand, by simulation, and what is refused."""

import doctest

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, share
from welfare_analysis.survey import sensitivity
from welfare_analysis.survey.sensitivity import never_answered, nonresponse_interval, tipping_line, tipping_point

N, BACK, DRAWN, SAMPLES = (
    2000,
    800,
    240,
    300,
)  # persons, those who return a form, visits
LIMIT = 0.9  # far away, so that the error of the part that answered matters: without it the error is a third less


@pytest.fixture(scope="module")
def people():
    """2,000 persons: 40 % return a form; of the others 60 % would answer a visit, and want less than the rest."""
    rng = np.random.default_rng(5)
    back = np.arange(N) < BACK
    answers = back | (rng.random(N) < 0.6)
    wish = np.where(back, 0.6, np.where(answers, 0.45, 0.65))
    return pd.DataFrame({"back": back, "answers": answers, "y": rng.random(N) < wish, "half": np.arange(N) % 2})


def followed_up(people, rng):
    """The design of those who answered, their answers, who of them was followed up, and r with its error."""
    rest = np.flatnonzero(~people["back"])
    drawn = rng.choice(rest, DRAWN, replace=False)
    seen = people["answers"].to_numpy()[drawn]
    r = share(Design(np.full(DRAWN, len(rest) / DRAWN), fpc=np.full(DRAWN, float(len(rest)))), pd.Series(seen))
    f = people.iloc[np.r_[np.arange(BACK), drawn[seen]]].reset_index(drop=True)
    size = np.where(f["back"], BACK, len(rest))
    weights = np.where(f["back"], 1.0, len(rest) / seen.sum())
    return Design(weights, strata=f["back"], fpc=size), f["y"], ~f["back"], r, f["half"]


@pytest.fixture(scope="module")
def samples(people):
    """300 follow-ups: tipping points, their errors and intervals; intervals over a range of d, and without."""
    rng, rows = np.random.default_rng(11), []
    silent = ~people["back"] & ~people["answers"]
    gap = people["y"][silent].mean() - people["y"][people["answers"] & ~people["back"]].mean()
    for _ in range(SAMPLES):
        design, y, late, r, _ = followed_up(people, rng)
        parts = never_answered(design, y, late, r)
        point = tipping_point(parts, LIMIT)
        low, high = point.interval().iloc[0]
        row = {"d": point.value.iloc[0], "se": point.se.iloc[0], "low": low, "high": high}
        band = nonresponse_interval(parts, (-gap, gap), (0, 1)).iloc[0]
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
    band = nonresponse_interval(parts, (-0.7, 0.2), (0, 1)).iloc[0]
    assert (band["lowest"], band["highest"]) == pytest.approx((0.5 - 0.2 * 0.5, 0.54))  # none can have less than 0
    assert (band["estimate"], band["difference_low"], band["difference_high"]) == pytest.approx((0.5, -0.7, 0.2))


def test_two_groups_turn_on_a_line(people):
    """On the line the two domains are equal: each mean moved by its d; the error is that of the delta method."""
    design, y, late, r, half = followed_up(people, np.random.default_rng(1))
    parts = never_answered(design, y, late, r, by=half.rename("half"))
    line = tipping_line(parts, 0, 1)
    mean, silent = parts.value["mean"], parts.value["never_answered"]
    for d in (-0.2, 0.1):
        other = line.value["intercept"] + line.value["slope"] * d
        assert mean[0] + silent[0] * d == pytest.approx(mean[1] + silent[1] * other)
    V, (a, b) = parts.covariance(), (("mean", 0), ("mean", 1))
    s, gap = silent[1], mean[0] - mean[1]
    slopes = pd.Series({a: 1 / s, b: -1 / s, ("never_answered", 1): -gap / s**2}).reindex(V.index, fill_value=0.0)
    assert line.se["intercept"] == pytest.approx(np.sqrt(slopes @ V @ slopes), rel=1e-6)
    with pytest.raises(WelfareError, match="no such domain"):
        tipping_line(parts, 0, 2)


def test_the_error_of_a_tipping_point_is_its_spread(people, samples):
    """Over 300 follow-ups: mean standard error against the spread (its own error 4 %), and the interval covers."""
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
    """A part of the follow-up that is none; a follow-up of which nobody answered; a range in the wrong order."""
    design, y, late, r, half = followed_up(people, np.random.default_rng(2))
    for wrong in (0.0, 1.2):
        with pytest.raises(WelfareError, match="no part that answered"):
            never_answered(design, y, late, wrong)
    with pytest.raises(WelfareError, match="nobody of the follow-up"):
        never_answered(design, y, late & (half == 0), r, by=half)
    with pytest.raises(WelfareError, match="not in order"):
        nonresponse_interval(never_answered(design, y, late, r), (0.1, -0.1))
    with pytest.raises(WelfareError, match="not finite"):
        tipping_point(never_answered(design, y, late, 1.0), 0.6)


def test_examples():
    """The examples of the docstrings give what they say."""
    assert doctest.testmod(sensitivity).failed == 0

"""Two phases against double sums over all pairs, R, and simulation."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, mean, ratio, total


def _observed(f, classes):
    """Two of three rows of each class, and their second phase."""
    seen = f[(f.groupby(classes).cumcount() + 1) % 3 != 0]
    count = f.groupby(classes)[classes].transform("size")[seen.index]
    return seen, Design(count / seen.groupby(classes)[classes].transform("size"), strata=seen[classes], fpc=count)


def _joint(unit, n, N, group=None):
    """Joint inclusion probabilities of units drawn by simple random sampling, n of N (each by row) in each group."""
    group = np.zeros(len(unit)) if group is None else np.asarray(group)
    unit, n, N = np.asarray(unit), np.asarray(n, float), np.asarray(N, float)
    within = n * (n - 1) / (N * (N - 1))
    other = np.where(group[:, None] == group[None, :], within[:, None], np.outer(n / N, n / N))
    return np.where(unit[:, None] == unit[None, :], (n / N)[:, None], other)


def _double_sum(y, P1, P2):
    """V1 + V2 of result 9.3.1 of Särndal, Swensson and Wretman (1992), over all pairs of observed units."""
    p1, p2 = np.diag(P1), np.diag(P2)
    u, v = y / p1, y / p1 / p2
    return ((1 - np.outer(p1, p1) / P1) / P2 * np.outer(u, u)).sum() + (
        (1 - np.outer(p2, p2) / P2) * np.outer(v, v)
    ).sum()


def _sizes(f, key, unit=None):
    return f.groupby(key)[unit or key].transform("nunique" if unit else "size")


def test_stratified_first_phase(apistrat):
    """A stratified first phase equals the double sum.

    R `survey` 4.1.1 `twophase(method="full")` prints 110208.32 for this total, where the double sum of result 9.3.1
    gives 133824.9577. We hold to the double sum, which the simulation below finds unbiased.
    """
    f = apistrat.assign(n=_sizes(apistrat, "stype"), m=_sizes(apistrat, "sch.wide"))
    seen, phase2 = _observed(f, "sch.wide")
    design = Design.two_phase(Design(f["fpc"] / f["n"], strata=f["stype"], fpc=f["fpc"]), phase2)
    P1 = _joint(seen.index, seen["n"], seen["fpc"], seen["stype"])
    P2 = _joint(seen.index, _sizes(seen, "sch.wide"), seen["m"], seen["sch.wide"])
    result = total(design, seen["enroll"])
    expected = np.sqrt(_double_sum(seen["enroll"].to_numpy(), P1, P2))
    assert result.se.iloc[0] == pytest.approx(expected, rel=1e-10)
    assert expected == pytest.approx(133824.9577, rel=1e-9)
    m = mean(design, seen["api00"])
    influence = m.influence.toarray()[:, 0]
    assert m.se.iloc[0] == pytest.approx(np.sqrt(_double_sum(influence, P1, P2)), rel=1e-10)


def test_clustered_first_phase(apiclus1):
    """A clustered first phase equals the double sum and R.

    R 4.2.2, survey 4.1.1 (2022), run 2026-11-24: `twophase(id=list(~dnum,~row), strata=list(NULL,~stype),
    fpc=list(~fpc,NULL), subset=~in2, data=apiclus1, method="full")`, with `in2` two of three rows of each `stype`;
    there the first-phase weight is 757 / 15. `svymean(~api00)` and `svytotal(~enroll)`.
    """
    f = apiclus1.assign(m=_sizes(apiclus1, "stype"))
    seen, phase2 = _observed(f, "stype")
    design = Design.two_phase(Design(np.full(len(f), 757 / 15), psu=f["dnum"], fpc=f["fpc"]), phase2)
    m, t = mean(design, seen["api00"]), total(design, seen["enroll"])
    np.testing.assert_allclose([m.value.iloc[0], m.se.iloc[0]], [648.6200900032144, 22.88948258460704], rtol=1e-10)
    np.testing.assert_allclose([t.value.iloc[0], t.se.iloc[0]], [5130860.800392157, 1397092.931162188], rtol=1e-10)
    P1 = _joint(seen["dnum"], np.full(len(seen), 15), seen["fpc"])
    P2 = _joint(seen.index, _sizes(seen, "stype"), seen["m"], seen["stype"])
    assert t.se.iloc[0] == pytest.approx(np.sqrt(_double_sum(seen["enroll"].to_numpy(), P1, P2)), rel=1e-10)


@pytest.mark.parametrize("clustered", [False, True])
def test_unbiased_in_repeated_draws(clustered):
    """Over 3,000 draws the mean of the variance estimates is the variance, within 4 Monte-Carlo errors."""
    rng = np.random.default_rng(12)
    half = np.repeat([0, 1], 20)
    cluster = np.arange(40) // 4
    classes = np.tile([0, 1], 20)
    y = rng.gamma(2, 10, 40) + 15 * half + 20 * classes + 3 * cluster
    gaps = np.empty(3000)
    for draw in range(len(gaps)):
        if clustered:
            first = np.flatnonzero(np.isin(cluster, rng.choice(10, 5, replace=False)))
            phase1 = Design(pd.Series(2.0, index=first), psu=cluster[first], fpc=np.full(20, 10))
        else:
            first = np.concatenate([rng.choice(20, 12, replace=False), 20 + rng.choice(20, 6, replace=False)])
            phase1 = Design(pd.Series(20 / np.repeat([12, 6], [12, 6]), index=first), half[first], fpc=np.full(18, 20))
        pool = [first[classes[first] == c] for c in (0, 1)]
        take = [max(2, round(rate * len(p))) for rate, p in zip((0.5, 0.75), pool, strict=True)]
        seen = np.concatenate([rng.choice(p, k, replace=False) for p, k in zip(pool, take, strict=True)])
        count = np.repeat([len(p) for p in pool], take)
        phase2 = Design(pd.Series(count / np.repeat(take, take), index=seen), strata=classes[seen], fpc=count)
        both = Design.two_phase(phase1, phase2)
        gaps[draw] = both.variance(y[seen, None])[0] - (both.weights @ y[seen] - y.sum()) ** 2
    assert abs(gaps.mean()) < 4 * gaps.std(ddof=1) / np.sqrt(len(gaps))


def test_full_response_is_the_first_phase(example, drawn):
    """When all answer, the variance is that of the first phase, exactly."""
    f = example(4)
    count = f.groupby("d")["d"].transform("size")
    both = Design.two_phase(drawn(f), Design(pd.Series(1.0, index=f.index), strata=f["d"], fpc=count))
    for statistic in (lambda d: mean(d, f["y"], by=f["b"]), lambda d: ratio(d, f["y"], f["x"])):
        np.testing.assert_allclose(statistic(both).se, statistic(drawn(f)).se, rtol=1e-10)


def test_error_outgrows_the_first_phase(apistrat):
    """Fewer answers, more error: two phases have a larger standard error than all rows would."""
    phase1 = Design(apistrat["pw"], strata=apistrat["stype"], fpc=apistrat["fpc"])
    seen, phase2 = _observed(apistrat, "sch.wide")
    two = mean(Design.two_phase(phase1, phase2), seen["api00"]).se.iloc[0]
    assert two > mean(phase1, apistrat["api00"]).se.iloc[0]


def _second(index, weights, strata=None, psu=None, fpc=4.0):
    return Design(pd.Series(weights, index=index), strata, psu, np.full(len(index), fpc))


@pytest.mark.parametrize(
    ("phase2", "message"),
    [
        (_second([0, 9], [2.0, 2.0]), "rows of phase 2 are not in phase 1; got 1"),
        (_second([0, 0], [2.0, 2.0]), "twice"),
        (_second([0, 1], [1.5, 1.5]), "weights of phase 2 do not add up.*got 3.0; expected 4"),
        (_second([0, 1], [1.0, 3.0]), "not a simple random sample in each class.*weights do not differ"),
        (Design(pd.Series([2.0, 2.0], index=[0, 1])), "not a simple random sample.*fpc is the count"),
        (
            Design(pd.Series([2.0, 1.0, 1.0]), [0, 1, 1], fpc=np.array([1.0, 2, 2])),
            "one unit stands for a class of several",
        ),
    ],
)
def test_bad_second_phases(phase2, message):
    """A second phase that is no stratified simple random sample of the first is an error that says why."""
    with pytest.raises(WelfareError, match=message):
        Design.two_phase(Design(np.ones(4), fpc=np.full(4, 9.0)), phase2)


def test_clusters_in_the_second_phase():
    """Clusters drawn from the first phase are no simple random sample, and are refused."""
    clusters = _second([0, 1, 2, 3], [2.0] * 4, psu=np.array([1, 1, 2, 2]))
    with pytest.raises(WelfareError, match=r"not a simple random sample.*a row a unit"):
        Design.two_phase(Design(np.ones(8)), clusters)


def test_calibrated_phases():
    """Calibration comes after both phases: before, its residuals would be lost."""
    once = Design(np.ones(4)).calibrate({"1": 8}, pd.DataFrame(index=range(4)))
    with pytest.raises(WelfareError, match="a phase is calibrated already"):
        Design.two_phase(once, Design(np.ones(4), fpc=np.full(4, 4.0)))

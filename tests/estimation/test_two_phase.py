"""Two phases against double sums over all pairs, R, and simulation."""

from itertools import combinations, product

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
    """A stratified first phase equals the double sum, and R when it sees the observed rows first.

    R 4.2.2, survey 4.1.1, run 2026-11-24: `svytotal(~enroll, twophase(id=list(~row,~row), strata=list(~stype,
    ~sch.wide), fpc=list(~fpc,NULL), subset=~in2, data=apistrat, method="full"))` depends on the order of the rows,
    which no variance may: 110208.32 as the file is, 164999.72 sorted by stype, 133824.957682 with those of `in2` first.
    """
    f = apistrat.assign(n=_sizes(apistrat, "stype"), m=_sizes(apistrat, "sch.wide"))
    seen, phase2 = _observed(f, "sch.wide")
    design = Design.two_phase(Design(f["fpc"] / f["n"], strata=f["stype"], fpc=f["fpc"]), phase2)
    P1 = _joint(seen.index, seen["n"], seen["fpc"], seen["stype"])
    P2 = _joint(seen.index, _sizes(seen, "sch.wide"), seen["m"], seen["sch.wide"])
    result = total(design, seen["enroll"])
    expected = np.sqrt(_double_sum(seen["enroll"].to_numpy(), P1, P2))
    assert result.se.iloc[0] == pytest.approx(expected, rel=1e-10)
    assert expected == pytest.approx(133824.957682, rel=1e-11)
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


# Nine people in two halves, or in clusters of three; the class says how they answer.
HALF, CLUSTER = np.repeat([0, 1], [4, 5]), np.repeat([0, 1, 2], 3)
CLASS = np.array([0, 1, 0, 1, 0, 1, 1, 0, 1])
Y = np.array([3.0, 8, 1, 12, 7, 20, 15, 9, 30])


def _all_samples(clustered):
    """Every sample of two phases with its probability: all but one of each half (or cluster), all but one that answer.

    Phase 2 takes all but one of a class, yet two at least where there are two.
    """
    if clustered:
        firsts = [np.flatnonzero(np.isin(CLUSTER, c)) for c in combinations(range(3), 2)]
    else:
        firsts = [np.array(a + b) for a in combinations(range(4), 3) for b in combinations(range(4, 9), 4)]
    for first in firsts:
        if clustered:
            phase1 = Design(pd.Series(1.5, index=first), psu=CLUSTER[first], fpc=np.full(len(first), 3))
        else:
            size = np.array([4, 5])[HALF[first]]
            phase1 = Design(pd.Series(size / (size - 1), index=first), HALF[first], fpc=size)
        pools = [first[CLASS[first] == c] for c in (0, 1)]
        takes = [list(combinations(p, max(min(2, len(p)), len(p) - 1))) for p in pools]
        for take in product(*takes):
            seen, k = np.concatenate(take), [len(t) for t in take]
            count = np.repeat([len(p) for p in pools], k)
            phase2 = Design(pd.Series(count / np.repeat(k, k), index=seen), strata=CLASS[seen], fpc=count)
            yield 1 / len(firsts) / len(takes[0]) / len(takes[1]), seen, Design.two_phase(phase1, phase2)


@pytest.mark.parametrize("clustered", [False, True])
def test_unbiased_over_all_samples(clustered):
    """The expectation of the estimate over every possible sample is the variance of the total, exactly."""
    p, t, v = np.array(
        [(p, d.weights @ Y[seen], d.unbiased(Y[seen, None])[0][0]) for p, seen, d in _all_samples(clustered)]
    ).T
    assert p.sum() == pytest.approx(1)
    assert p @ t == pytest.approx(Y.sum(), rel=1e-12)
    assert p @ v == pytest.approx(p @ (t - Y.sum()) ** 2, rel=1e-12)


def test_certain_rows_do_not_count():
    """Degrees of freedom are rows less strata among those whom either phase leaves to chance."""
    phase1 = Design(pd.Series([2.0] * 4 + [1.0] * 4), strata=[0] * 4 + [1] * 4, fpc=[8] * 4 + [4] * 4)
    seen = [0, 1, 2, 4, 5, 6, 7]
    phase2 = Design(pd.Series([4 / 3] * 3 + [1.0] * 4, index=seen), strata=[0] * 3 + [1] * 4, fpc=[4] * 7)
    assert Design.two_phase(phase1, phase2).df == 3 - 1


def test_a_negative_estimate_is_no_error_of_zero():
    """The unbiased estimate is negative in some samples; it then tells nothing, and the error is infinite, not zero."""
    u = np.array([-2.0, -2, -2, -1, 1, -1, -1, -1, -1])
    found = [(d.unbiased(u[seen, None])[0][0], total(d, u[seen]).se.iloc[0]) for _, seen, d in _all_samples(False)]
    negative = [se for v, se in found if v < -1e-6]
    assert negative
    assert all(se == np.inf for se in negative)
    assert all(se == pytest.approx(np.sqrt(v)) for v, se in found if v > 1e-6)


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

"""Means, shares, ratios and totals: algebra, influence, coverage and errors."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, mean, ratio, share, total

SEEDS = st.integers(0, 2**32 - 1)
few = settings(max_examples=15, deadline=None)


def test_weights_of_one(example):
    """With weights of one a mean, its error and interval are those of an unweighted sample."""
    y = example(1)["y"]
    plain = DescrStatsW(y)
    m = mean(Design(np.ones(len(y))), y)
    assert m.value.iloc[0] == pytest.approx(np.mean(y), rel=1e-12)
    assert m.se.iloc[0] == pytest.approx(plain.std_mean, rel=1e-12)
    np.testing.assert_allclose(m.interval().iloc[0], plain.tconfint_mean(), rtol=1e-12)
    assert m.deff(replacement=True).iloc[0] == pytest.approx(1)


@few
@given(seed=SEEDS)
def test_domains_add_up(example, drawn, seed):
    """Totals of domains add up to the total, and so does their covariance."""
    f = example(seed)
    parts, whole = total(drawn(f), f["y"], by=[f["d"], f["b"]]), total(drawn(f), f["y"])
    assert parts.value.sum() == pytest.approx(whole.value.iloc[0], rel=1e-12)
    assert parts.covariance().to_numpy().sum() == pytest.approx(whole.se.iloc[0] ** 2, rel=1e-9)
    assert parts.counts["n"].sum() == len(f)
    assert parts.counts["n_weighted"].sum() == pytest.approx(f["w"].sum())


@few
@given(seed=SEEDS, a=st.floats(-5, 5), b=st.floats(-5, 5))
def test_linear_functions_are_exact(example, drawn, seed, a, b):
    """A linear function of estimates has the variance c' C c, C their covariance, whose diagonal is se squared."""
    f = example(seed)
    m = mean(drawn(f), f[["y", "x"]], by=f["d"])
    C = m.covariance().to_numpy()
    np.testing.assert_allclose(np.diag(C), m.se**2, rtol=1e-12)
    np.testing.assert_allclose(C, C.T)
    c = np.array([a, b, 1.0, -2.0])
    combined = m.apply(lambda v: v.to_numpy() @ c)
    assert combined.value.iloc[0] == pytest.approx(c @ m.value.to_numpy(), rel=1e-12)
    assert combined.se.iloc[0] ** 2 == pytest.approx(c @ C @ c, rel=1e-7)


def test_ratio_is_a_function_of_totals(example, drawn):
    """The delta method of two totals gives the ratio and its error; a mean is a ratio to the count."""
    f = example(11)
    totals = total(drawn(f), f[["y", "x"]].assign(one=1))
    r, m = ratio(drawn(f), f["y"], f["x"]), mean(drawn(f), f["y"])
    both = totals.apply(lambda v: pd.Series({"r": v["y"] / v["x"], "m": v["y"] / v["one"]}))
    np.testing.assert_allclose(both.value, [r.value.iloc[0], m.value.iloc[0]], rtol=1e-12)
    np.testing.assert_allclose(both.se, [r.se.iloc[0], m.se.iloc[0]], rtol=1e-8)


@pytest.mark.parametrize(
    "statistic",
    [
        lambda d, f: mean(d, f["y"], by=f["d"]),
        lambda d, f: ratio(d, f["y"], f["x"], by=f["d"]),
        lambda d, f: share(d, f["b"], by=f["d"]),
        lambda d, f: total(d, f["y"], where=f["b"]),
        lambda d, f: total(d, f["y"].where(f.index > 3), by=f["d"], missing="mean"),
    ],
    ids=["mean", "ratio", "share", "total", "total with missing"],
)
def test_influence_is_the_derivative(example, statistic):
    """The influence of a row is how much a unit of its weight moves the estimate."""
    f = example(13)
    w, step = f["w"], 1e-4
    z = statistic(Design(w), f).influence.toarray()
    for k in range(len(f)):
        at = step * (np.arange(len(f)) == k)
        slope = (statistic(Design(w + at), f).value - statistic(Design(w - at), f).value) / (2 * step)
        np.testing.assert_allclose(z[k], slope, rtol=1e-6, atol=1e-8)


def test_categories_are_shares_of_booleans(example, drawn):
    """Shares of categories add up to one and equal those of booleans; missing answers are left out and counted."""
    f = example(17)
    d = f["d"].where(f.index > 1)
    shares = share(drawn(f), d)
    assert shares.value.sum() == pytest.approx(1)
    one = share(drawn(f), (d == "in").astype("boolean").mask(d.isna()))
    assert shares.se["in"] == pytest.approx(one.se.iloc[0], rel=1e-12) == shares.se["out"]
    assert shares.counts["missing"].tolist() == [2, 2]
    assert one.counts.iloc[0].tolist() == [len(f) - 2, pytest.approx(f["w"][2:].sum()), 2]


def test_a_share_without_variance(apistrat):
    """A share that the design fixes (the strata themselves) has an error of exactly zero and a defined interval."""
    strata = Design(apistrat["pw"], strata=apistrat["stype"], fpc=apistrat["fpc"])
    fixed = share(strata, apistrat["stype"], interval="korn-graubard")
    assert (fixed.se == 0).all()
    for side in ("low", "high"):
        np.testing.assert_allclose(fixed.interval()[side], fixed.value)
    assert np.isfinite(share(strata, apistrat["stype"]).interval().to_numpy()).all()


@pytest.mark.parametrize("rule", ["logit", "korn-graubard"])
@pytest.mark.parametrize("answer", [0.0, 1.0])
def test_share_of_nobody_and_everybody(rule, answer):
    """A share of 0 or 1 has the Clopper-Pearson interval of its sample, not a width of zero."""
    n = 50
    low, high = share(Design(np.ones(n)), np.full(n, answer), interval=rule).interval().iloc[0]
    edge = 0.025 ** (1 / n)
    assert (low, high) == pytest.approx((0, 1 - edge) if answer == 0 else (edge, 1))


@pytest.mark.parametrize("answer", [0.0, 1.0])
def test_error_of_nobody_and_everybody(answer):
    """The standard error of a share of 0 or 1 of 50 is that of the posterior of none in 50, a uniform prior before."""
    n = 50
    e = share(Design(np.ones(n)), np.full(n, answer))
    assert e.se.iloc[0] == pytest.approx(stats.beta(1, n + 1).std(), rel=1e-12)
    assert e.deff().iloc[0] == 1
    assert e.apply(lambda v: 2 * v["share"]).se.iloc[0] == pytest.approx(2 * e.se.iloc[0])
    census = share(Design(np.ones(n), fpc=np.full(n, n)), np.full(n, answer))
    assert census.se.iloc[0] == 0
    assert census.interval().iloc[0].tolist() == [answer, answer]


def test_share_of_one_respondent_and_of_one_psu():
    """One respondent has the exact interval of one; a part of one PSU may be anything from nobody to everybody."""
    one = share(Design(np.ones(9)), np.eye(9)[0], where=np.arange(9) == 0)
    assert one.interval().iloc[0].tolist() == pytest.approx([0.025, 1])
    assert one.se.iloc[0] == pytest.approx(stats.beta(1, 2).std())
    psu = np.repeat([0, 1, 2], 3)
    for rule in ("logit", "korn-graubard"):
        part = share(Design(np.ones(9), psu=psu), np.eye(9)[0], where=psu == 0, interval=rule)
        assert part.interval().iloc[0].tolist() == pytest.approx([0, 1], abs=1e-9)
        assert part.se.iloc[0] == np.inf
    alike = share(Design(np.ones(9), psu=psu), np.ones(9), where=psu == 0)
    assert alike.se.iloc[0] == pytest.approx(stats.beta(1, 2).std())  # one cluster is worth one respondent


def test_text_in_any_container(example, drawn):
    """Categories, strings, objects, lists and arrays of text have the same shares; object booleans are booleans."""
    f = example(17)
    expected = share(drawn(f), f["d"])
    for d in (
        f["d"].tolist(),
        f["d"].to_numpy(object),
        pd.Categorical(f["d"], ["x", "in", "out"]),
        f["d"].astype(object),
    ):
        np.testing.assert_array_equal(share(drawn(f), d).se, expected.se)
    np.testing.assert_array_equal(share(drawn(f), f["b"].astype(object)).se, share(drawn(f), f["b"]).se)


@few
@given(seed=SEEDS)
def test_shares_stay_inside(example, drawn, seed):
    """The interval of a share lies within 0 and 1 and holds the share."""
    f = example(seed)
    for rule in ("logit", "korn-graubard"):
        s = share(drawn(f), f["b"], by=f["d"], interval=rule)
        bounds = s.interval(0.99)
        assert ((bounds["low"] >= 0) & (bounds["low"] <= s.value)).all()
        assert ((bounds["high"] <= 1) & (bounds["high"] >= s.value)).all()


@pytest.mark.parametrize("stratified", [False, True])
def test_coverage(stratified):
    """95 % intervals of a mean and a share hold the truth in 92 to 98 % of 1,000 samples of 200."""
    rng = np.random.default_rng(2024)
    sizes, sample = (np.array([900, 500, 100]), np.array([80, 70, 50])) if stratified else ([1500], [200])
    h = np.repeat(np.arange(len(sizes)), sizes)
    y = rng.gamma(4, 2, len(h)) + 5 * h
    poor = y < 6
    start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    # Every draw has the same design, so the draws are the columns of one frame.
    rows = np.vstack(
        [
            s + np.array([rng.choice(N, n, replace=False) for _ in range(1000)]).T
            for s, N, n in zip(start, sizes, sample, strict=True)
        ]
    )
    k = np.repeat(np.arange(len(sizes)), sample)
    design = Design((np.array(sizes) / sample)[k], strata=k, fpc=np.array(sizes)[k])
    for estimate, truth in (
        (mean(design, pd.DataFrame(y[rows])), y.mean()),
        (share(design, pd.DataFrame(poor[rows])), poor.mean()),
    ):
        bounds = estimate.interval()
        assert 0.92 <= ((bounds["low"] <= truth) & (truth <= bounds["high"])).mean() <= 0.98


def test_interval_uses_the_domain_s_own_degrees_of_freedom(example, drawn):
    """Degrees of freedom are PSUs less strata that are present in the domain."""
    f = example(19)
    part = f["stratum"] < 2
    m = mean(drawn(f), f["y"], where=part)
    assert m.df.iloc[0] == f.loc[part, "psu"].nunique() - 2
    half = stats.t.ppf(0.95, m.df.iloc[0]) * m.se.iloc[0]
    assert m.interval(0.9)["high"].iloc[0] == pytest.approx(m.value.iloc[0] + half, rel=1e-12)


def test_missing_total(example, drawn):
    """With missing="mean" those who answered stand for their domain: its size times its mean."""
    f = example(23)
    y = f["y"].where(f.index > 3)
    t, m = total(drawn(f), y, by=f["d"], missing="mean"), mean(drawn(f), y, by=f["d"])
    np.testing.assert_allclose(t.value, m.value * f.groupby("d")["w"].sum(), rtol=1e-12)
    assert t.counts["missing"].sum() == 4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d, f: mean(d, f["y"], where=f["y"] > 1e9), "where: no respondent is in the domain"),
        (lambda d, f: mean(d, f["y"].where(f["d"] == "in"), by=f["d"]), "y: no respondent answered; got .'out'"),
        (lambda d, f: total(d, f["y"].where(f.index > 2)), "y: answers are missing and the total.*got 3.*missing="),
        (lambda d, f: mean(d, f["d"]), "d: a variable is not numeric.*share"),
        (lambda d, f: mean(d, f["y"].replace(f["y"][0], np.inf)), "y: a value is infinite"),
        (lambda d, f: mean(d, f["y"].head(3)), "its length is not that of the design; got 3"),
        (lambda d, f: mean(d, f["y"], by=f["d"].head(3)), "d: its length is not that of the design; got 3"),
        (lambda d, f: ratio(d, f["y"], 0 * f["x"]), "y/x: the denominator is zero"),
        (lambda d, f: ratio(d, f["y"], f["x"] - mean(d, f["x"]).value.iloc[0]), "the denominator is zero"),
        (lambda d, f: ratio(d, f[["y", "x"]], f["x"]), "not as many numerators as denominators; got '2 and 1'"),
        (lambda d, f: total(d, f["y"], missing="drop"), "missing: unknown rule; got 'drop'"),
        (lambda d, f: share(d, f["d"].where(f["d"] == "")), "d: no respondent answered"),
        (lambda d, f: share(d, f["d"].astype(object).where(f["b"], 1).replace("in", "1")), "two categories have one"),
        (lambda d, f: share(d, f["d"].head(3)), "share: its length is not that of the design; got 3"),
        (lambda d, f: share(d, f["y"]), "y: a share needs yes or no"),
        (lambda d, f: share(d, f["b"], interval="wald"), "unknown interval; got 'wald'"),
    ],
)
def test_bad_calls(example, drawn, call, message):
    """What cannot be estimated is an error that names the variable, never a silent gap."""
    f = example(29)
    with pytest.raises(WelfareError, match=message):
        call(drawn(f), f)

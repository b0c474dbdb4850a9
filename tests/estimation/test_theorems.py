"""What holds of all statistics: order, names and scale; weights of one; split rows; domains that add up; influence."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from welfare_analysis.estimation import Design, concentration, gini, mean, quantile, ratio, share, total, variance

SEEDS = st.integers(0, 2**32 - 1)
few = settings(max_examples=6, deadline=None)

# name: the statistic of a design and its frame, by domain. All but quantiles are smooth in the weights.
SMOOTH = {
    "mean": lambda d, f: mean(d, f[["y", "x"]], by=f["d"]),
    "ratio": lambda d, f: ratio(d, f["y"], f["x"], by=f["d"]),
    "share": lambda d, f: share(d, f["b"], by=f["d"]),
    "gini": lambda d, f: gini(d, f["x"].round(1), by=f["d"]),
    "variance": lambda d, f: variance(d, f["y"], by=f["d"]),
    "concentration": lambda d, f: concentration(d, f["b"], f["y"].round(0), by=f["d"]),
    "erreygers": lambda d, f: concentration(d, f["b"], f["y"].round(0), by=f["d"], kind="erreygers"),
    "wagstaff": lambda d, f: concentration(d, f["b"], f["y"].round(0), by=f["d"], kind="wagstaff"),
}
STATISTICS = SMOOTH | {
    "total": lambda d, f: total(d, f["y"], by=f["d"]),
    "median": lambda d, f: quantile(d, f["y"].round(1), by=f["d"]),
    "midpoint": lambda d, f: quantile(d, f["y"].round(1), by=f["d"], rule="midpoint"),
}
each = pytest.mark.parametrize("name", STATISTICS)


def _told(estimate):
    return pd.concat([estimate.value.rename("value"), estimate.se, estimate.interval()], axis=1)


def _same(estimate, other, scale=1.0):
    np.testing.assert_allclose(_told(other), _told(estimate) * scale, rtol=1e-8, atol=1e-10)


@each
@few
@given(seed=SEEDS)
def test_order_and_names(example, drawn, name, seed):
    """The order of rows plays no part, nor what strata, PSUs and rows are called."""
    f = example(seed)
    mixed = f.sample(frac=1, random_state=seed % 1000)
    named = mixed.assign(psu="p" + mixed["psu"].astype(str), stratum=mixed["stratum"].map({0: "c", 1: "a", 2: "b"}))
    named.index = [f"person {i}" for i in range(len(f))]
    found = STATISTICS[name](drawn(f), f)
    for other in (mixed, named):
        _same(found, STATISTICS[name](drawn(other), other))


@each
@few
@given(seed=SEEDS, scale=st.sampled_from([1e-3, 0.5, 7.0, 1e4]))
def test_scale_of_weights(example, drawn, name, seed, scale):
    """Weights in another unit change totals in proportion and nothing else; rates of finite samples stay."""
    f = example(seed)
    found, other = STATISTICS[name](drawn(f), f), STATISTICS[name](drawn(f.assign(w=f["w"] * scale)), f)
    _same(found, other, scale if name == "total" else 1.0)
    assert (other.df == found.df).all()


@pytest.mark.parametrize("name", [k for k in STATISTICS if k != "variance"])
@few
@given(seed=SEEDS)
def test_a_row_split_in_two(example, drawn, name, seed):
    """A row that is written twice with half its weight, in its PSU, changes no value and no standard error.

    Not the variance of a variable, which counts rows in n / (n - 1), nor intervals of shares at 0 or 1.
    """
    f = example(seed)
    row = f.index == seed % len(f)
    split = pd.concat([f.assign(w=f["w"].where(~row, f["w"] / 2)), f[row].assign(w=f["w"] / 2)], ignore_index=True)
    found, other = STATISTICS[name](drawn(f), f), STATISTICS[name](drawn(split), split)
    np.testing.assert_allclose(other.value, found.value, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(other.se, found.se, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("weights", [1.0, 3.0])
def test_weights_alike_are_no_weights(example, weights):
    """With weights alike the values are those of NumPy and SciPy."""
    f = example(12)
    design, y, x = Design(np.full(len(f), weights)), f["y"].to_numpy(), f["x"].to_numpy()
    spread = np.abs(np.subtract.outer(x, x)).mean() / (2 * x.mean())
    rank = stats.rankdata(y)
    for found, expected in (
        (mean(design, y), y.mean()),
        (total(design, y), weights * y.sum()),
        (ratio(design, y, x), y.sum() / x.sum()),
        (share(design, f["b"]), f["b"].mean()),
        (variance(design, y), y.var(ddof=1)),
        (gini(design, x), spread),
        (concentration(design, x, y), 2 * np.cov(x, rank, ddof=0)[0, 1] / len(x) / x.mean()),
        (quantile(design, y, 0.3), np.quantile(y, 0.3, method="inverted_cdf")),
        (quantile(design, y, 0.3, rule="midpoint"), np.quantile(y, 0.3, method="hazen")),
    ):
        assert found.value.iloc[0] == pytest.approx(expected, rel=1e-10)


@few
@given(seed=SEEDS)
def test_domains_add_up(example, drawn, seed):
    """Totals of domains add up to the whole's, means and shares by size, and rest of the population is its own part."""
    f = example(seed)
    design, parts = drawn(f), [f["d"], f["stratum"]]
    for variable in ("y", "b"):
        whole = total(design, f[variable])
        cells = total(design, f[variable], by=parts)
        assert cells.value.sum() == pytest.approx(whole.value.iloc[0], rel=1e-12)
        levels = mean(design, f[variable], by=parts)
        size = levels.counts["n_weighted"]
        assert (levels.value * size).sum() == pytest.approx(whole.value.iloc[0], rel=1e-12)
    np.testing.assert_allclose(
        total(design, f["y"], by=f["d"]).apply(lambda v: v.sum()).se, total(design, f["y"]).se, rtol=1e-7
    )


@few
@given(seed=SEEDS)
def test_a_domain_is_a_product(example, drawn, seed):
    """A total in a domain is that of the variable times its mark, with the same error; by= and where= are one."""
    f = example(seed)
    mark = (f["d"] == "in").astype(float)
    by, product = total(drawn(f), f["y"], by=f["d"]), total(drawn(f), f["y"] * mark)
    assert (by.value["in"], by.se["in"]) == pytest.approx((product.value.iloc[0], product.se.iloc[0]), rel=1e-10)
    for name, statistic in (("mean", mean), ("gini", gini), ("median", quantile)):
        part, where = statistic(drawn(f), f["x"], by=f["d"]), statistic(drawn(f), f["x"], where=f["d"] == "in")
        assert (part.value["in"], part.se["in"]) == pytest.approx((where.value.iloc[0], where.se.iloc[0]), rel=1e-10), (
            name
        )


@pytest.mark.parametrize("name", SMOOTH)
def test_influence_is_the_derivative(example, name):
    """The influence of a row is how much a unit of its weight moves a smooth statistic, by finite difference."""
    f = example(13)
    w, step = f["w"], 1e-4
    z = SMOOTH[name](Design(w), f).influence.toarray()
    for k in range(0, len(f), 5):
        at = step * (np.arange(len(f)) == k)
        slope = (SMOOTH[name](Design(w + at), f).value - SMOOTH[name](Design(w - at), f).value) / (2 * step)
        np.testing.assert_allclose(z[k], slope, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("method", ["linear", "raking"])
@pytest.mark.parametrize("name", SMOOTH)
def test_calibrated_influence_is_the_derivative(example, name, method):
    """With calibration done anew, a unit of design weight moves the statistic by g times the residual of its influence.

    Exactly so for linear calibration, whose residual is that of the regression with weights d; under raking the
    derivative's regression has the weights w = d g, which agrees where the margins are near those of the sample.
    """
    f = example(21)
    size, known = f["w"].sum(), float(f["w"] @ f["x"])
    shift = 1.05 if method == "linear" else 1.0
    margins = {"1": size, "x": known * shift}

    def at(weights):
        return Design(weights).calibrate(margins, f, method=method)

    design, w, step = at(f["w"]), f["w"], 1e-4
    z = SMOOTH[name](design, f).influence
    x = np.column_stack([np.ones(len(f)), f["x"]])
    d = w.to_numpy()
    B = np.linalg.solve((x * d[:, None]).T @ x, (x * d[:, None]).T @ z.toarray())
    residual = (design.weights / d)[:, None] * (z.toarray() - x @ B)
    for k in range(0, len(f), 9):
        e = step * (np.arange(len(f)) == k)
        slope = (SMOOTH[name](at(w + e), f).value - SMOOTH[name](at(w - e), f).value) / (2 * step)
        np.testing.assert_allclose(residual[k], slope, rtol=1e-5, atol=1e-8)
    used = design.variance(z)
    plain = Design(design.weights)
    np.testing.assert_allclose(used, plain.variance(z.toarray() - x @ B), rtol=1e-8)

"""What holds of every regression: theorems about weights, rows, scores and influence."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import (
    Design,
    cloglog,
    gamma,
    heckman,
    linear,
    logistic,
    multinomial_logit,
    negative_binomial,
    ordered_logit,
    poisson,
    quantile_regression,
    tobit,
    two_part,
)
from welfare_analysis.estimation.censored import tobit_kernel
from welfare_analysis.estimation.counts import _negative_binomial
from welfare_analysis.estimation.linear_models import logit_kernel, probit_kernel
from welfare_analysis.estimation.ordered import between_kernel
from welfare_analysis.estimation.regression import Index, likelihood
from welfare_analysis.estimation.selection import selection_kernel

SMOOTH = {
    "linear": lambda d, f, **k: linear(d, f, "y ~ x + g", **k),
    "logistic": lambda d, f, **k: logistic(d, f, "b ~ x + g", **k),
    "ordered": lambda d, f, **k: ordered_logit(d, f, "o ~ x + g", **k),
    "multinomial": lambda d, f, **k: multinomial_logit(d, f, "o ~ x + g", **k),
    "negative binomial": lambda d, f, **k: negative_binomial(d, f, "n ~ x + g", **k),
    "tobit": lambda d, f, **k: tobit(d, f, "cut ~ x + g", upper=4, **k),
    "heckman": lambda d, f, **k: heckman(d, f, "seen ~ x + g", "s ~ x + g + z", **k),
    "two steps": lambda d, f, **k: heckman(d, f, "seen ~ x + g", "s ~ x + g + z", "two-step", **k),
    "poisson": lambda d, f, **k: poisson(d, f, "cut ~ x + g", offset="log_w", **k),
    "gamma": lambda d, f, **k: gamma(d, f.assign(t=np.exp(f["y"] / 2)), "t ~ x + g", offset="log_w", **k),
    "cloglog": lambda d, f, **k: cloglog(d, f, "b ~ x + g", offset="log_w", **k),
    "smearing": lambda d, f, **k: two_part(d, f, "cost ~ x + g", **k),
}
MODELS = SMOOTH | {"quantile": lambda d, f, **k: quantile_regression(d, f, "y ~ x + g", 0.3, **k)}


@pytest.fixture(scope="module")
def people():
    """240 people in 24 clusters of 4 strata, with an outcome for every model."""
    rng = np.random.default_rng(11)
    n = 240
    psu = np.repeat(np.arange(24), 10)
    x, z, u, v = rng.normal(0, 1, (4, n))
    g = np.where(rng.random(n) < 0.4, "b", "a")
    y = 1 + x + (g == "b") + 0.3 * rng.normal(0, 1, 24)[psu] + u
    s = 0.4 + 0.5 * x + z + 0.5 * u + v > 0
    cut = np.clip(y, 0, 4)
    return pd.DataFrame(
        {
            "psu": psu,
            "stratum": psu // 6,
            "w": (w := rng.uniform(1, 5, n)),
            "log_w": np.log(w),
            "x": x,
            "z": z,
            "g": g,
            "y": y,
            "b": y > 1.2,
            "o": pd.Categorical(np.digitize(y, [0.3, 1.8]), categories=[0, 1, 2], ordered=True),
            "n": rng.poisson(np.exp(0.3 + 0.4 * x) * rng.gamma(1.2, 1 / 1.2, n)),
            "cut": cut,
            "s": s,
            "seen": np.where(s, y, np.nan),
            "cost": np.where(y > 0.5, np.exp(0.5 * y + 0.4 * v), 0.0),
        }
    )


def drawn(f):
    return Design(f["w"], strata=f["stratum"], psu=f["psu"])


@pytest.fixture(scope="module")
def fits(people):
    return {name: model(drawn(people), people) for name, model in MODELS.items()}


@pytest.mark.parametrize("name", MODELS)
def test_scores_add_up_to_zero(fits, people, name):
    """At the estimate the weighted scores add up to zero, and with them the influences."""
    fit, w = fits[name], people["w"].to_numpy()
    assert np.abs(w @ fit.scores).max() < 1e-7 * np.abs(w[:, None] * fit.scores).sum(axis=0).max()
    assert np.abs(w @ fit.influence).max() < 1e-7 * np.abs(fit.influence.toarray()).max() * w.sum()


@pytest.mark.parametrize("name", SMOOTH)
def test_influence_is_the_derivative_by_a_weight(fits, people, name):
    """The influence of a respondent is what a little more of his weight does to the value, refitted."""
    scale = np.abs(fits[name].influence.toarray()).max(axis=0)
    for row in (3, 120):
        moved = []
        for step in (1e-3, -1e-3):
            f = people.assign(w=people["w"] + step * (people.index == row))
            moved.append(MODELS[name](drawn(f), f).value.to_numpy())
        found = fits[name].influence[[row]].toarray()[0]
        assert np.abs((moved[0] - moved[1]) / 2e-3 - found).max() <= 1e-4 * np.abs(found).max()
        assert (np.abs((moved[0] - moved[1]) / 2e-3 - found) <= 1e-5 * scale).all()


@pytest.mark.parametrize("name", MODELS)
def test_order_and_scale(fits, people, name):
    """The order of rows and the scale of weights change neither values nor standard errors."""
    mixed = people.sample(frac=1, random_state=5).assign(w=lambda f: f["w"] * 7)
    other = MODELS[name](drawn(mixed), mixed)
    np.testing.assert_allclose(other.value, fits[name].value, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(other.se, fits[name].se, rtol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_weight_of_two_is_the_row_twice(people, name):
    """A weight of 2 is the row twice with the PSU kept: values, standard errors and the likelihood."""
    double = people.assign(w=np.where(people.index % 3 == 0, 2.0, 1.0))
    twice = people.loc[people.index.repeat(np.where(people.index % 3 == 0, 2, 1))].reset_index(drop=True).assign(w=1.0)
    a, b = MODELS[name](drawn(double), double), MODELS[name](drawn(twice), twice)
    np.testing.assert_allclose(a.value, b.value, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(a.log_likelihood, b.log_likelihood, rtol=1e-10)
    if name != "quantile":  # whose kernel is as wide as an effective sample size says
        np.testing.assert_allclose(a.se, b.se, rtol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_rows_outside_have_no_influence(people, name):
    """Rows outside ``where`` and rows with a gap have no influence; the others' values are those of them alone."""
    gap = people.assign(x=people["x"].mask(people.index < 5))
    inside = people["psu"].isin([0, 1, 4, 7, 9, 10, 12, 15, 16, 18, 19, 20, 22, 23])
    fit = MODELS[name](drawn(people), gap, where=inside)
    kept = inside & (people.index >= 5)
    part = gap[kept]
    alone = MODELS[name](drawn(part), part)
    np.testing.assert_allclose(fit.value, alone.value, rtol=1e-7, atol=1e-9)
    assert not fit.influence[np.flatnonzero(~kept)].toarray().any()
    assert (fit.n_cases, fit.counts["n"].iloc[0], fit.counts["missing"].iloc[0]) == (kept.sum(), kept.sum(), 5)
    q = 4 if name in ("heckman", "two steps") else 3
    assert (fit.df == 14 - 4 + 1 - q).all()


def test_all_in_one_cluster_tells_no_error(people):
    """A model of people of one PSU has values, and standard errors that are infinite, never zero."""
    fit = linear(drawn(people), people, "y ~ x", where=people["psu"] == 3)
    assert np.isinf(fit.se).all()
    assert np.isfinite(fit.value).all()


CUTS = np.array([-np.inf, -0.5, 0.7, np.inf])


def _kernels():
    rng = np.random.default_rng(2)
    n = 60
    x, y = rng.normal(0, 1, (2, n))
    codes = rng.integers(0, 3, n)
    ones, design = np.ones((n, 1)), np.column_stack([np.ones(n), x])
    one, two = Index(design, np.array([0, 1])), Index(ones, np.array([2]))
    s = y > -0.4
    yield "logit", logit_kernel(y > 0), [one]
    yield "probit", probit_kernel(y > 0), [one]
    yield "between", between_kernel(CUTS[codes], CUTS[codes + 1]), [one, one]
    yield "censored", tobit_kernel(y, -0.5, 1.0), [one, two]
    yield "negative binomial", _negative_binomial(rng.poisson(2, n)), [one, two]
    four = [one, Index(design, np.array([3, 4])), two, Index(ones, np.array([5]))]
    yield "selection", selection_kernel(s, np.where(s, y, 0)), four


@pytest.mark.parametrize(("kernel", "indices"), [pytest.param(k, i, id=name) for name, k, i in _kernels()])
def test_derivatives_are_finite_differences(kernel, indices):
    """Gradient and information are the derivatives of the log-likelihood, at any coefficients."""
    p = 1 + max(int(i.at.max()) for i in indices)
    w = np.random.default_rng(3).uniform(1, 3, len(indices[0].x))
    at, theta = likelihood(kernel, indices, w), np.array([0.3, -0.4, 0.2, 0.5, 0.3, -0.6])[:p]
    for j in range(p):
        h = 1e-5 * (np.arange(p) == j)
        up, down, here = at(theta + h), at(theta - h), at(theta)
        assert here.gradient[j] == pytest.approx((up.value - down.value) / 2e-5, rel=1e-6, abs=1e-6)
        slope = (down.gradient - up.gradient) / 2e-5
        np.testing.assert_allclose(here.information[j], slope, rtol=1e-6, atol=1e-5)


def test_negative_weights_have_no_likelihood(example):
    """Linear calibration may give negative weights: only least squares takes them."""
    f = example(7)
    low = Design(f["w"]).calibrate({"1": 100, "x": 550.0}, f, method="linear")
    assert np.isfinite(linear(low, f, "y ~ x").se).all()
    worse = Design(np.ones(4)).reweighted(np.array([1, 1, 1, -0.5]), None)  # a variance of -24
    with pytest.raises(WelfareError, match=r"y: weights are negative; got 1.*raking"):
        linear(worse, pd.DataFrame({"y": [0.0, 0, 0, 10]}), "y ~ 1")
    for model in (lambda: logistic(low, f, "b ~ x"), lambda: quantile_regression(low, f, "y ~ x")):
        with pytest.raises(WelfareError, match=r"weights are negative.*raking"):
            model()

"""The maximiser and the covariance of fits: where there is no maximum, and what others print."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, logistic, multinomial_logit, ordered_logit
from welfare_analysis.estimation.fit import Likelihood, maximise, unidentified


@pytest.fixture
def f():
    rng = np.random.default_rng(4)
    x = rng.normal(0, 1, 200)
    rare = np.arange(200) < 12
    return pd.DataFrame(
        {
            "x": x,
            "above": x > 0.2,
            "rare": rare,
            "b": (x + rng.logistic(0, 1, 200) > 0) | rare,
            "o": pd.Categorical(np.where(rare, 2, rng.integers(0, 3, 200)), ordered=True),
        }
    )


@pytest.mark.parametrize(
    ("model", "formula", "columns"),
    [
        (logistic, "above ~ x", "'x'"),  # perfect
        (logistic, "b ~ x + rare", "'rare'"),  # quasi: yes for all who are rare
        (ordered_logit, "o ~ x + rare", "'rare'"),
        (multinomial_logit, "o ~ x + rare", "'1: rare'|'2: rare'"),
    ],
)
def test_separation(f, model, formula, columns):
    """A column that tells the outcome without error has no finite coefficient: the error names it."""
    with pytest.raises(WelfareError, match=rf"the likelihood has no maximum.*({columns})"):
        model(Design(np.ones(200)), f, formula)


def test_rare_is_not_separated(f):
    """One no among the rare is enough for a finite coefficient."""
    fit = logistic(Design(np.ones(200)), f.assign(b=f["b"] & (f.index > 0)), "b ~ x + rare")
    assert 0 < fit.value["rare"] < 5


def test_maximum_by_hand():
    """Newton's method finds the top of a quartic hill from where its curvature has the wrong sign."""

    def hill(t):
        return Likelihood(float(-((t[0] ** 2 - 1) ** 2)), -4 * t * (t**2 - 1), np.array([[12 * t[0] ** 2 - 4]]))

    theta, top = maximise(np.array([0.1]), hill, ["t"], "hill")
    assert theta[0] == pytest.approx(1, abs=1e-9)
    assert top.value == pytest.approx(0, abs=1e-15)


def test_a_step_too_far_is_taken_back_without_a_word():
    """The first step ends where the exponential is infinite: no warning, which a page would show, and the maximum."""

    def steep(t):
        return Likelihood(float(1e4 * t[0] - np.exp(t[0])), 1e4 - np.exp(t), np.exp(t)[:, None])

    assert maximise(np.zeros(1), steep, ["t"], "steep")[0] == pytest.approx(np.log(1e4))


def test_a_step_to_where_the_curvature_is_not_finite_is_taken_back():
    """Rankings of few: the value is finite there and higher, and the next step could not be computed."""

    def hill(t):
        return Likelihood(float(-((t[0] - 1) ** 2)), 4 * (1 - t), np.full((1, 1), 2.0 if t[0] < 1.2 else np.nan))

    assert maximise(np.zeros(1), hill, ["t"], "hill")[0] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("at", "message"),
    [
        (lambda t: Likelihood(np.nan, t, np.eye(1)), "cannot be computed at the start"),
        (lambda t: Likelihood(0.0, t + 1, np.zeros((1, 1))), r"columns are collinear; got .'t'"),
        (lambda t: Likelihood(float(t[0]), np.ones(1), np.full((1, 1), np.exp(-t[0]))), "has no maximum"),
        (lambda t: Likelihood(-float(abs(t[0] - 1.1)), np.sign(1.1 - t), np.eye(1) * 3), "did not converge"),
    ],
)
def test_no_maximum(at, message):
    """What has no maximum, or none that is found, is an error."""
    with pytest.raises(WelfareError, match=message):
        maximise(np.zeros(1), at, ["t"], "model")


def test_unidentified_names_the_columns():
    """The eigenvector of the smallest eigenvalue says which coefficients are not told apart."""
    x = np.random.default_rng(1).normal(0, 1, (50, 3))
    x[:, 2] = x[:, 0] * 5
    assert unidentified(x.T @ x, ["a", "b", "c"]) == ["a", "c"]
    assert unidentified(x[:, :2].T @ x[:, :2], ["a", "b"]) == []


def test_robust_is_the_design_of_single_rows(f):
    """The sandwich of single rows is the design's covariance with replacement, but for n / (n - 1)."""
    fit = logistic(Design(np.linspace(1, 3, 200)), f, "b ~ x")
    np.testing.assert_allclose(fit.covariance("robust") * 200 / 199, fit.covariance(), rtol=1e-9)
    np.testing.assert_allclose(fit.covariance("hessian") @ fit.information, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(fit.spread**2, np.diag(fit.covariance("robust")))
    with pytest.raises(WelfareError, match="covariance: unknown kind; got 'bayes'"):
        fit.covariance("bayes")


def test_design_effects_of_a_true_model(f):
    """With equal weights, single rows and a true model the generalised design effects are near 1, at any scale."""
    for scale in (1, 50):
        fit = logistic(Design(np.full(200, float(scale))), f, "b ~ x")
        assert fit.effects() == pytest.approx([1, 1], abs=0.35)
        assert (fit.scale, fit.n_rows) == (scale, 200)
    by_hand = np.linalg.eigvals(fit.information @ fit.covariance()).real / 50
    assert fit.effects() == pytest.approx(sorted(by_hand, reverse=True))
    assert fit.effects(["x"])[0] == pytest.approx(
        fit.covariance().loc["x", "x"] / fit.covariance("hessian").loc["x", "x"] / 50
    )

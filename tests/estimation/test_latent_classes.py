"""Latent classes: poLCA's examples, the likelihood's derivatives, recovery, membership, answers that tell nothing."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, latent_classes, share
from welfare_analysis.estimation.estimate import slopes
from welfare_analysis.estimation.replicates import covariance, drawn, refit

DATA = Path(__file__).parents[2] / "data" / "reference"
SHARES = np.array([0.6, 0.4])
YES = np.array([[0.9, 0.2], [0.8, 0.3], [0.2, 0.7], [0.15, 0.8], [0.7, 0.1], [0.5, 0.9]])


def generated(n, seed, missing=0.05):
    """Answers of two classes, some missing, in clusters; the class of each."""
    rng = np.random.default_rng(seed)
    of = (rng.random(n) > SHARES[0]).astype(int)
    items = pd.DataFrame(rng.random((n, len(YES))) < YES.T[of], columns=list("abcdef")).astype("boolean")
    design = Design(rng.uniform(1, 3, n), psu=np.arange(n) // 4)
    return design, items.mask(rng.random(items.shape) < missing), of


@pytest.fixture(scope="module")
def fit():
    design, items, _ = generated(4000, 1)
    return latent_classes(design, items, 2, starts=3)


@pytest.mark.parametrize(
    ("name", "classes", "printed"),
    [
        ("carcinoma", 2, -317.2568),
        ("carcinoma", 3, -293.705),
        ("carcinoma", 4, -289.2859),
        ("gss82", 2, -2783.268),
        ("gss82", 3, -2754.5454),
    ],
)
def test_published_likelihoods(name, classes, printed):
    """Golden: the log-likelihoods that R's poLCA prints of its own examples, to the last digit; the mode is one."""
    frame = pd.read_csv(DATA / f"poLCA_{name}.csv")
    made = latent_classes(Design(np.ones(len(frame))), frame, classes)
    assert made.log_likelihood == pytest.approx(printed, abs=6e-5)
    at = made.patterns.likelihood(made.value.to_numpy(), made.form)
    assert np.abs(at.gradient).max() < 1e-6
    assert 1 <= made.reached <= made.starts
    sizes = made.shares().value
    assert (np.diff(sizes) <= 0).all()
    assert sizes.sum() == pytest.approx(1)


def test_derivatives_are_those_of_differences(fit):
    """Score and observed information, away from the mode, are the differences of value and score."""
    theta = fit.value.to_numpy() + 0.1
    at = fit.patterns.likelihood(theta, fit.form)
    steps = np.full(len(theta), 1e-3)
    value = slopes(lambda m: np.array([fit.patterns.likelihood(theta + m, fit.form).value]), steps)[0]
    np.testing.assert_allclose(at.gradient, value, rtol=1e-6, atol=1e-5)
    second = slopes(lambda m: fit.patterns.likelihood(theta + m, fit.form).gradient, steps)
    np.testing.assert_allclose(at.information, -second, rtol=1e-5, atol=1e-4)


def test_one_class_is_independence(fit):
    """One class: the share of each answer, the likelihood of independent answers, and a worse BIC than two."""
    design, items, _ = generated(4000, 1)
    one = latent_classes(design, items, 1)
    yes = one.answers().value.xs("True", level="answer").droplevel("class")
    np.testing.assert_allclose(yes, share(design, items).value.to_numpy(), rtol=1e-6)
    assert one.log_likelihood == pytest.approx(fit.null_log_likelihood)
    assert fit.bic() < one.bic()


def test_classes_are_recovered(fit):
    """Simulated: shares and probabilities lie within four standard errors of those that drew the answers."""
    answers = fit.answers()
    yes = answers.value.xs("True", level="answer")
    gap = (yes.unstack().to_numpy() - YES) / answers.se.xs("True", level="answer").unstack().to_numpy()
    assert np.abs(gap).max() < 4
    assert abs(fit.shares().value["1"] - SHARES[0]) < 4 * fit.shares().se["1"]
    assert 0 < fit.error() < 0.1


def test_errors_are_those_of_replicates(fit):
    """Independent: bootstrap of clusters, each fitted again from the mode, gives the linearised standard errors."""
    design, items, _ = generated(1500, 4)
    made = latent_classes(design, items, 2, starts=3)
    weights = drawn(design, 200, np.random.default_rng(3))
    again = refit(design, lambda d: latent_classes(d, items, 2, mode=made).shares().value, weights)
    se = np.sqrt(np.diagonal(covariance(again, weights)))
    np.testing.assert_allclose(made.shares().se, se, rtol=0.2)


def test_membership_is_corrected_for_wrong_classes():
    """Simulated: classes by group are those that drew the answers, where the likeliest class alone is off; all add up.

    The mean over the groups of the register is the share of all.
    """
    design, items, of = generated(6000, 2)
    group = pd.Series(np.where(np.random.default_rng(5).random(6000) < np.where(of, 0.8, 0.3), "x", "y"), name="group")
    made = latent_classes(design, items[["a", "c", "e"]], 2, starts=5)
    by = made.membership(group)
    for code in "xy":
        inside = (group == code).to_numpy()
        true = np.average(of[inside] == 0, weights=design.weights[inside])
        assert abs(by.value["1", code] - true) < 4 * by.se["1", code]
    raw = np.average((made.assigned() == "1")[group == "x"], weights=design.weights[group == "x"])
    true = np.average(of[group == "x"] == 0, weights=design.weights[group == "x"])
    assert abs(raw - true) > 2 * abs(by.value["1", "x"] - true)
    np.testing.assert_allclose(by.value.groupby(level="group").sum(), 1)


def test_the_error_of_classification_goes_with_it():
    """The influence of the table of wrong classes is its change when a row's weight changes."""
    design, items, _ = generated(300, 6)
    made = latent_classes(design, items, 2, starts=3)
    table, h = made.classified(), 1e-4
    for row in (3, 170):
        sides = []
        for sign in (1, -1):
            w = design.weights.copy()
            w[row] += sign * h
            moved = latent_classes(Design(w), items, 2, mode=made)
            sides.append(moved.classified().value.to_numpy())
        np.testing.assert_allclose(table.influence[[row]].toarray()[0], (sides[0] - sides[1]) / (2 * h), atol=2e-6)


def test_the_order_of_rows_and_the_scale_of_weights_change_nothing():
    """Rows in another order, weights times ten, a row of weight zero and an empty row: the same classes."""
    design, items, _ = generated(800, 7)
    once = latent_classes(design, items, 2, starts=3)
    order = np.random.default_rng(0).permutation(800)
    turned = latent_classes(Design(design.weights[order] * 10), items.iloc[order].reset_index(drop=True), 2, starts=3)
    np.testing.assert_allclose(turned.shares().value, once.shares().value, atol=1e-7)
    more = pd.concat([items, items.iloc[:1], items.iloc[:1].mask(items.iloc[:1].notna())], ignore_index=True)
    padded = latent_classes(Design(np.append(design.weights, [0.0, 5.0])), more, 2, starts=3)
    np.testing.assert_allclose(padded.shares().value, once.shares().value, atol=1e-7)
    assert padded.posterior().iloc[-1].isna().all()


def test_answers_that_all_give_tell_nothing():
    """An item that all answer alike is 1 in each class, with an error, and leaves the others as they were."""
    design, items, _ = generated(800, 8)
    once = latent_classes(design, items, 2, starts=3)
    more = latent_classes(design, items.assign(all="yes"), 2, starts=3)
    assert more.log_likelihood == pytest.approx(once.log_likelihood)
    known = more.answers()
    assert (known.value["all"] == 1).all()
    assert (known.se["all"] > 0).all()


def test_what_cannot_be_is_refused():
    """No class, an item without an answer, negative weights, more classes than the answers tell."""
    design, items, _ = generated(300, 9)
    with pytest.raises(WelfareError, match="nothing to fit"):
        latent_classes(design, items, 0)
    with pytest.raises(WelfareError, match="nobody answered"):
        latent_classes(design, items.assign(none=pd.NA), 2)
    with pytest.raises(WelfareError, match=r"tell the classes apart|no members"):
        latent_classes(design, items[["a", "b"]], 2, starts=2)


def test_answers_that_are_all_alike():
    """One pattern of answers has no coefficient to estimate."""
    with pytest.raises(WelfareError, match="do not tell the classes apart"):
        latent_classes(Design(np.ones(20)), pd.DataFrame({"a": ["x"] * 20, "b": ["y"] * 20}), 1)

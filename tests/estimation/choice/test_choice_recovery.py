"""Simulate and recover: clustered samples with informative weights, where the design's intervals cover."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from welfare_analysis.estimation import Design
from welfare_analysis.estimation.choice import ChoiceFit, choices
from welfare_analysis.estimation.choice.logit import fitted

TRUTH = np.array([0.5, -0.4, -0.8, 0.6])  # constants of b and c, two attributes
B_C = ["C(mode)[T.b]", "C(mode)[T.c]"]
CLUSTERS, PERSONS, WITHIN = 36, 40, 0.3
THREE = pd.DataFrame({"case": np.repeat(range(3), 3), "mode": list("abc") * 3, "x": range(9), "near": np.arange(9) % 4})
EXAMPLE = choices(
    None, THREE.assign(chosen=THREE.index % 4 == 0), "chosen ~ C(mode) + near + x", case="case", alternative="mode"
)


def population(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Attributes, choices and clusters of the persons of CLUSTERS clusters.

    Each unobserved utility is Gumbel and independent of those of the other alternatives, so choices are exactly a
    logit; but those of neighbours are alike (a Gaussian copula with correlation WITHIN), as their attributes are.
    """
    n = CLUSTERS * PERSONS
    cluster = np.repeat(np.arange(CLUSTERS), PERSONS)
    shared = rng.normal(size=(2, CLUSTERS, 3))
    z = np.sqrt(WITHIN) * shared[0][cluster] + np.sqrt(1 - WITHIN) * rng.normal(size=(n, 3))
    gumbel = -np.log(-special.log_ndtr(z))
    x = np.zeros((n, 3, 4))
    x[:, 1, 0] = x[:, 2, 1] = 1
    x[:, :, 2] = 0.8 * shared[1][cluster] + 0.6 * rng.normal(size=(n, 3))
    x[:, :, 3] = rng.normal(size=(n, 3))
    return x, (x @ TRUTH + gumbel).argmax(axis=1), cluster


def sample(rng: np.random.Generator) -> ChoiceFit:
    """The fit to a sample in which those who choose b are drawn three times as often."""
    x, pick, cluster = population(rng)
    chance = np.where(pick == 1, 0.9, 0.3)
    there = np.flatnonzero(rng.random(len(pick)) < chance)
    design, n = Design(1 / chance[there], psu=cluster[there]), len(there)
    start = np.arange(0, 3 * n, 3)
    fields = {
        "x": x[there].reshape(-1, 4),
        "case": np.repeat(np.arange(n), 3),
        "start": start,
    }
    fields |= {"alternative": np.tile(np.arange(3), n), "chosen": start + pick[there], "person": np.arange(n)}
    return fitted(replace(EXAMPLE, design=design, **fields))


def coverage(replications: int, seed: int) -> pd.DataFrame:
    """Share of 95 % intervals that hold the truth, by kind of standard error, and the bias in standard errors."""
    rng, held, values = np.random.default_rng(seed), [], []
    for _ in range(replications):
        fit = sample(rng)
        t = stats.t.ppf(0.975, fit.df.to_numpy())
        error = np.abs(fit.value.to_numpy() - TRUTH)
        kinds = ("design", "robust", "hessian")
        held.append([error < t * np.sqrt(np.diag(fit.covariance(kind))) for kind in kinds])
        values.append(fit.value.to_numpy())
    table = pd.DataFrame(np.mean(held, axis=0).T, index=fit.value.index, columns=list(kinds))
    bias = np.mean(values, axis=0) - TRUTH
    return table.assign(bias=bias / np.std(values, axis=0))


@pytest.fixture(scope="module")
def measured() -> pd.DataFrame:
    """Coverage in 200 samples."""
    return coverage(200, 20261124)


def test_intervals_of_the_design_cover(measured):
    """Mean coverage of the four coefficients is 93 to 97 %, each within what 200 samples allow."""
    assert 0.93 <= measured["design"].mean() <= 0.97
    assert measured["design"].between(0.95 - 0.045, 0.95 + 0.045).all()


def test_hessian_errors_visibly_fail(measured):
    """Errors of the Hessian, or of rows taken for independent, miss the truth where neighbours are alike."""
    assert (measured.loc[[*B_C, "near"], "hessian"] < 0.85).all()
    assert (measured.loc[B_C, "robust"] < 0.85).all()


def test_weights_make_the_estimates_consistent(measured):
    """With weights the bias is small beside the standard error; without, the constant of b is far off."""
    assert (measured["bias"].abs() < 0.35).all()
    fit = sample(np.random.default_rng(1))
    unweighted = fitted(replace(fit.cases, design=Design(np.ones(fit.design.n))))
    assert unweighted.value[B_C[0]] - TRUTH[0] > 3 * fit.se[B_C[0]]

"""The promised coverage: the stored grid of designs and statistics, and a small part of it drawn again."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from welfare_analysis.results.coverage import POOR, PROMISED, expected, marked
from welfare_analysis.results.coverage import stored_coverage as stored

sys.path.append(str(Path(__file__).parents[1] / "simulation"))
import coverage_grid
import coverage_models

CELLS = stored("statistics")


def test_the_grid_is_whole():
    """Nine designs, three outcomes, eleven statistics, ten models; at least 2,000 samples of each."""
    assert set(CELLS["design"]) == set(coverage_grid.DESIGNS)
    assert len(CELLS) == 9 * 3 * 11
    models = stored("models")
    assert set(models["design"]) == set(coverage_models.MODELS)
    assert CELLS["samples"].min() >= 2000
    assert (models["samples"] + models["failed"]).min() >= 2000


def test_every_poor_cell_is_marked():
    """Wherever coverage is under 92 %, most samples mark the number as one to be used with caution."""
    poor = CELLS["coverage"] < POOR
    assert poor.any()
    assert marked(CELLS[poor]).all()


def test_where_nothing_warns_the_promise_is_kept():
    """Enough effective cases and degrees of freedom, little skewness, no mark: 93 to 97 %, errors of the right size."""
    sure = CELLS[expected(CELLS) & ~marked(CELLS)]
    chance = 2.5 * np.sqrt(0.05 * 0.95 / 2000)
    assert sure["coverage"].between(PROMISED[0] - chance, PROMISED[1] + chance).all()
    assert sure["coverage"].between(*PROMISED).mean() > 0.95
    assert sure["se_ratio"].between(0.95 - 0.04, 1.10 + 0.04).all()


@pytest.mark.parametrize("design", ["srs_200", "clusters_40", "two_phase"])
def test_samples_drawn_now_are_those_stored(design):
    """A few samples with the stored seeds: means of their errors lie where 2,000 stored ones put them."""
    rows = pd.concat([coverage_grid.one_sample(design, seed) for seed in range(24)], ignore_index=True)
    now = coverage_grid.summarised(rows).set_index(["statistic", "outcome"])
    known = CELLS[CELLS["design"] == design].set_index(["statistic", "outcome"]).loc[now.index]
    np.testing.assert_allclose(now["truth"], known["truth"], rtol=1e-4)
    held = (now["coverage"] * 24).round()
    assert (stats.binom.cdf(held, 24, known["coverage"].clip(upper=0.999)) > 1e-4).all()
    sure = known["coverage"] > 0.93
    assert held[sure].mean() / 24 > 0.9


@pytest.mark.parametrize("model", ["logistic", "conditional_logit", "ranking"])
def test_errors_of_the_hessian_visibly_fail(model):
    """With clustered samples and informative weights the design's errors cover, those of the Hessian do not."""
    rows = pd.concat([coverage_models.one_sample(model, seed) for seed in range(24)], ignore_index=True)
    found = coverage_models.summarised(rows)
    assert (found["coverage"] > 0.85).all()
    assert found["coverage_hessian"].mean() < 0.85
    known = stored("models").query("design == @model")
    assert known["coverage"].between(0.92, 0.97).all()
    assert (known["coverage_hessian"] < known["coverage"]).all()

"""The part of a spread between groups that remains: recovered by simulation, and near 0 where there is none."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, linear, margins, mean
from welfare_analysis.estimation.spread import remaining

GROUPS, N, SAMPLES = 12, 1500, 60


def spreads(place, composition):
    """Parts of samples in which groups differ by ``place`` itself and by whom they are made of; naive slopes beside."""
    found = []
    for seed in range(SAMPLES):
        rng = np.random.default_rng(seed)
        g = rng.integers(0, GROUPS, N)
        level = np.linspace(-1, 1, GROUPS)[g]
        x = composition * level + rng.normal(size=N)
        f = pd.DataFrame({"g": g.astype(str), "x": x, "y": place * level + x + rng.normal(size=N)})
        f["g"] = pd.Categorical(f["g"], categories=[str(i) for i in range(GROUPS)])
        design = Design(np.ones(N))
        raw, adjusted = mean(design, f["y"], by=f["g"]), margins(linear(design, f, "y ~ g + x"), "g")
        r, a = (e.value.to_numpy() - e.value.mean() for e in (raw, adjusted))
        found.append([*remaining(raw, adjusted).value, a @ r / (r @ r)])
    return np.array(found)


def test_nothing_remains_where_groups_do_not_differ():
    """Without any difference, or with those of composition alone, the mean part is near 0; the naive slope is not."""
    alike = spreads(0.0, 0.0)
    error = alike[:, 2].std() / np.sqrt(SAMPLES)
    assert abs(alike[:, 2].mean()) < 3 * error < 0.2
    assert alike[:, 3].mean() > 0.35
    mixed = spreads(0.0, 0.5)
    assert abs(mixed[:, 2].mean()) < 3 * mixed[:, 2].std() / np.sqrt(SAMPLES) < 0.1
    assert abs(mixed[:, 1].mean()) < 0.002  # the variance between groups after adjustment


@pytest.mark.parametrize(("place", "composition"), [(0.4, 0.4), (0.5, 0.0), (0.3, 0.9)])
def test_a_real_difference_is_recovered(place, composition):
    """Of differences of place and of composition the part of place remains."""
    found = spreads(place, composition)
    part = place / (place + composition)
    assert found[:, 2].mean() == pytest.approx(part, abs=3 * found[:, 2].std() / np.sqrt(SAMPLES) + 0.01)
    level = np.linspace(-1, 1, GROUPS)
    assert found[:, 0].mean() == pytest.approx((place + composition) ** 2 * level.var(), rel=0.1)
    assert found[:, 1].mean() == pytest.approx(place**2 * level.var(), rel=0.15)


def test_groups_must_be_the_same():
    """Other groups after than before, and an error that is not known, are refused."""
    design, y = Design(np.ones(9)), np.arange(9.0)
    with pytest.raises(WelfareError, match="not the same groups; got '3 and 2'"):
        remaining(mean(design, y, by=y % 3), mean(design, y, by=y % 2))
    with pytest.raises(WelfareError, match="an error is not known"):
        remaining(mean(design, y, by=y > 0), mean(design, y, by=y > 0))

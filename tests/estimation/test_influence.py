"""Variances of many variables by many domains: threads and the compiled sums change nothing but the time."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.estimation import Design, centred, influence, mean, threads
from welfare_analysis.estimation.threads import each

N, VARIABLES, DOMAINS = 3000, 5, 7


def sample() -> tuple[Design, pd.DataFrame, pd.Series]:
    """Unequal weights in 20 strata of 4 PSUs; the last variable is the same for everybody."""
    rng = np.random.default_rng(7)
    strata = rng.integers(0, 20, N)
    y = pd.DataFrame(rng.lognormal(size=(N, VARIABLES)), columns=list("abcde")).assign(e=0.1)
    design = Design(rng.uniform(1, 9, N), strata=strata, psu=4 * strata + rng.integers(0, 4, N))
    return design, y, pd.Series(rng.integers(0, DOMAINS, N), name="group")


@pytest.mark.parametrize("where", [None, 5])
def test_compiled_sums_and_threads_give_the_same_variances(monkeypatch: pytest.MonkeyPatch, where: int | None) -> None:
    """Each column is summed in the order of its rows by whoever does it; a constant keeps its error of exactly 0."""
    design, y, group = sample()
    inside = None if where is None else group < where
    before = mean(design, y, by=group, where=inside).se
    monkeypatch.setattr(influence, "COMPILED", 0)
    monkeypatch.setattr(threads, "MANY", 0)
    after = mean(design, y, by=group, where=inside).se
    np.testing.assert_allclose(after, before, rtol=1e-12)
    assert (after["e"] == 0).all()
    assert (after[list("abcd")] > 0).all()


def test_compiled_sums_are_those_of_numpy() -> None:
    """Deviations of amounts and of a constant that is no binary fraction, in pairs of which some are empty."""
    rng = np.random.default_rng(8)
    domain, weights = rng.integers(0, DOMAINS, N), rng.uniform(1, 9, N)
    pair = domain + DOMAINS * rng.integers(0, 30, N) * 2
    for y, level in ((rng.normal(size=N), rng.normal(size=DOMAINS)), (np.full(N, 0.1), np.full(DOMAINS, 0.1 + 1e-16))):
        found = centred.compiled(y, level, domain, weights, pair, DOMAINS * 60)
        gap = y - level[domain]
        gap[np.abs(gap) <= centred.CONSTANT * np.abs(y)] = 0.0
        known = np.bincount(pair, weights=weights * gap, minlength=DOMAINS * 60)
        np.testing.assert_allclose(found, known, rtol=1e-12, atol=1e-12)
        assert (found[DOMAINS : 2 * DOMAINS] == 0).all()
    assert not found.any()


def test_columns_come_back_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """One column, none, and more than there are threads; an error of one is raised."""
    monkeypatch.setattr(threads, "MANY", 0)
    for count in (0, 1, 2, 3, 50):
        assert each(lambda j: j * j, count, 10) == [j * j for j in range(count)]
    with pytest.raises(ZeroDivisionError):
        each(lambda j: 1 // (j - 3), 9, 10)

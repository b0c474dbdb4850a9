"""Shares corrected by a check of some respondents: identities, Tenenbein's variance, and coverage."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, double_sampling, mean


def _drawn(rng: np.random.Generator, n: int, m: int, lies: float, silent: float = 0.0):
    """Some respondents of an endless population, of whom m are checked; a part of those for whom it is so say no."""
    truth = rng.random(n) < 0.3
    said = pd.Series(truth & (rng.random(n) >= lies), dtype=object).mask(rng.random(n) < silent)
    rows = np.sort(rng.choice(n, m, replace=False))
    checked = Design(pd.Series(n / m, rows), fpc=pd.Series(float(n), rows))
    return Design(np.ones(n)), said, checked, pd.Series(truth[rows], rows)


def test_it_is_the_mean_of_what_was_found_in_each_class_weighed_by_the_class():
    rng = np.random.default_rng(1)
    _, said, checked, found = _drawn(rng, 900, 240, 0.4, 0.1)
    weights = rng.uniform(1, 5, 900)
    estimate = double_sampling(Design(weights), said, checked, found)
    by_hand = 0.0
    for rows in (said.eq(True), said.eq(False), said.isna()):
        inside = rows[rows].index.intersection(found.index)
        by_hand += weights[rows].sum() / weights.sum() * np.average(found[inside], weights=weights[inside])
    assert estimate.value.iloc[0] == pytest.approx(by_hand, rel=1e-12)
    assert estimate.counts["n"].iloc[0] == 240


def test_where_everybody_says_what_is_so_it_is_their_mean_with_its_error():
    design, said, checked, found = _drawn(np.random.default_rng(2), 800, 200, 0.0)
    estimate, plain = double_sampling(design, said, checked, found), mean(design, said.astype(float))
    assert estimate.value.iloc[0] == pytest.approx(plain.value.iloc[0], rel=1e-12)
    assert estimate.se.iloc[0] == pytest.approx(plain.se.iloc[0], rel=1e-9)


def test_where_all_are_checked_it_is_the_mean_of_what_was_found():
    design, said, checked, found = _drawn(np.random.default_rng(3), 500, 500, 0.5, 0.2)
    estimate, plain = double_sampling(design, said, checked, found), mean(design, found.astype(float))
    assert estimate.value.iloc[0] == pytest.approx(plain.value.iloc[0], rel=1e-12)
    assert estimate.se.iloc[0] == pytest.approx(plain.se.iloc[0], rel=0.02)  # the parts that the classes divide it in


def test_the_error_is_that_of_tenenbein():
    n, m, lies, p = 20_000, 1_500, 0.4, 0.3
    design, said, checked, found = _drawn(np.random.default_rng(4), n, m, lies)
    no = p * lies / (1 - p + p * lies)  # for whom it is so, of those who say no
    explained = 1 - (1 - p + p * lies) * no * (1 - no) / (p * (1 - p))
    variance = p * (1 - p) * ((1 - explained) / m + explained / n)
    assert double_sampling(design, said, checked, found).se.iloc[0] == pytest.approx(np.sqrt(variance), rel=0.05)
    assert mean(design, said.astype(float)).se.iloc[0] < 0.5 * np.sqrt(variance)  # of those who say it, and wrong


def test_intervals_hold_the_truth_in_clusters_and_strata():
    rng, hits, wrong, runs = np.random.default_rng(5), 0, 0, 300
    for _ in range(runs):
        effect = np.repeat(rng.normal(0, 0.6, 60), 20)
        truth = rng.random(1200) < 1 / (1 + np.exp(1.2 - effect))
        said = pd.Series(truth & (rng.random(1200) < 0.7), dtype=object).mask(rng.random(1200) < 0.05)
        design = Design(np.ones(1200), psu=np.repeat(np.arange(60), 20))
        stratum = np.where(rng.random(1200) < 0.5, "a", "b")
        rows = np.concatenate([rng.choice(np.flatnonzero(stratum == s), 90, replace=False) for s in "ab"])
        size = pd.Series([float((stratum == s).sum()) for s in stratum[rows]], rows)
        checked = Design(size / 90, strata=pd.Series(stratum[rows], rows), fpc=size)
        low, high = double_sampling(design, said, checked, pd.Series(truth[rows], rows)).interval().iloc[0]
        level = np.mean(1 / (1 + np.exp(1.2 - rng.normal(0, 0.6, 100_000))))
        hits += low <= level <= high
        low, high = mean(design, said.astype(float)).interval().iloc[0]
        wrong += low <= level <= high
    assert 0.92 <= hits / runs <= 0.98
    assert wrong / runs < 0.3


def test_a_class_of_which_nobody_was_checked_has_the_mean_of_all():
    design, said, checked, found = _drawn(np.random.default_rng(6), 400, 100, 0.4)
    others = np.setdiff1d(np.arange(400), found.index)[:3]
    rare = said.where(~said.index.isin(others), "rare")
    estimate = double_sampling(design, rare, checked, found).value.iloc[0]
    kept = said.drop(others)
    levels = [(kept.eq(c).sum() / 400, found[kept[kept.eq(c)].index.intersection(found.index)].mean()) for c in (1, 0)]
    assert estimate == pytest.approx(sum(w * y for w, y in levels) + 3 / 400 * found.mean(), rel=1e-12)


def test_nothing_found_is_an_error():
    design, said, checked, found = _drawn(np.random.default_rng(7), 100, 20, 0.4)
    with pytest.raises(WelfareError, match="nothing was found"):
        double_sampling(design, said, checked, found.astype("boolean").mask(found.notna()))


def test_gaps_that_the_check_hardly_fills_are_left_out_as_in_a_share_of_those_who_said():
    """Only those for whom it is not so showed their papers: they say nothing of the others with a gap."""
    design, said, checked, found = _drawn(np.random.default_rng(8), 2000, 400, 0.0, 0.3)
    gap = said.loc[found.index].isna()
    shown = found.astype("boolean").mask(gap & (found | (np.arange(400) % 2 == 0)))
    estimate = double_sampling(design, said, checked, shown)
    assert estimate.value.iloc[0] == pytest.approx(said.dropna().astype(float).mean(), rel=1e-12)
    told = found.astype("boolean").mask(gap & (np.arange(400) % 10 == 0))
    assert double_sampling(design, said, checked, told).counts["n"].iloc[0] > estimate.counts["n"].iloc[0] + 50

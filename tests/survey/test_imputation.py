"""Incomes filled in: unbiased under missing at random, and no surer than they are."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, mean
from welfare_analysis.needs.income_debt import over_debt_limit
from welfare_analysis.survey.imputation import combined, imputed, together


def drawn(seed, n=600):
    """Log incomes that rise with rank; seniors hide them more often. The truth of the population is a mean of 1."""
    rng = np.random.default_rng(seed)
    rank = np.array(["guards", "senior"])[(rng.random(n) < 0.3).astype(int)]
    income = np.exp(np.where(rank == "senior", 1.0, 0.0) + rng.normal(0, 0.5, n))
    hidden = rng.random(n) < np.where(rank == "senior", 0.6, 0.1)
    frame = pd.DataFrame(
        {"rank_group": rank, "income": np.where(hidden, np.nan, income), "age": rng.uniform(20, 60, n)}
    )
    return frame, rng


TRUTH = (0.7 * 1 + 0.3 * np.e) * np.exp(0.5**2 / 2)


def completed(frame, weights, name, asked, rng, m=2):
    """One amount completed m times."""
    return together(frame, weights, {name: asked}, rng, m)[name]


def test_filled_in_means_cover_where_told_ones_miss():
    """Of 200 samples 95 % intervals hold the mean; the mean of those who told misses it in most."""
    hits, told = 0, 0
    for seed in range(200):
        frame, rng = drawn(seed)
        design, everybody = Design(np.ones(600)), pd.Series(True, frame.index)
        files = completed(frame, np.ones(600), "income", everybody, rng, 10)
        found = imputed(design, frame, {"income": files}, lambda d, f: mean(d, f["income"]))
        low, high = found.interval().iloc[0]
        hits += low <= TRUTH <= high
        low, high = mean(design, frame["income"]).interval().iloc[0]
        told += low <= TRUTH <= high
    assert 0.92 <= hits / 200 <= 0.985
    assert told / 200 < 0.2


def test_variance_is_within_plus_between():
    """Rubin's rules by hand: the mean of the estimates, and of their variances, with (1 + 1/m) B."""
    frame, rng = drawn(1)
    files = completed(frame, np.ones(600), "income", pd.Series(True, frame.index), rng, 5)
    design = Design(np.ones(600))
    parts = [mean(design, f) for f in files]
    found = combined(parts)
    values = np.array([p.value.iloc[0] for p in parts])
    assert found.value.iloc[0] == pytest.approx(values.mean())
    between = 1.2 * values.var(ddof=1)
    assert found.extra_covariance["imputation"].toarray()[0, 0] == pytest.approx(between)
    inside = np.mean([p.se.iloc[0] ** 2 for p in parts])
    assert found.se.iloc[0] ** 2 == pytest.approx(inside + between)
    part = between / (inside + between)
    observed = 600 / 602 * 599 * (1 - part)  # Barnard and Rubin 1999, with 599 degrees of freedom of the design
    assert found.df.iloc[0] == pytest.approx(1 / (part**2 / 4 + 1 / observed))


def test_completed_files_are_run_again():
    """With replicate weights the estimate of all files is run again; else none, as if the first file were all."""
    frame, rng = drawn(6)
    files = completed(frame, np.ones(600), "income", pd.Series(True, frame.index), rng, 3)
    plain = Design(np.ones(600), psu=np.arange(600) // 20)
    ready = [mean(plain.with_replicates(), f) for f in files]
    found = combined(ready)
    np.testing.assert_allclose(found.deviations, np.mean([e.deviations for e in ready], axis=0), rtol=1e-9)
    with pytest.raises(WelfareError, match="not known how to estimate it again"):
        combined([mean(plain, f) for f in files]).refit()


def test_much_missing_and_nothing_to_tell_it_by():
    """40 % missing at random and no predictor: the mean standard error is the spread of 200 samples, and covers."""
    found, truth = [], np.exp(0.5)
    for seed in range(200):
        rng = np.random.default_rng(seed)
        y = np.exp(rng.normal(0, 1, 400))
        frame = pd.DataFrame({"income": np.where(rng.random(400) < 0.4, np.nan, y)})
        weights, design = np.full(400, 10.0), Design(np.full(400, 10.0))
        files = completed(frame, weights, "income", pd.Series(True, frame.index), rng, 5)
        e = imputed(design, frame, {"income": files}, lambda d, f: mean(d, f["income"]))
        found.append([e.value.iloc[0], e.se.iloc[0], *e.interval().iloc[0]])
    value, se, low, high = np.array(found).T
    assert 0.92 <= se.mean() / value.std() <= 1.1
    assert 0.91 <= ((low <= truth) & (truth <= high)).mean() <= 0.98


def test_equal_weights_are_no_predictor():
    """Weights of ten give the files that weights of one give."""
    frame, _ = drawn(5)
    everybody = pd.Series(True, frame.index)
    one, ten = (
        completed(frame, np.full(600, w), "income", everybody, np.random.default_rng(8), 3) for w in (1.0, 10.0)
    )
    for a, b in zip(one, ten, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8)


def test_nothing_missing_changes_nothing():
    """Without gaps the completed files are the file, and the estimate is that of the answers."""
    frame, rng = drawn(2)
    frame = frame.assign(income=frame["income"].fillna(2.0))
    files = completed(frame, np.ones(600), "income", pd.Series(True, frame.index), rng, 3)
    found = combined([mean(Design(np.ones(600)), f) for f in files])
    plain = mean(Design(np.ones(600)), frame["income"])
    assert found.value.iloc[0] == plain.value.iloc[0]
    assert found.se.iloc[0] == pytest.approx(plain.se.iloc[0])


def test_only_what_was_asked_is_filled_in():
    """Those who were not asked stay without an amount, those who told keep theirs, and zeros stay possible."""
    frame, rng = drawn(3)
    asked = frame["rank_group"] == "senior"
    frame = frame.assign(income=frame["income"].mask(frame.index % 7 == 0, 0.0))
    (one, *_) = completed(frame, np.ones(600), "income", asked, rng, 2)
    assert one[asked].notna().all()
    gone = ~asked & frame["income"].isna()
    assert one[gone].isna().all()
    known = frame["income"].notna()
    assert (one[known] == frame["income"][known]).all()
    assert (one[asked & ~known] == 0).any()


def test_too_little_to_learn_from():
    """Fewer than 30 known amounts, and a single file, are errors."""
    frame, rng = drawn(4)
    with pytest.raises(WelfareError, match="too few"):
        completed(frame.head(35), np.ones(35), "income", pd.Series(True, frame.index[:35]), rng)
    with pytest.raises(WelfareError, match="cannot be combined"):
        combined([mean(Design(np.ones(600)), frame["income"])])


def borrowers(seed, n=4000):
    """Pay, and deductions of the half who borrow, at most 40 % of pay but for a few; a fifth of each is hidden."""
    rng = np.random.default_rng(seed)
    pay = np.exp(8.5 + rng.normal(0, 0.4, n))
    loan, part = rng.random(n) < 0.5, np.where(rng.random(n) < 0.04, 0.5, rng.uniform(0.1, 0.36, n))
    house = rng.random(n) < 0.4
    service = np.where(loan, part * pay, 0.0)
    frame = pd.DataFrame({"status": "active", "net_pay_dh": pay, "has_loan": np.where(loan, "yes", "no")})
    frame["consumer_deduction_dh"] = np.where(loan, np.where(house, 0.0, service), np.nan)
    frame["housing_deduction_dh"] = np.where(loan, np.where(house, service, 0.0), np.nan)
    gaps = frame.copy()
    gaps.loc[rng.random(n) < 0.2, "net_pay_dh"] = np.nan
    gaps.loc[(rng.random(n) < 0.2) & loan, ["consumer_deduction_dh", "housing_deduction_dh"]] = np.nan
    gaps.loc[rng.random(n) < 0.05, "has_loan"] = None
    return frame, gaps, rng


def test_deductions_and_incomes_keep_their_law():
    """Simulate and recover: the part over the limit of completed files is near that of the whole."""
    asked = dict.fromkeys(("net_pay_dh", "consumer_deduction_dh", "housing_deduction_dh"))
    truth, joint, alone = [], [], []
    for seed in range(6):
        frame, gaps, rng = borrowers(seed)
        everybody, weights = pd.Series(True, frame.index), np.ones(len(frame))
        files = together(gaps, weights, dict.fromkeys(asked, everybody), rng, 2)
        assert all(f.notna().all() for f in (*files["net_pay_dh"], *files["has_loan"]))
        truth.append(over_debt_limit(frame.assign(pension_dh=np.nan)).mean())
        full = [gaps.assign(pension_dh=np.nan, **{n: f[i] for n, f in files.items()}) for i in range(2)]
        joint.append(np.mean([over_debt_limit(f).mean() for f in full]))
        blind = gaps.drop(columns=["has_loan", *list(asked)[1:]])
        (pay, _) = completed(blind, weights, "net_pay_dh", everybody, rng, 2)
        alone.append(over_debt_limit(frame.assign(pension_dh=np.nan, net_pay_dh=pay)).mean())
    truth, joint, alone = (np.mean(v) for v in (truth, joint, alone))
    assert alone > 1.5 * truth
    assert abs(joint - truth) < 0.4 * (alone - truth)


def test_only_borrowers_have_deductions():
    """Of those without a loan no deduction is drawn, and who is drawn to have one gets it."""
    _, gaps, rng = borrowers(9)
    everybody = pd.Series(True, gaps.index)
    files = together(gaps, np.ones(len(gaps)), {"housing_deduction_dh": everybody}, rng, 2)
    for loan, amount in zip(files["has_loan"], files["housing_deduction_dh"], strict=True):
        assert amount[loan.eq("yes")].notna().all()
        assert amount[loan.eq("no") & gaps["housing_deduction_dh"].isna()].isna().all()
        assert loan[gaps["has_loan"].notna()].equals(gaps["has_loan"].dropna())

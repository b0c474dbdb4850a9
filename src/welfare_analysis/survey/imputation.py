r"""Incomes, loans and deductions that were not given, drawn many times from what others alike gave, and the error left.

Multiple imputation by predictive mean matching (Little 1988): who gave none takes the amount of one of the `DONORS`
whose predicted log amount is nearest, given status and rank, command group, age, the weight, the follow-up and the
other amounts: deductions and the cost of housing tell an income. The donors of each file are drawn from those who gave
an amount, with replacement, as if they were another sample (Rubin and Schenker 1986). A normal regression would not do:
it puts many a borrower over a limit that lenders keep to. Amounts with gaps of their own are completed in turn, each
given the others, several times over (van Buuren 2007), so that what is computed of several has their joint law.

With m completed files the estimate is the mean, and its variance that of the design plus :math:`(1 + 1/m) B`, B the
variance between the files (Rubin 1987, p. 76), with the degrees of freedom of Barnard and Rubin (1999).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import sparse

from ..errors import WelfareError
from ..estimation import Design, Estimate

Draws = dict[str, list[pd.Series]]  # by column, how it was completed each time
Estimator = Callable[[Design, pd.DataFrame], Estimate]
LEAST = 30  # known amounts below which nothing is imputed
DONORS = 6
SWEEPS = 3  # rounds in which each amount is drawn given the others
DEDUCTIONS = ("consumer_deduction_dh", "housing_deduction_dh")
AMOUNTS = ("net_pay_dh", "pension_dh", "other_income_dh", *DEDUCTIONS, "rent_dh", "housing_charges_dh")


def together(
    frame: pd.DataFrame, weights: np.ndarray, asked: Mapping[str, pd.Series], rng: np.random.Generator, m: int = 20
) -> Draws:
    """Several amounts completed m times, each given the others; ``asked`` says of each who was asked.

    Whether there is a loan (``has_loan``, if the frame has it) is completed first, in the same way; deductions only of
    those who then have one.

    Raises
    ------
    WelfareError
        Fewer than 30 known amounts.
    """
    draws: Draws = {name: [] for name in asked}
    loan = frame["has_loan"].astype(object) if "has_loan" in frame and frame["has_loan"].notna().any() else None
    fixed, known = _fixed(frame, weights), _amounts(frame)
    frame = frame[list(asked)]
    if loan is not None:
        draws["has_loan"] = []
    for _ in range(m):
        full, amounts = frame.copy(), dict(known)
        if loan is not None:
            gaps, X = loan.isna().to_numpy(), _stacked(fixed, amounts, "has_loan")
            full["has_loan"] = loan.to_numpy()[_donors(X, loan.eq("yes").to_numpy(float), ~gaps, rng)]
            draws["has_loan"].append(full["has_loan"])
        for _ in range(SWEEPS):
            for name, rows in asked.items():
                of = rows & full["has_loan"].eq("yes") if name in DEDUCTIONS and loan is not None else rows
                full[name] = _completed(frame[name], _stacked(fixed, amounts, name), of, rng)
                amounts |= _amounts(full[[name]])
        for name in asked:
            draws[name].append(full[name])
    return draws


def _completed(y: pd.Series, X: np.ndarray, asked: pd.Series, rng: np.random.Generator) -> pd.Series:
    """A column of amounts from 0 on, completed from those whom ``X`` (n x p) predicts to be alike."""
    known = y.notna() & asked
    if known.sum() < LEAST:
        what, expected = "too few amounts are known", f"{LEAST} at least"
        raise WelfareError(what, where=y.name, got=int(known.sum()), expected=expected)
    log, values, there = np.log1p(y.fillna(0.0).to_numpy(float)), y.to_numpy(float), known.to_numpy()
    rows = (known | (asked & y.isna())).to_numpy().nonzero()[0]
    taken = y.astype(float).copy()
    taken.iloc[rows] = values[rows[_donors(X[rows], log[rows], there[rows], rng)]]
    return taken


def _donors(X: np.ndarray, y: np.ndarray, known: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Whose answer each row (n,) takes: its own where it is known, else one of those drawn with the nearest prediction.

    Those with one prediction are in random order, so that where nothing tells the rows apart all may give.
    """
    donors, drawn = np.arange(len(y)), rng.choice(known.nonzero()[0], int(known.sum()))
    times = np.bincount(drawn, minlength=len(y))
    beta = np.linalg.pinv((X.T * times) @ X, rcond=1e-12, hermitian=True) @ (X.T @ (times * y))
    fitted = (X @ beta).round(10)
    at, wanted = fitted[drawn], fitted[~known]
    order = np.lexsort((rng.random(len(drawn)), at))
    first, last = (np.searchsorted(at[order], wanted, side=side) for side in ("left", "right"))
    place = first + np.floor(rng.random(len(wanted)) * (last - first + 1)).astype(int)
    place += rng.integers(-(DONORS // 2), DONORS // 2, len(wanted))
    donors[~known] = drawn[order[np.clip(place, 0, len(drawn) - 1)]]
    return donors


def _fixed(frame: pd.DataFrame, weights: np.ndarray) -> list[np.ndarray]:
    """Predictors that are never drawn: those of the design, categories (a missing one is one of its own), and ages."""
    columns = [np.ones(len(frame)), np.log(weights / np.mean(weights))]
    for name in ("status", "rank_group", "command_group", "sex", "outcome"):
        if name in frame:
            categories = frame[name].astype(object).where(frame[name].notna(), "unknown").astype(str)
            columns += [(categories == level).to_numpy(float) for level in sorted(categories.unique())[1:]]
    for name in ("age", "seniority_years"):
        if name in frame and frame[name].notna().any():
            z = frame[name].fillna(frame[name].mean()).to_numpy(float)
            columns += [z / 10, (z / 10) ** 2]
    return columns


def _amounts(frame: pd.DataFrame) -> dict[str, list[np.ndarray]]:
    """Amounts as predictors: whether one is missing, whether it is nothing, and its logarithm."""
    columns = {}
    for name in (n for n in AMOUNTS if n in frame and frame[n].notna().any()):
        amount = frame[name].astype(float)
        log = np.log(amount.where(amount > 0))
        columns[name] = [amount.isna().to_numpy(float), amount.eq(0).to_numpy(float), log.fillna(log.mean()).to_numpy()]
    return columns


def _stacked(fixed: list[np.ndarray], amounts: Mapping[str, list[np.ndarray]], target: str) -> np.ndarray:
    """Predictors (n x p) of one amount: the fixed ones and the other amounts."""
    return np.column_stack([*fixed, *(column for name in amounts if name != target for column in amounts[name])])


def combined(estimates: list[Estimate]) -> Estimate:
    """One estimate of several completed files, with the variance of Rubin: the mean of theirs, and that between.

    The influence is the mean; as averaging smooths what was drawn, the design's variance about it is an extra
    covariance (``within``), beside the variance between the files (``imputation``).

    Raises
    ------
    WelfareError
        Fewer than two files, or estimates of different things.
    """
    first, m = estimates[0], len(estimates)
    if m < 2 or any(not e.value.index.equals(first.value.index) for e in estimates):
        what = "estimates of completed files cannot be combined"
        raise WelfareError(what, where="combined", got=m, expected="2 alike")
    values = np.column_stack([e.value for e in estimates])
    between = np.atleast_2d(np.cov(values)) * (1 + 1 / m)
    mean = pd.Series(values.mean(axis=1), index=first.value.index, name=first.value.name)
    centre = sparse.csr_array(sum((e.influence for e in estimates[1:]), first.influence) / m)
    within = sum(first.design.covariance(e.influence - centre) for e in estimates) / m
    given = [e.extra_covariance for e in estimates]
    names = dict.fromkeys(name for own in given for name in own)
    extra = {name: sum(sparse.csr_array(own[name]) / m for own in given if name in own) for name in names}
    extra |= {"within": sparse.csr_array(within), "imputation": sparse.csr_array(between)}
    moved = [e.deviations for e in estimates if e.deviations is not None]
    deviations = np.mean(moved, axis=0) if len(moved) == m else None
    alone = replace(first, push=None, estimator=None, deviations=deviations)  # those of the first are of one file
    estimate = replace(alone, value=mean, compute=lambda: centre, extra_covariance=extra)
    variance = estimate.se.to_numpy() ** 2
    part = np.divide(np.diagonal(between), variance, out=np.zeros(len(variance)), where=variance > 0)
    return replace(estimate, df=pd.Series(_freedom(first.df.to_numpy(float), part, m), index=first.df.index))


def _freedom(complete: np.ndarray, part: np.ndarray, m: int) -> np.ndarray:
    r"""Degrees of freedom (k,) of Barnard and Rubin (1999) from those of a complete file.

    :math:`1/\nu = \lambda^2/(m - 1) + (\nu_0 + 3) / (\nu_0 (\nu_0 + 1) (1 - \lambda))`, with :math:`\lambda` the
    ``part`` of the variance that is between the files; where that is none nothing was drawn.
    """
    observed = complete * (complete + 1) / (complete + 3) * np.maximum(1 - part, 1e-12)
    return np.where(part > 0, np.maximum(1 / (part**2 / (m - 1) + 1 / observed), 1.0), complete)


def imputed(design: Design, frame: pd.DataFrame, columns: Draws, estimator: Estimator) -> Estimate:
    """The estimate over files in which the columns are completed; ``estimator`` takes a design and a frame."""
    m = min(len(draws) for draws in columns.values())
    completed = (frame.assign(**{name: draws[i] for name, draws in columns.items()}) for i in range(m))
    return combined([estimator(design, full) for full in completed])

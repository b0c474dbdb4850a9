"""Coverage of models: clustered samples with informative weights, from laws whose coefficients are known exactly.

What is unobserved is drawn by a Gaussian copula: uniform for each person, alike within clusters. So each person follows
the model exactly, and the Hessian's errors, which take persons for independent, are too small.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special, stats

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import (
    Design,
    Estimate,
    heckman,
    linear,
    logistic,
    nested_logit,
    plackett_luce,
    quantile_regression,
    tobit,
)
from welfare_analysis.estimation.choice.willingness import willingness_to_pay
from welfare_analysis.estimation.fit import Fit

sys.path.append(str(Path(__file__).parents[1] / "estimation" / "choice"))
from test_choice_recovery import TRUTH, sample

CLUSTERS, PERSONS, WITHIN = 60, 16, 0.3
PSU = np.repeat(np.arange(CLUSTERS), PERSONS)
N = len(PSU)
WORTHS = np.array([0.9, 0.3, 0.0, -0.4])
Made = tuple[Estimate, list[float]]


def alike(rng: np.random.Generator, columns: int = 1) -> np.ndarray:
    """Standard normal variables (N x columns) with correlation `WITHIN` in clusters."""
    shared = rng.normal(size=(CLUSTERS, columns))[PSU]
    return np.sqrt(WITHIN) * shared + np.sqrt(1 - WITHIN) * rng.normal(size=(N, columns))


def taken(rng: np.random.Generator, often: np.ndarray) -> tuple[np.ndarray, Design]:
    """Persons drawn, those marked ``often`` twice as often as others, and their design."""
    p = np.where(often, 0.8, 0.4)
    rows = np.flatnonzero(rng.random(N) < p)
    return rows, Design(1 / p[rows], psu=PSU[rows])


def regression(rng: np.random.Generator, kind: str) -> Made:
    """Linear, Tobit and median regressions: y = 0.5 + x + 1.5 e, of a quantile with e wider where x is larger."""
    x, e = alike(rng)[:, 0], alike(rng)[:, 0]
    y = 0.5 + x + 1.5 * e * (1 if kind != "median" else (1 + 0.3 * np.tanh(x)))
    rows, design = taken(rng, y > 1)
    f = pd.DataFrame({"x": x, "y": np.maximum(y, 0) if kind == "tobit" else y}).iloc[rows].reset_index(drop=True)
    fit = {"linear": linear, "tobit": tobit, "median": quantile_regression}[kind](design, f, "y ~ x")
    return fit, [0.5, 1.0, 1.5][: len(fit.value)]


def logistic_(rng: np.random.Generator) -> Made:
    """Logistic regression with constant -0.5 and slope 1."""
    x, e = alike(rng)[:, 0], special.logit(special.ndtr(alike(rng)[:, 0]))
    b = -0.5 + x + e > 0
    rows, design = taken(rng, b)
    return logistic(design, pd.DataFrame({"x": x, "b": b}).iloc[rows].reset_index(drop=True), "b ~ x"), [-0.5, 1.0]


def selection(rng: np.random.Generator, method: str) -> Made:
    """Heckman's model: outcome 1 + 2 x, sigma 1.5, rho 0.6."""
    (x, z), (u, v) = rng.normal(size=(2, N)), alike(rng, 2).T
    y, s = 1 + 2 * x + 1.5 * (0.6 * u + 0.8 * v), 0.2 + 0.5 * x + z + u > 0
    rows, design = taken(rng, y > 1)
    f = pd.DataFrame({"y": np.where(s, y, np.nan), "x": x, "z": z, "s": s}).iloc[rows].reset_index(drop=True)
    return heckman(design, f, "y ~ x", "s ~ x + z", method=method), [1.0, 2.0]


def conditional(rng: np.random.Generator) -> Made:
    """The conditional logit of the tests of recovery."""
    return sample(rng), list(TRUTH)


def willingness(rng: np.random.Generator) -> Made:
    """What an attribute is worth in the other, by the delta method, from the conditional logit."""
    fit = sample(rng)
    return willingness_to_pay(fit, "x", "near"), [-TRUTH[3] / TRUTH[2]]


def nested(rng: np.random.Generator) -> Made:
    """Nested logit, a alone and b, c in a nest of lambda 0.5: choices by the nested probabilities."""
    x, lam = rng.normal(size=(N, 3)) * 1.5, 0.5
    v = x + np.array([0, 0.4, -0.3])
    inside = special.expit((v[:, 1] - v[:, 2]) / lam)
    pair = special.expit(lam * np.logaddexp(v[:, 1] / lam, v[:, 2] / lam) - v[:, 0])
    u = special.ndtr(alike(rng, 2))
    pick = np.where(u[:, 0] > pair, 0, np.where(u[:, 1] < inside, 1, 2))
    rows, design = taken(rng, pick == 1)
    n = len(rows)
    long = pd.DataFrame({"case": np.repeat(np.arange(n), 3), "mode": np.tile(list("abc"), n), "x": x[rows].ravel()})
    long["chosen"] = (pick[rows, None] == np.arange(3)).ravel()
    nests = {"pair": ["b", "c"]}
    return nested_logit(design, long, "chosen ~ C(mode) + x", "case", "mode", nests=nests), [0.4, -0.3, 1.0, lam]


def ranking(rng: np.random.Generator) -> Made:
    """Worths of four items from full rankings."""
    utility = WORTHS - np.log(-special.log_ndtr(alike(rng, 4)))
    rows, design = taken(rng, utility.argmax(axis=1) == 1)
    ranks = pd.DataFrame((-utility[rows]).argsort(axis=1).argsort(axis=1) + 1.0, columns=list("abcd"))
    return plackett_luce(design, ranks), list(WORTHS[1:] - WORTHS[0])


MODELS: dict[str, Callable[[np.random.Generator], Made]] = {
    "linear": lambda rng: regression(rng, "linear"),
    "logistic": logistic_,
    "tobit": lambda rng: regression(rng, "tobit"),
    "heckman_two_step": lambda rng: selection(rng, "two-step"),
    "heckman_ml": lambda rng: selection(rng, "ml"),
    "median_regression": lambda rng: regression(rng, "median"),
    "conditional_logit": conditional,
    "willingness_to_pay": willingness,
    "nested_logit": nested,
    "ranking": ranking,
}


def one_sample(model: str, seed: int) -> pd.DataFrame:
    """One fit: a row a coefficient; where there is none, a row that says that it failed."""
    try:
        e, known = MODELS[model](np.random.default_rng([seed, 1 + list(MODELS).index(model)]))
    except WelfareError:
        return pd.DataFrame({"statistic": [""], "failed": [True], "seed": [seed]})
    k = len(known)
    t, value, bounds = stats.t.ppf(0.975, e.df.to_numpy()[:k]), e.value.to_numpy()[:k], e.interval().to_numpy()[:k]
    own = np.full(k, np.nan)
    if isinstance(e, Fit) and e.information.size:
        own = np.sqrt(np.diag(e.covariance("hessian")))[:k]
    columns = {
        "statistic": [str(i) for i in e.value.index[:k]],
        "truth": known,
        "estimate": value,
        "se": e.se.to_numpy()[:k],
        "held": (bounds[:, 0] <= known) & (known <= bounds[:, 1]),
        "hessian": np.where(np.isnan(own), np.nan, np.abs(value - known) < t * own),
        "df": e.df.to_numpy()[:k],
    }
    return pd.DataFrame(columns).assign(failed=False, seed=seed)


def summarised(rows: pd.DataFrame) -> pd.DataFrame:
    """Bias, ratio of the mean standard error to the spread, coverage of the design's and the Hessian's errors."""
    failed = int(rows["failed"].sum())
    good = rows[~rows["failed"]]
    parts = good.assign(error=good["estimate"] - good["truth"], held=good["held"].astype(float))
    parts["z"] = parts["error"] / parts["se"]
    cells = parts.groupby("statistic", sort=False)
    spread = cells["estimate"].std()
    out = cells.agg(samples=("seed", "size"), truth=("truth", "first"), bias_relative=("error", "mean"))
    out["bias_spread"] = out["bias_relative"] / spread
    out["bias_relative"] /= out["truth"].abs()
    out["se_ratio"], out["coverage"] = cells["se"].mean() / spread, cells["held"].mean()
    out["coverage_hessian"], out["df"] = cells["hessian"].mean(), cells["df"].median()
    out["skewness"] = cells["z"].agg(lambda z: stats.skew(z))
    return out.assign(outcome="", failed=failed).reset_index()

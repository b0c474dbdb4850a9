"""Answers drawn from their levels, found in ``facts.csv`` by the name of the question.

====================  ============================================================================
id                    what it is
====================  ============================================================================
``q_share``           share of yes among those asked; ``q_<code>_share`` of a code
``q_mean``            mean of a count; ``q_spread`` its dispersion a: variance = mean + a mean^2
``q_median``          median of an amount; ``q_log_sd`` its spread
``q_<x>_slope``       slope on covariate x (`covariates`): log odds, or log of the mean or amount
``q_loading``         loading of a scale on its factor; ``q_<code>_worth`` log worth of an item of a ranking
====================  ============================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from .chance import choose
from .parameters import Parameters


def covariates(f: pd.DataFrame) -> pd.DataFrame:
    """What slopes may stand on: flags (0 or 1), and pay (log), decade (of age, from 40), children, dear."""
    status, orphan = f["status"], f["status"] == "orphan"
    return pd.DataFrame({
        "pay": f["log_income"], "decade": ((f["age"] - 40) / 10).mask(orphan, 0), "children": f["children_n"],
        "dear": f["dear"] - 1, "female": f["sex"] == "f", "active": status == "active",
        "retired": status == "retired", "widow": status == "widow", "orphan": orphan,
        "married": f["marital_status"] == "married", "senior": f["rank_group"] == "senior",
        "remote": f["centre_km"] / 100, "rail": f["rail"],
        "wants": f["wants_home"] == "yes", "tenant": f["tenure"] == "tenant", "owner": f["tenure"] == "owner",
        "crowded": f["crowded"], "indebted": f["has_loan"] == "yes", "car": f["cars_n"] > 0,
        "shifts": f["shift"].isin(["rotating", "night"]), "far": f["commute_km"].fillna(0) / 10,
    }).astype(float)  # fmt: skip


def added(f: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """The frame with columns added, or in the place of old ones, all at once."""
    old = f.drop(columns=[name for name in columns if name in f])
    return pd.concat([old, pd.DataFrame(columns, index=f.index)], axis=1)


def asked(f: pd.DataFrame, p: Parameters, name: str) -> np.ndarray:
    """Of whom a question is asked (boolean, n)."""
    return p.codebook.asked(name, f, f.index).fillna(False).to_numpy(dtype=bool)


@dataclass(frozen=True)
class Draws:
    """Levels, a stream and covariates (a row a person): answers to one question after the other."""

    p: Parameters
    rng: np.random.Generator
    x: pd.DataFrame

    def slopes(self, name: str) -> np.ndarray:
        """Sum of the slopes of a question (or of a code of it) times their covariates; a value a person."""
        eta = np.zeros(len(self.x))
        for key in self.p.slopes.get(name, ()):
            eta += self.p[f"{name}_{key}_slope"] * self.x[key].to_numpy()
        return eta

    def yes(self, name: str, among: np.ndarray | None = None, lift: np.ndarray | float = 0.0) -> np.ndarray:
        """Yes or no (boolean, n) with mean ``q_share`` among those asked; `lift` adds to the log odds."""
        asked = np.ones(len(self.x), dtype=bool) if among is None else among
        eta = self.slopes(name) + lift
        return asked & (self.rng.random(len(eta)) < expit(intercept(eta[asked], self.p[f"{name}_share"]) + eta))

    def code(
        self, name: str, codes: Sequence[str], among: np.ndarray | None = None, lift: np.ndarray | float = 0.0
    ) -> np.ndarray:
        """Codes (object, n) with shares ``q_<code>_share`` among those asked, blank for the others."""
        asked = np.ones(len(self.x), dtype=bool) if among is None else among
        said = np.full(len(self.x), None, dtype=object)
        eta = (np.column_stack([self.slopes(f"{name}_{code}") for code in codes]) + lift)[asked]
        if asked.any():
            said[asked] = choose(self.rng, eta, [self.p[f"{name}_{code}_share"] for code in codes], codes)
        return said

    def count(self, name: str, among: np.ndarray | None = None, lift: np.ndarray | float = 0.0) -> np.ndarray:
        """Negative binomial counts (n) with mean ``q_mean`` among those asked, 0 for the others."""
        asked = np.ones(len(self.x), dtype=bool) if among is None else among
        size = np.exp(self.slopes(name) + lift) * asked
        mean, spread = self.p[f"{name}_mean"] * size / max(size[asked].mean(), 1e-9), self.p[f"{name}_spread"]
        return self.rng.poisson(mean * self.rng.gamma(1 / spread, spread, len(mean))).astype(float)

    def amount(self, name: str, step: float = 10.0, lift: np.ndarray | float = 0.0) -> np.ndarray:
        """Lognormal amounts (n), to the next `step`, of at least one step."""
        z = self.rng.normal(0, self.p[f"{name}_log_sd"], len(self.x))
        value = self.p[f"{name}_median"] * np.exp(self.slopes(name) + lift + z)
        return (value / step).round().clip(1) * step

    def scale(self, name: str, factor: np.ndarray, codes: Sequence[str], among: np.ndarray) -> np.ndarray:
        """Ordered codes (n): ``q_share`` is that of the two highest among those asked, ``q_loading`` on a factor."""
        load = self.p[f"{name}_loading"]
        z = self.slopes(name) + load * factor + np.sqrt(1 - load**2) * self.rng.normal(size=len(factor))
        step = self.p["scale_step_sd"] * z.std()
        cuts = np.quantile(z[among], 1 - self.p[f"{name}_share"]) + step * np.arange(3 - len(codes), 2)
        return np.array(codes, dtype=object)[np.searchsorted(cuts, z)]

    def ranking(self, name: str, codes: Sequence[str]) -> np.ndarray:
        """Positions 1..k (n x k) of a Plackett-Luce ranking, the log worths being ``q_<code>_worth`` and slopes.

        Log worths with Gumbel noise, sorted, have that law (Yellott 1977, J. Math. Psychology 15, 109-144).
        """
        worth = self.worths(name, codes) + self.rng.gumbel(size=(len(self.x), len(codes)))
        return 1.0 + np.argsort(np.argsort(-worth, axis=1), axis=1)

    def worths(self, name: str, codes: Sequence[str]) -> np.ndarray:
        """Log worths of the items of a ranking, n x k."""
        return np.column_stack([self.p[f"{name}_{c}_worth"] + self.slopes(f"{name}_{c}") for c in codes])


def intercept(eta: np.ndarray, level: float) -> float:
    """Value a such that the mean of expit(a + eta) is `level`, by Newton steps."""
    a = logit(level) - eta.mean() if len(eta) else 0.0
    for _ in range(8 if np.any(eta) else 0):
        chance = expit(a + eta)
        a += np.clip((level - chance.mean()) / max((chance * (1 - chance)).mean(), 1e-9), -2, 2)
    return float(a)

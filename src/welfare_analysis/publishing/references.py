"""Our results on public data beside those of other programs, as stored in ``data/reference``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..estimation import Estimate
from ..estimation.fit import Fit
from ..estimation.replicates import covariance
from ..estimation.stages import Term
from ..study import reference


def beside(estimates: Mapping[str, Estimate], stored: pd.Series, statistic: str) -> pd.DataFrame:
    """Our estimates and standard errors beside stored results, ``design|statistic.est`` and ``.se``."""
    rows = {}
    for design, estimate in estimates.items():
        ours = estimate.value.iloc[0], estimate.se.iloc[0]
        theirs = [float(stored[f"{design}|{statistic}.{what}"]) for what in ("est", "se")]
        gap = max(abs(a / b - 1) for a, b in zip(ours, theirs, strict=True))
        rows[design] = [*ours, *theirs, _told(gap)]
    columns = ["estimate", "se", "R estimate", "R se", "relative difference"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis(statistic)


def refitted(refits: Mapping[str, tuple[pd.DataFrame, Term]], stored: pd.Series, statistic: str) -> pd.DataFrame:
    """Standard errors of an estimator that was run again with replicate weights, beside stored ones.

    ``refits`` are the results (R x 1) of `replicates.refit` with their replicates, by the name of the stored design.
    """
    rows = {}
    for design, (results, weights) in refits.items():
        ours, theirs = float(covariance(results, weights).iloc[0, 0]) ** 0.5, float(stored[f"{design}|{statistic}.se"])
        rows[design] = [len(results), ours, theirs, _told(abs(ours / theirs - 1))]
    columns = ["replicates", "se", "R se", "relative difference"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis(statistic)


def _told(gap: float) -> str:
    return "none above 1e-9" if gap < 1e-9 else f"{gap:.0e}"


def beside_domains(estimate: Estimate, stored: pd.Series, statistic: str) -> pd.DataFrame:
    """Shares of categories by domain beside stored results, ``statistic|category|domain.est`` and ``.se``."""
    table = estimate.table()
    keys = statistic + "|" + table["category"] + "|" + table.iloc[:, 1].astype(str)
    theirs = pd.DataFrame({what: stored[keys + f".{what}"].astype(float).to_numpy() for what in ("est", "se")})
    same = np.isclose(table[["estimate", "se"]], theirs, rtol=1e-9).all(axis=1)
    shown = table.iloc[:, :4].assign(**{"R estimate": theirs["est"], "R se": theirs["se"]})
    return shown.assign(agree=np.where(same, "to 1e-9", "no")).set_index(list(shown.columns[:2]))


def published(*fits: tuple[str, Fit]) -> pd.DataFrame:
    """Coefficients and log-likelihoods beside the printed ones of ``models.csv``: a row a number.

    ``agree`` says to how many digits behind the point both are the same; printed numbers have no more than theirs.
    """
    stored, rows = reference("models"), []
    for name, fit in fits:
        ours = fit.value.set_axis([str(i) for i in fit.value.index])
        ours["log-likelihood"] = fit.log_likelihood
        known = stored[stored["model"] == name].set_index("parameter")["published"]
        gap = (ours[known.index] - known).abs()
        digits = np.floor(-np.log10(np.maximum(2 * gap, 1e-9)) + 1e-9).astype(int)
        columns = {"ours": ours[known.index], "published": known, "same decimals": digits.clip(upper=8)}
        rows.append(pd.DataFrame(columns).rename_axis("number").assign(model=name).reset_index())
    return pd.concat(rows).set_index(["model", "number"])


def effects(table: pd.DataFrame) -> pd.DataFrame:
    """The columns of a long table that a reader needs: what, estimate, bounds."""
    kept = [c for c in ("variable", "alternative", "changed", "outcome") if c in table]
    return table[[*kept, "estimate", "low", "high"]].round(3).set_index(kept)

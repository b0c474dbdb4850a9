"""Our results on public data beside those of other programs, as stored in ``data/reference`` (page 13)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..disclosure import NUMBERS, Released, document
from ..estimation import Estimate
from ..estimation.fit import Fit
from ..estimation.replicates import covariance
from ..estimation.stages import Term
from ..study import reference
from .declare import melted

UNITS = {"ours": "coefficient", "published": "coefficient", "same_digits": "number"}
DIGITS = 9  # more are not compared


def beside(name: str, ours: pd.Series, theirs: pd.Series) -> Released:
    """Numbers of ours beside published ones of the same index, and how many significant digits agree."""
    known = theirs.astype(float)[ours.index]
    gap = np.maximum(2 * (ours / known - 1).abs(), 10.0**-DIGITS)
    same = np.floor(-np.log10(gap) + 1e-9).clip(0, DIGITS)
    wide = pd.DataFrame({"ours": ours, "published": known, "same_digits": same}).rename_axis("quantity").reset_index()
    return document(name, melted(wide, ["quantity"], UNITS), ["quantity"], "measure")


def of_designs(estimates: Mapping[str, Estimate], stored: str, statistic: str) -> Released:
    """Estimates and standard errors of a statistic by design."""
    numbers = {f"{design}|{statistic}.est": one.value.iloc[0] for design, one in estimates.items()}
    numbers |= {f"{design}|{statistic}.se": one.se.iloc[0] for design, one in estimates.items()}
    return beside(stored, pd.Series(numbers), reference(stored).set_index("key")["value"])


def of_replicates(refits: Mapping[str, tuple[pd.DataFrame, Term]], stored: str, statistic: str) -> Released:
    """Standard errors of an estimator that was run again with replicate weights.

    ``refits`` are the results (R x 1) of `replicates.refit` with their replicates, by the name of the stored design.
    """
    errors = {f"{d}|{statistic}.se": float(covariance(*refit).iloc[0, 0]) ** 0.5 for d, refit in refits.items()}
    return beside(stored, pd.Series(errors), reference(stored).set_index("key")["value"])


def of_domains(estimate: Estimate, stored: str, statistic: str) -> Released:
    """Shares of categories by domain, with their standard errors."""
    names = [f"{statistic}|{category}|{domain}" for category, domain in estimate.value.index]
    columns = {"est": estimate.value, "se": estimate.se}
    both = pd.concat([values.set_axis([f"{n}.{what}" for n in names]) for what, values in columns.items()])
    return beside(stored, both, reference(stored).set_index("key")["value"])


def of_models(**fits: Fit) -> Released:
    """Coefficients and log-likelihoods that were printed, by the model's name in ``models.csv``."""
    stored = reference("models").set_index(["model", "parameter"])["published"]
    ours = {(name, str(i)): x for name, fit in fits.items() for i, x in fit.value.items()}
    ours |= {(name, "log-likelihood"): fit.log_likelihood for name, fit in fits.items()}
    known = stored.loc[list(fits)]
    numbers = pd.Series(ours)[list(known.index)]
    return beside("models", *(both.set_axis(known.index.map(" / ".join)) for both in (numbers, known)))


def of_estimates(name: str, unit: str, *estimates: Estimate) -> Released:
    """Estimates on public data with their intervals; a second key goes across."""
    table = pd.concat([one.table() for one in estimates], ignore_index=True)
    keys = [key for key in ("variable", "alternative") if key in table and table[key].notna().all()]
    return document(name, table[[*keys, *NUMBERS]], keys[:1], "".join(keys[1:]), unit)

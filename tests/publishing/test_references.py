"""Our results beside printed ones."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.estimation import Design, share, tobit
from welfare_analysis.estimation.replicates import jackknife, refit
from welfare_analysis.publishing import references
from welfare_analysis.study import reference


def test_printed_numbers_are_told_with_the_decimals_that_agree():
    """The Tobit of Affairs: all to four decimals, the likelihood to six; each printed number has a row."""
    frame = reference("AER_Affairs")
    formula = "affairs ~ age + yearsmarried + religiousness + occupation + rating"
    found = references.published(("affairs_tobit", tobit(Design(np.ones(len(frame))), frame, formula, lower=0)))
    assert len(found) == (reference("models")["model"] == "affairs_tobit").sum()
    assert found["same decimals"].min() >= 4
    assert found.loc[("affairs_tobit", "log-likelihood"), "same decimals"] == 6
    gap = (found["ours"] - found["published"]).abs()
    assert (gap <= 0.5 * 10.0 ** -found["same decimals"]).all()


def test_a_number_that_is_off_is_told_so():
    """A wrong stored value does not agree, whatever its size."""
    estimate = share(Design(np.ones(4)), pd.Series(["a", "b", "a", "a"]), by=pd.Series(["x", "x", "y", "y"], name="d"))
    keys = [f"s|{c}|{d}.{w}" for c, d in estimate.value.index for w in ("est", "se")]
    values = np.column_stack([estimate.value, estimate.se]).ravel()
    stored = pd.Series(values, index=keys)
    assert (references.beside_domains(estimate, stored, "s")["agree"] == "to 1e-9").all()
    stored.iloc[0] *= 1.001
    assert list(references.beside_domains(estimate, stored, "s")["agree"]).count("no") == 1


def test_long_tables_are_shown_short():
    """What, estimate and bounds, and nothing else."""
    table = pd.DataFrame({"variable": ["v"], "estimate": [1.23456], "se": [1.0], "low": [0.0], "high": [2.0]})
    assert references.effects(table).loc["v"].tolist() == pytest.approx([1.235, 0, 2])


def test_refits_are_beside_the_stored_error():
    """A jackknifed mean of ten by hand: the error is that of the formula, and a stored one that is off is told so."""
    y = np.arange(10.0) ** 2
    design = Design(np.ones(10))
    left_out = jackknife(design)
    runs = refit(design, lambda d: d.weights @ y / d.weights.sum(), left_out)
    known = pd.Series({"JK1|m.se": y.std(ddof=1) / 10**0.5, "off|m.se": 8.0})
    found = references.refitted({"JK1": (runs, left_out), "off": (runs, left_out)}, known, "m")
    assert found["replicates"].tolist() == [10, 10]
    assert found.loc["JK1", "relative difference"] == "none above 1e-9"
    assert found.loc["off", "relative difference"] == "1e-01"

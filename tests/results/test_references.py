"""Our results beside printed ones."""

import numpy as np
import pandas as pd

from welfare_analysis.estimation import Design, share, tobit
from welfare_analysis.estimation.replicates import jackknife, refit
from welfare_analysis.results import references
from welfare_analysis.study import reference


def wide(table):
    """Rows of numbers by what they are."""
    return table.frame.pivot(index="quantity", columns="category", values="estimate")


def test_printed_numbers_are_shown_with_the_digits_that_agree():
    """The Tobit of Affairs: all to four significant digits, the likelihood to eight; each printed number has a row."""
    frame = reference("AER_Affairs")
    formula = "affairs ~ age + yearsmarried + religiousness + occupation + rating"
    numbers = wide(references.of_models(affairs_tobit=tobit(Design(np.ones(len(frame))), frame, formula, lower=0)))
    assert len(numbers) == (reference("models")["model"] == "affairs_tobit").sum()
    assert numbers["same_digits"].min() >= 4
    assert numbers.loc["affairs_tobit / log-likelihood", "same_digits"] >= 8
    gap = (numbers["ours"] / numbers["published"] - 1).abs()
    assert (gap <= 0.5 * 10.0 ** -numbers["same_digits"] + 1e-15).all()


def test_a_number_that_is_off_is_shown_so():
    """Of two numbers the one that is off by a thousandth agrees to two digits, the other to all."""
    ours = pd.Series({"a": 2.0, "b": 3.0})
    digits = wide(references.beside("x", ours, pd.Series({"b": 3.0, "a": 2.002})))["same_digits"]
    assert digits.to_dict() == {"a": 2, "b": references.DIGITS}


def test_domains_are_compared_cell_by_cell(monkeypatch):
    """Each share and each error has its stored one."""
    estimate = share(Design(np.ones(4)), pd.Series(["a", "b", "a", "a"]), by=pd.Series(["x", "x", "y", "y"], name="d"))
    keys = [f"s|{c}|{d}.{w}" for c, d in estimate.value.index for w in ("est", "se")]
    stored = pd.DataFrame({"key": keys, "value": np.column_stack([estimate.value, estimate.se]).ravel()})
    stored.loc[0, "value"] *= 1.001
    monkeypatch.setattr(references, "reference", lambda name: stored[stored["value"] > 0])
    kept = estimate.value.index[(estimate.value > 0) & (estimate.se > 0)]
    part = estimate.apply(lambda v: v[kept])
    digits = wide(references.of_domains(part, "any", "s"))["same_digits"]
    assert sorted(digits)[0] == 2
    assert (sorted(digits)[1:] == np.full(len(digits) - 1, references.DIGITS)).all()


def test_refits_are_beside_the_stored_error(monkeypatch):
    """A jackknifed mean of ten by hand: the error is that of the formula, and a stored one that is off is seen."""
    y = np.arange(10.0) ** 2
    design = Design(np.ones(10))
    left_out = jackknife(design)
    runs = refit(design, lambda d: d.weights @ y / d.weights.sum(), left_out)
    known = pd.DataFrame({"key": ["JK1|m.se", "off|m.se"], "value": [y.std(ddof=1) / 10**0.5, 8.0]})
    monkeypatch.setattr(references, "reference", lambda name: known)
    digits = wide(references.of_replicates({"JK1": (runs, left_out), "off": (runs, left_out)}, "any", "m"))[
        "same_digits"
    ]
    assert digits["JK1|m.se"] == references.DIGITS
    assert digits["off|m.se"] < 2

"""Frames that are coded once and varied: what changes is what coding the changed frame again would give."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design
from welfare_analysis.estimation.choice import logit, nested_logit, only, predicted_shares, prepared, recoded

MODEL = "chosen ~ C(mode, contr.treatment('car')) * rich + gcost:C(party) + wait"
NESTS = {"fly": ["air"], "ground": ["bus", "car", "train"]}


@pytest.fixture(scope="module", params=["logit", "nested"])
def known(request, travel):
    """A fit, its design and the frame, whose rows are in no order."""
    table = travel.assign(rich=(travel["income"] > 40) * 1.0, party=np.where(travel["size"] > 1, "several", "alone"))
    table = table.sample(frac=1, random_state=4).reset_index(drop=True)
    design = Design(pd.Series(np.random.default_rng(1).uniform(1, 4, 210), index=travel["individual"].unique()))
    given = (design, table, MODEL, "individual", "mode")
    return (nested_logit(*given, NESTS) if request.param == "nested" else logit(*given)), design, table


def alike(one, two):
    """Two targets are the same, or their forecasts are."""
    pd.testing.assert_series_equal(one.value, two.value, check_exact=False, rtol=1e-12)
    pd.testing.assert_frame_equal(one.covariance(), two.covariance(), check_exact=False, rtol=1e-8, atol=1e-12)


def test_a_recoded_attribute_is_that_of_the_changed_frame(known):
    """Only the terms that a column enters change, wherever it stands; the frame that was coded stays as it was."""
    fit, design, table = known
    to, before = prepared(fit, design, table), predicted_shares(fit, design, table)
    dearer = table.assign(gcost=table["gcost"] * np.where(table["mode"] == "air", 1.5, 1.0))
    alike(predicted_shares(fit, design, recoded(fit, to, dearer[["gcost", "party"]], ["gcost"])),
          predicted_shares(fit, design, dearer))  # fmt: skip
    richer = table.assign(rich=1.0)
    alike(predicted_shares(fit, design, recoded(fit, to, richer, ["rich"])), predicted_shares(fit, design, richer))
    alike(predicted_shares(fit, design, to), before)
    assert abs(predicted_shares(fit, design, richer).value - before.value).max() > 0.01


def test_rows_left_out_are_alternatives_that_are_not_there(known):
    """Cases keep some alternatives, or are left out whole, as in a frame without these rows."""
    fit, design, table = known
    keep = ((table["mode"] != "bus") | (table["income"] < 40)) & (table["individual"] % 7 != 0)
    found = only(fit, prepared(fit, design, table), keep.to_numpy())
    assert found.cases.n_cases == 180
    alike(predicted_shares(fit, design, found), predicted_shares(fit, design, table[keep]))


def test_a_missing_attribute_is_not_forecast(known):
    """A value that is missing is an error that names the column."""
    fit, design, table = known
    holes = table.assign(gcost=table["gcost"].where(table.index > 3))
    with pytest.raises(WelfareError, match="gcost"):
        recoded(fit, prepared(fit, design, table), holes, ["gcost"])

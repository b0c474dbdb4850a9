"""What users of R `survey` call, in twelve families: stored values, and R itself where it is here."""

import numpy as np
import pandas as pd
import pytest
from reference_calls import STORED, calls, designs, in_r, r_is_here

VALUES = pd.read_csv(STORED)
CALLS = {text: (family, design, ours) for family, design, text, ours in calls()}
NINE_DIGITS = 1e-9


@pytest.fixture(scope="module")
def samples():
    """Our designs by the names that they have in R."""
    return designs()


@pytest.mark.parametrize("text", CALLS)
def test_agrees_with_r(samples, text):
    """Nine digits of each value; `svyolr` ends where its search does, within a hundredth of a standard error."""
    family, design, ours = CALLS[text]
    stored = VALUES.loc[VALUES["call"] == text, "value"].to_numpy()
    found = np.array(ours(*samples[design]), dtype=float)
    if family == "ordered logit":
        half = len(stored) // 2
        error = np.concatenate([stored[half:], stored[half:]])
        assert np.abs((found - stored) / error).max() < 0.01
    else:
        np.testing.assert_allclose(found, stored, rtol=NINE_DIGITS)


def test_values_are_many_and_of_the_calls():
    """Each stored call is one of ours and the other way round; each family has 15 values that differ, and more."""
    assert set(VALUES["call"]) == set(CALLS)
    distinct = VALUES.groupby("family")["value"].agg(lambda v: v.map("{:.12g}".format).nunique())
    assert distinct.min() >= 15
    assert distinct.sum() >= 150
    assert VALUES["value"].notna().all()
    assert VALUES["date"].str.fullmatch(r"\d{4}-\d\d-\d\d").all()


@pytest.mark.skipif(not r_is_here(), reason="R with its package survey is not here; the stored values stand in")
def test_r_says_so_today():
    """Every seventh call, run again: R gives what is stored."""
    some = list(CALLS)[::7]
    for text, values in zip(some, in_r(some)[0], strict=True):
        stored = VALUES.loc[VALUES["call"] == text, "value"]
        np.testing.assert_allclose(values, stored, rtol=1e-6 if "svyolr" in text else 1e-10, err_msg=text)

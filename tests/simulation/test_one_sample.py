"""One sample of each simulation of demand, where the model is right: the long ones are `make validate`."""

import demand_errors
import loan_errors
import numpy as np
import pandas as pd
import pytest
import recovery
import transport_errors

FOUND = {
    demand_errors: ["in_need", "wants", "eligible", "affordable", "social_flat", "bought"],
    loan_errors: ["in_need", "wants", "eligible", "affordable", "conventional", "participatory", "all"],
    transport_errors: ["in_need", "wants", "eligible", "affordable", "stated", "certain", "no_way", "rail_trips"],
}


@pytest.mark.parametrize("module", FOUND, ids=lambda module: module.__name__)
def test_what_the_model_is_right_about_is_found(module):
    """Simulate and recover: in a whole survey without errors of answering, numbers are within 4 standard errors."""
    sample = module.one_sample("plain", module.FIRST_SEED, 12_000).set_index("number")
    part = sample.loc[FOUND[module]]
    assert (part["se"] > 0).all()
    assert ((part["estimate"] - part["truth"]).abs() < 4 * part["se"]).all(), part
    if module is transport_errors:  # held back on purpose, inside a range that holds the truth
        assert sample.loc["likely", "estimate"] < sample.loc["stated", "estimate"]
        assert sample.loc["range", "held"] == 1


def test_one_population_serves_all_three_funnels():
    """Simulate and recover: each step of each page is within 4 standard errors of its truth."""
    sample = recovery.one_sample(recovery.FIRST_SEED, 8_000)
    steps = {page: [*recovery.STEPS, last] for page, last in recovery.LAST.items()}
    assert {page: list(rows["number"]) for page, rows in sample.groupby("page")} == steps
    assert ((sample["estimate"] - sample["truth"]).abs() < 4 * sample["se"]).all(), sample


def test_a_step_is_recovered_where_chance_alone_would_not_give_its_coverage():
    """By R's ``binom.test(k, 400, 0.92, alternative = "greater")``: 380 of 400 are above 92 %, 370 may not be."""
    held = {"a": 380, "b": 370}
    rows = [
        pd.DataFrame({"page": "homes", "number": name, "seed": range(400), "held": np.arange(400) < count})
        for name, count in held.items()
    ]
    table = recovery.judged(pd.concat(rows).assign(estimate=1.0, truth=1.0, se=0.1)).set_index("number")
    assert table["coverage_low"].tolist() == pytest.approx([0.92817141, 0.89964550], abs=1e-7)
    assert table["recovered"].to_dict() == {"a": True, "b": False}

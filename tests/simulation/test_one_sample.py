"""One sample of each simulation of demand, where the model is right: the long ones are `make validate`."""

import demand_errors
import loan_errors
import pytest
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

"""One sample of each simulation of demand, where the model is right: the long ones are `make validate`."""

import demand_errors
import loan_errors
import pytest
import transport_errors

FOUND = {
    demand_errors: ["in_need", "wants", "eligible", "affordable", "social_flat", "bought"],
    loan_errors: ["in_need", "wants", "eligible", "affordable", "conventional", "participatory", "all"],
    transport_errors: ["cards_scaled", "no_way", "rail_trips", "rail_cost"],
}


@pytest.mark.parametrize("module", FOUND, ids=lambda module: module.__name__)
def test_what_the_model_is_right_about_is_found(module):
    """Simulate and recover: in a whole survey without errors of answering, numbers are within 4 standard errors."""
    sample = module.one_sample("plain", module.FIRST_SEED, 12_000).set_index("number")
    part = sample.loc[FOUND[module]]
    assert (part["se"] > 0).all()
    assert ((part["estimate"] - part["truth"]).abs() < 4 * part["se"]).all(), part
    if module is transport_errors:  # held back on purpose
        assert sample.loc["riders", "estimate"] < sample.loc["cards_scaled", "estimate"]

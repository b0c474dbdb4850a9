"""Made-up tenants: rows that differ from an adequate home in what is named."""

import pandas as pd

NAN = float("nan")
TENANT = {
    "status": "active",
    "age": 40.0,
    "command": "rabat",
    "marital_status": "married",
    "children_n": 2.0,
    "household_size_n": 4.0,
    "rooms_n": 2.0,
    "tenure": "tenant",
    "own_kitchen": "yes",
    "own_bathroom": "yes",
    "rent_dh": 1000.0,
    "housing_charges_dh": 200.0,
    "wants_home": "yes",
    "net_pay_dh": 6000.0,
    "pension_dh": NAN,
    "other_income_dh": 0.0,
    "has_loan": "no",
    "housing_deduction_dh": NAN,
}


def tenants(*changes, **further):
    """One row a change: a tenant of Rabat in an adequate home, 1,200 of 6,000 DH for it, but for what is named."""
    plain = TENANT | further
    frame = pd.DataFrame([plain | change for change in changes])
    return frame.assign(**{n: frame[n].astype("category") for n in frame if isinstance(plain.get(n), str)})

"""Present values, margins and the path of a portfolio."""

import numpy as np
import pandas as pd
import pytest
from amortisation import present_value, schedule

from welfare_analysis.demand import portfolio
from welfare_analysis.demand.credit import Terms
from welfare_analysis.estimation import Design, total

OWN, BANK = Terms(0.065, 84), Terms(0.0728, 84)


def test_present_value_at_the_own_rate_is_zero():
    """A loan gains nothing against itself, with VAT and insurance too."""
    for terms in (OWN, Terms(0.045, 300, vat=0.1, insurance=0.005)):
        assert portfolio.gained(1e5, 60.0, terms, terms) == pytest.approx(0, abs=1e-9)


def test_gain_is_the_present_value_of_payments():
    """L less the payments of the cheaper loan, valued at the other rate; payments from the schedule to the centime."""
    paid = schedule(100_000, OWN, 60)["instalment_dh"]
    known = 100_000 - present_value(paid, BANK.rate)
    assert portfolio.gained(100_000.0, 60.0, OWN, BANK) == pytest.approx(known, abs=0.02)
    assert known > 0
    assert portfolio.gained(100_000.0, 60.0, BANK, OWN) < 0


def test_what_is_outstanding_is_that_of_the_schedule():
    """After each month the share is that of the printed schedule; 0 once it has run, 1 at the start."""
    table = schedule(100_000, OWN, 60)
    for month in (1, 12, 59):
        known = table.loc[month - 1, "outstanding_dh"] / 100_000
        assert portfolio.outstanding(OWN, 60, month) == pytest.approx(known, abs=1e-5)
    assert portfolio.outstanding(OWN, 60, 0) == 1
    assert portfolio.outstanding(OWN, 60, 61) == 0


def test_what_the_bank_keeps():
    """Payments at the rate of its funds are worth more than the loan by the share kept; nothing at its own rate."""
    paid = schedule(100_000, OWN, 60)["instalment_dh"]
    known = present_value(paid, 0.03) / 100_000 - 1
    months = pd.Series([60.0])
    assert portfolio.kept(OWN, months, 0.03).iloc[0] == pytest.approx(known, abs=1e-6)
    assert portfolio.kept(OWN, months, OWN.rate).iloc[0] == pytest.approx(0, abs=1e-12)


def test_five_years_by_hand():
    """Without defaults the portfolio is the sum of what its years have outstanding; losses grow with defaults."""
    table = portfolio.path(OWN, 24, 0.0, 0.5)
    ages = [6, 18, 30]
    known = np.cumsum([portfolio.outstanding(OWN, 24, age) for age in ages])
    np.testing.assert_allclose(table["outstanding"].iloc[:3], known)
    assert table["lent"].tolist() == [1, 2, 3, 4, 5]
    assert (table["lost"] == 0).all()
    worse = [portfolio.path(OWN, 60, d, 0.5)["lost"].iloc[-1] for d in (0.01, 0.03, 0.06)]
    assert worse == sorted(worse)
    first = portfolio.path(OWN, 60, 0.03, 0.5).iloc[0]
    alive = portfolio.outstanding(OWN, 60, 6) * 0.97**0.5
    assert first["outstanding"] == pytest.approx(alive)
    assert first["lost"] == pytest.approx(0.03 * 0.5 * alive / 2)


def test_years_carry_the_error_of_the_volume():
    """Each year is the volume times a number, and so is its standard error; scenarios are those of the file."""
    design = Design(np.full(50, 2.0))
    volume = total(design, pd.Series(np.random.default_rng(1).gamma(2, 1e4, 50), name="dh"))
    found = portfolio.over_years(volume, OWN, 60)
    assert set(found) == {"low", "middle", "high"}
    year = found["middle"]["outstanding"]
    ratio = year.value / volume.value.iloc[0]
    np.testing.assert_allclose(year.se, ratio * volume.se.iloc[0])
    assert found["high"]["lost"].value.iloc[-1] > found["low"]["lost"].value.iloc[-1]

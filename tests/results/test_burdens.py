"""Hopes that go with the burdens of the job, as they are published."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from books import BOOK

from welfare_analysis.disclosure import CATEGORY
from welfare_analysis.publishing import say
from welfare_analysis.results import burdens, release
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import LANGUAGES
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate


@pytest.fixture(scope="module")
def forms():
    return generate(Parameters.read(DATA / "public"), 23, "plain", size=5000).answers


def opened(forms, language="en"):
    """The study of answers without a register: everybody weighs alike."""
    return Study.of(typed(forms, BOOK), None, None, BOOK, language=language)


@pytest.fixture(scope="module")
def study(forms):
    return opened(forms)


def test_slopes_are_those_of_least_squares(study):
    """Independent computation: least squares of statsmodels with the same factors, of the same active staff."""
    people, cells = study.result(burdens.burdened), release(study)["burdens_hopes"]
    rows = people.known("shuttle")
    data = people.frame[rows].assign(y=people.frame.loc[rows, "shuttle"].astype(float))
    other = smf.ols(f"y ~ {' + '.join([*burdens.BURDENS, *people.factors])}", data).fit(cov_type="HC1")
    for name in burdens.BURDENS:
        cell = cells.cell("shuttle", name)
        assert cell["estimate"] == pytest.approx(other.params[name], abs=1e-5)
        assert cell["high"] - cell["low"] == pytest.approx(2 * 1.96 * other.bse[name], rel=0.02)


def test_what_goes_with_nights_is_found_and_nothing_else(forms):
    """Simulate and recover: a hope that rises by five points with five more nights, and one that follows nothing."""
    rng = np.random.default_rng(5)
    active = forms["status"] == "active"
    chance = 0.2 + 0.01 * forms["nights_month_n"].fillna(0).clip(0, 31)
    made = {"transport_wish_shuttle": chance, "transport_wish_car_pool": 0.4}
    own = forms.assign(**{
        name: pd.Series(np.where(rng.random(len(forms)) < p, "yes", "no"), forms.index).where(active)
        for name, p in made.items()
    })  # fmt: skip
    table = release(opened(own))["burdens_hopes"]
    nights = table.cell("shuttle", "nights")
    assert nights["low"] < 0.05 < nights["high"]
    assert nights["clear"]
    of_chance = table.frame[table.frame["hope"] == "car_pool"]
    assert not of_chance["clear"].any()
    assert len(of_chance) == len(burdens.BURDENS)


def test_a_burden_that_was_not_asked_is_left_out(forms):
    """With the nights alone there is one column; with no burden, or no hope, the table was not asked."""
    one = release(opened(forms.drop(columns=["weekly_hours_n", "away_days_n"])))["burdens_hopes"]
    assert set(one.shown[CATEGORY]) == {"nights"}
    none = opened(forms.drop(columns=[column for column, _ in burdens.BURDENS.values()]))
    assert release(none)["burdens_hopes"].state == "not_asked"
    assert say(none, "burdens.said").data == BOOK.text("not_asked", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentence_counts_what_is_clear(forms, language):
    """It names as many clear differences as the table marks, and that it is an association."""
    study = opened(forms, language)
    table = release(study)["burdens_hopes"].shown
    said = say(study, "burdens.said").data
    assert str(len(table)) in said
    assert "{" not in said


def test_a_burden_that_few_have_is_in_no_table(forms):
    """A slope that ten make would tell what they hope for: the column goes, and the others stay."""
    made = forms.copy()
    active = made.index[made["nights_month_n"].notna()]
    made.loc[active, "nights_month_n"] = 0
    made.loc[active[:9], "nights_month_n"] = 10
    shown = release(opened(made))["burdens_hopes"].frame
    assert set(shown[CATEGORY]) == {"hours", "away"}

"""From need to likely demand: counts by hand, errors of totals, groups, and what is not known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from welfare_analysis.demand.funnel import LIKELY, STEPS, fitted, funnel, lost
from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, joint, total


@pytest.fixture
def people():
    rng = np.random.default_rng(4)
    steps = pd.DataFrame({s: pd.array(rng.random(400) < 0.7, dtype="boolean") for s in STEPS})
    weights = pd.Series(rng.uniform(1, 5, 400))
    group = pd.Series(rng.choice(["a", "b"], 400), name="group")
    return steps, Design(weights, strata=group), group


def test_counts_are_those_of_nested_conditions(people):
    """Where all is known a step is the weighted number who pass it and all before; its error is that of a total."""
    steps, design, group = people
    made, nested = funnel(design, steps), np.logical_and.accumulate(steps.to_numpy(bool), axis=1)
    assert np.allclose(made.value, design.weights @ nested, rtol=1e-12)
    assert list(made.value.index) == list(STEPS)
    own = total(design, pd.DataFrame(nested.astype(float), columns=list(STEPS)))
    assert np.allclose(made.se, own.se, rtol=1e-9)
    by = funnel(design, steps, by=group)
    for code in "ab":
        at = (group == code).to_numpy()
        assert np.allclose(by.value.xs(code, level="group"), design.weights[at] @ nested[at], rtol=1e-12)


def test_those_who_are_known_stand_for_the_others(people):
    """A person of whom one step is not known counts in the people and in no step."""
    steps, design, _ = people
    steps = steps.copy()
    steps.loc[:49, "eligible"] = pd.NA
    w, nested = design.weights, np.logical_and.accumulate(steps.iloc[50:].to_numpy(bool), axis=1)
    assert np.allclose(funnel(design, steps).value, w.sum() * (w[50:] @ nested) / w[50:].sum(), rtol=1e-12)


def test_a_step_that_only_some_reach(people):
    """Where a step is missing for a part of those who reached it, none falls out before it; where all is known, equal.

    By hand: who wants is counted of everybody; who is eligible is a share of those who want and of whom it is known.
    """
    steps, design, group = people
    for by in (None, group):
        whole, chained = funnel(design, steps, by=by), funnel(design, steps, by=by, reached=True)
        assert chained.value.index.equals(whole.value.index)
        assert np.allclose(chained.value, whole.value, rtol=1e-12)
        assert np.allclose(chained.se, whole.se, rtol=1e-9)
    steps = steps.copy()
    wants = steps["in_need"] & steps["wants"]
    steps.loc[wants & (steps.index < 150), "eligible"] = pd.NA
    steps.loc[steps["wants"] == False, ["eligible", "affordable"]] = False  # noqa: E712 - boolean column
    made, w = funnel(design, steps, reached=True).value, pd.Series(design.weights)
    assert made["wants"] == pytest.approx(w[wants].sum())
    known = wants & steps["eligible"].notna()
    share = w[known & steps["eligible"].fillna(False)].sum() / w[known].sum()
    assert made["eligible"] == pytest.approx(w[wants].sum() * share)
    assert made["wants"] > 1.1 * funnel(design, steps).value["wants"]  # who is known at every step wants less


def test_the_forecast_is_the_last_step_and_what_falls_out_adds_up(people):
    """What falls out and what is left at the end are the first step, and the forecast keeps its own error."""
    steps, design, group = people
    chance = pd.Series(np.random.default_rng(1).random(400), name="takes")
    takes = (chance * steps.all(axis=1).astype(float)).rename("takes")
    for by in (None, group):
        likely = total(design, takes, by=by)
        made = funnel(design, steps, likely, by=by)
        out = lost(made)
        first, last = made.value.loc[[STEPS[0]]].sum(), made.value.loc[[LIKELY]].sum()
        assert out.value.sum() == pytest.approx(first - last)
        assert (out.value > 0).all()
        assert np.allclose(made.se.loc[[LIKELY]], likely.se, rtol=1e-9)
        assert out.value.loc[["wants"]].sum() == pytest.approx(
            made.value.loc[["in_need"]].sum() - made.value.loc[["wants"]].sum()
        )


def test_what_cannot_be_said(people):
    """Nobody of whom all is known, and a forecast of other groups."""
    steps, design, group = people
    with pytest.raises(WelfareError, match="of nobody is every step known"):
        funnel(design, steps.assign(wants=pd.NA))
    with pytest.raises(WelfareError, match="other domains"):
        funnel(design, steps, total(design, pd.Series(1.0, steps.index)), by=group)


def test_groups_are_fitted_to_the_whole(people):
    """Groups whose answers are missing at their own rates add up to all at every step, and stay nested.

    By hand: of those who leave at one place the groups have the shares that they have among the known. Where nothing is
    missing nothing changes, and the error is that of the counts themselves.
    """
    steps, design, group = people
    assert np.allclose(
        fitted(funnel(design, steps, by=group), funnel(design, steps)).value, funnel(design, steps, by=group).value
    )
    exact = fitted(funnel(design, steps, by=group), funnel(design, steps))
    assert np.allclose(exact.se, funnel(design, steps, by=group).se, rtol=1e-6)
    steps = steps.copy()
    steps.loc[(group == "a") & (steps.index < 200), "eligible"] = pd.NA
    whole, parts = funnel(design, steps), funnel(design, steps, by=group)
    made = fitted(parts, whole)
    table, own = made.value.unstack("group").loc[list(STEPS)], parts.value.unstack("group").loc[list(STEPS)]
    assert np.abs(own.sum(axis=1) / whole.value - 1).max() > 0.005
    assert np.allclose(table.sum(axis=1), whole.value, rtol=1e-12)
    leave = own - own.shift(-1, fill_value=0.0)
    total_left = whole.value - whole.value.shift(-1, fill_value=0.0)
    expected = leave.div(leave.sum(axis=1), axis=0).mul(total_left, axis=0)[::-1].cumsum()[::-1]
    assert np.allclose(table, expected, rtol=1e-12)
    assert (made.counts["n"] == parts.counts["n"]).all()
    by_differences = joint({"p": parts, "w": whole}).apply(lambda v: _fitted_by_hand(v, len(STEPS)))
    assert np.allclose(made.se, by_differences.se, rtol=1e-5)


def _fitted_by_hand(v, many):
    own, whole = v.to_numpy()[:-many].reshape(many, -1), v.to_numpy()[-many:]
    out, kept = np.zeros_like(own), np.zeros(own.shape[1])
    for s in reversed(range(many)):
        left = own[s] - (own[s + 1] if s + 1 < many else 0)
        gone = whole[s] - (whole[s + 1] if s + 1 < many else 0)
        kept = kept + gone * left / left.sum()
        out[s] = kept
    return pd.Series(out.ravel())


def test_steps_have_the_intervals_of_counts(people):
    """By hand: each step, and who falls out before it, is divided and multiplied by exp(t s / T)."""
    steps, design, group = people
    likely = total(design, steps["affordable"] & steps["wants"], by=group).as_positive()
    left = funnel(design, steps, likely, by=group)
    whole = funnel(design, steps, total(design, steps["affordable"] & steps["wants"]))
    for made in (left, funnel(design, steps, reached=True), lost(left), fitted(left, whole)):
        factor = np.exp(stats.t.ppf(0.975, made.df) * made.se / made.value)
        sure = made.value > 0  # a forecast of more than can pay, as here in one group, is no count
        assert np.allclose(made.interval()["low"][sure], (made.value / factor)[sure], rtol=1e-9)
        assert np.allclose(made.interval()["high"][sure], (made.value * factor)[sure], rtol=1e-9)

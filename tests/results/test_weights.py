"""The weights and the bias of who answers, as they are shown."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.estimation import Design, share
from welfare_analysis.estimation.replicates import full
from welfare_analysis.publishing import bias, say, show
from welfare_analysis.publishing.labels import title
from welfare_analysis.results import release, weights
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.response import ODDS, pattern_mixture
from welfare_analysis.survey.standin import Parameters, generate


@pytest.fixture(scope="module")
def world():
    """A small generated survey and its truth."""
    return generate(Parameters.read(DATA / "public"), 12, "plain", size=12000)


@pytest.fixture(scope="module")
def study(world):
    return Study.of(*(typed(f, BOOK) for f in (world.answers, world.register, world.followup)), BOOK, is_standin=True)


@pytest.fixture(scope="module")
def alone(study):
    """The returned forms without a follow-up."""
    return Study.of(study.frame[study.frame["outcome"] == "returned"], study.register, None, study.codebook)


def test_bias_is_what_the_returned_forms_alone_say_less_both(study, alone):
    """In each row: bias = returned alone - both; the band of the nonrespondents holds the estimate."""
    frame = release(study)["nonresponse_bias"].frame
    cells = frame.pivot(index="condition", columns="category", values="estimate")
    np.testing.assert_allclose(cells["bias"], cells["returned_alone"] - cells["both"], atol=2e-6)
    assert (cells["silent_less"] < cells["both"]).all()
    assert (cells["both"] < cells["silent_more"]).all()
    known = release(alone)["tenant"].frame["estimate"].iloc[0]
    assert cells.loc["tenant", "returned_alone"] == pytest.approx(known, abs=1e-6)


def test_tipping_points_move_each_share_to_the_ends_of_its_interval(study):
    """By hand: whole = kept + S theta_F, so with the needed share in place of theta_F the whole is at an end."""
    frame = release(study)["nonresponse_tipping"].frame
    ends = release(study)["nonresponse_bias"].frame.query("category == 'both'").set_index("condition")
    cells = frame.pivot(index="condition", columns="category", values="estimate")
    for name, end in (("needed_less", "low"), ("needed_more", "high")):
        moved = ends["estimate"] + cells["never_answered"] * (cells[name] - cells["followed_up"])
        near = cells[name].notna()
        np.testing.assert_allclose(moved[near], ends.loc[near.index[near], end], atol=2e-5)
    band = release(study)["nonresponse_bias"].frame.pivot(index="condition", columns="category", values="estimate")
    whole = frame.query("category == 'whole'").set_index("condition").loc[band.index]
    assert (whole["low"] < band["silent_less"]).all()
    assert (whole["high"] > band["silent_more"]).all()


def test_persons_have_the_interval_of_the_share_beside_them(world, study):
    """By hand: the ends of the share, times the persons of the register whom it is of; in a table and a sentence."""
    frame = release(study)["nonresponse_tipping"].frame.set_index(["condition", "category"])
    many = {"commute_long": (world.register["status"] == "active").sum()}
    for name in frame.index.unique("condition"):
        share, people = frame.loc[name, "whole"], frame.loc[name, "whole_people"]
        for end in ("estimate", "low", "high"):
            near = share["step"] * many.get(name, len(world.register)) + people["step"]
            assert people[end] == pytest.approx(share[end] * many.get(name, len(world.register)), abs=near)
        shown = release(study)["headlines"].cell(name, "people")
        assert (shown["low"], shown["high"]) == (people["low"], people["high"])
    said = say(study, "condition.level", of=["crowded"]).data
    ends = [f"{frame.at[('crowded', 'whole_people'), end]:,.0f}" for end in ("low", "high")]
    assert f"persons ({ends[0]}\u2013{ends[1]})" in said


def test_part_that_never_answered_is_that_of_the_collection(world, study):
    """Of all: those who returned no form, times those of the follow-up who did not answer (weighted by stratum)."""
    late, w = study.frame["outcome"].ne("returned").to_numpy(), study.design.weights
    size = study.followup["stratum_population"] / study.followup.groupby("stratum")["stratum"].transform("size")
    answered = (size * (study.followup["outcome"] == "answered")).sum() / size.sum()
    expected = w[late].sum() / w.sum() * (1 - answered)
    cells = release(study)["nonresponse_tipping"].frame.query("category == 'never_answered'")
    assert cells["estimate"].to_numpy() == pytest.approx(expected, abs=0.01)  # less those without an answer to it
    strata = study.followup.groupby("stratum")
    N, n, p = (
        strata["stratum_population"].first(),
        strata.size(),
        strata["outcome"].agg(lambda v: v.eq("answered").mean()),
    )
    part = N**2 * (1 - n / N) * p * (1 - p) / (n - 1).clip(lower=1)
    drawn = w[late].sum() / w.sum() * np.sqrt(part.sum()) / N.sum()  # that the follow-up is a draw has an error
    half = (cells["high"] - cells["low"]).to_numpy() / 2
    assert (half > 1.9 * drawn).all()
    assert (half < 2.8 * drawn).all()


def test_what_they_need_has_the_error_of_those_followed_up(study):
    """Interval of a needed share: as S theta_F is what moves, its half-width is near that of the followed-up, not 0."""
    frame = release(study)["nonresponse_tipping"].frame
    half = frame.assign(half=(frame["high"] - frame["low"]) / 2).pivot(
        index="condition", columns="category", values="half"
    )
    for name in ("needed_less", "needed_more"):
        assert (half[name] > 0.3 * half["followed_up"]).all()


@pytest.mark.parametrize("cases", [0, 2, 40, 78, 80])
def test_a_rare_condition_has_an_interval_of_shares(cases):
    """The interval for sample and nonresponse is within 0 and 1, and holds that of the sample (of 2 of 80 not so)."""
    n, late = 80, pd.Series(np.arange(80) < 30)
    design, y = (
        Design(np.ones(n)),
        pd.Series(np.arange(n) < cases).sample(frac=1, random_state=1).reset_index(drop=True),
    )
    one = share(design, y)
    both = [one.value.iloc[0], *one.interval().iloc[0]]
    _, low, high = weights.whole(both, [pattern_mixture(design, y, late, 0.7, odds) for odds in ODDS])
    assert 0 <= low <= both[1] <= both[2] <= high <= 1


def test_sentence_names_the_least_firm_finding(study):
    """The condition whose needed share is nearest to that of the followed-up."""
    cells = release(study)["nonresponse_tipping"].frame.pivot(index="condition", columns="category", values="estimate")
    apart = cells[["needed_less", "needed_more"]].sub(cells["followed_up"], axis=0).abs()
    assert title(apart.min(axis=1).idxmin(), study) in bias(study).data


def test_sentence_names_the_largest_bias(study):
    """Tenants return the form more often, so their share is what the returned forms alone overstate most."""
    assert "rent their home" in bias(study).data
    assert show(study, "nonresponse_bias").data.count("<tr>") == 7


def test_without_a_follow_up_it_is_said(alone):
    """Nothing measures the bias of who returned the form, and the page says so."""
    assert "cannot be measured" in show(alone, "nonresponse_bias").data
    assert "cannot be measured" in bias(alone).data


def test_how_many_a_group_has_is_not_shown(study):
    """Return rates of groups of commands show no count of the register: it would give their strength."""
    table = release(study)["returned_by_command"].frame
    assert table["n"].isna().all()
    assert table["estimate"].notna().all()


def test_weights_reach_the_register(study):
    """The table of weights says the size, and that no margin is missed."""
    text = show(study, "weights_summary").data
    assert "12,000" in text
    assert "none above 1e-9" in text


def test_commands_without_an_answer_are_counted_and_not_named(study):
    """A whole command is missing among the answers: how many there are is said, and which is nobody's answer."""
    absent = study.register["command"].astype(str).value_counts().index[3]
    gone = study.register.loc[study.register["command"] == absent, "person_id"]
    returned = study.frame[study.frame["outcome"] == "returned"]
    without = Study.of(returned[~returned["person_id"].isin(gone)], study.register, None, study.codebook)
    assert without.design.weights.sum() == pytest.approx(len(study.register), rel=1e-9)
    count = release(without)["weights_summary"].cell("silent_commands")["estimate"]
    assert count == release(study)["weights_summary"].cell("silent_commands")["estimate"] + 1
    assert study.codebook.label("command", absent) not in show(without, "weights_summary").data


def test_trimming_is_shown_with_its_units(study):
    """Each condition has points and a factor at each cut, and a zero has no sign."""
    table = release(study)["weights_trimming"]
    assert len(table.shown) == 5 * 5
    text = show(study, "weights_trimming").data
    assert "-0.00" not in text
    assert "Source: stand-in population" in text


def test_replicates_bear_the_formula_out(world, monkeypatch):
    """Raked again, 100 replicates give the errors of the formula within Monte Carlo error, and half of it not."""

    def fresh():
        return Study.of(typed(world.answers, BOOK), typed(world.register, BOOK), None, BOOK)

    shown = say(fresh(), "weights.replicated").data
    assert "For 5 of 5 conditions" in shown
    assert "they bear the formula out" in shown
    monkeypatch.setattr(weights, "full", lambda *arguments: 0.5 * full(*arguments))
    assert "For 0 of 5" in say(fresh(), "weights.replicated").data


def test_a_design_without_replicates_is_said(study):
    """The unbiased variance of these two phases is negative for some statistic, and the table says so."""
    assert "no replicate weights" in show(study, "weights_replicated").data

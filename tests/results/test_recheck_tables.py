"""What a recheck moves: by hand from the columns, on a small survey in which people err."""

import re

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.needs import computed, indicators
from welfare_analysis.publishing import say
from welfare_analysis.results.catalogue import release
from welfare_analysis.results.recheck import amounts, corrected, found
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate


@pytest.fixture(scope="module")
def world():
    return generate(Parameters.read(DATA / "public"), 8, "rich", size=20000)


@pytest.fixture(scope="module")
def study(world):
    frames = [typed(f, BOOK) for f in (world.answers, world.register, world.followup)]
    return Study.of(*frames, BOOK, typed(world.recheck, BOOK), is_standin=True)


def test_a_share_is_that_of_what_was_found_in_each_class_weighed_by_the_class(world, study):
    """From the columns: pay too low and gaps are corrected; strata and weights as they are in the files."""
    w = study.design.weights
    said = computed(indicators(study.frame))["over_debt_limit"].astype("Float64").fillna(-1).astype(int)
    truth = typed(world.truth, BOOK).set_index("person_id")
    papers = world.recheck[world.recheck["outcome"] == "answered"]
    place = pd.Series(np.arange(len(study.frame)), study.frame["person_id"])[papers["person_id"]]
    so = computed(indicators(truth.loc[papers["person_id"]].reset_index()))["over_debt_limit"].to_numpy(float)
    drawn = papers.groupby("stratum")["person_id"].transform("size")
    v = w[place] * (papers["stratum_population"] / drawn).to_numpy()
    classes = said.iloc[place].to_numpy()
    by_hand = sum(
        w[said == c].sum() / w.sum() * np.average(so[classes == c], weights=v[classes == c]) for c in np.unique(said)
    )
    assert corrected(study, "over_debt_limit").value.iloc[0] == pytest.approx(by_hand, rel=1e-9)


def test_the_difference_is_that_of_both_and_its_error_is_smaller_than_theirs(study):
    rows = found(study, study).set_index(["condition", "measure"])
    for name in ("tenant", "cost_burdened", "over_debt_limit"):
        one = rows.loc[name]
        width = one["high"] - one["low"]
        assert width["moved_by"] < width["as_found"] + width["as_said"]
    printed = release(study)["recheck_found"].frame.pivot(index="condition", columns="category", values="estimate")
    told = printed.dropna()  # of the others hardly anybody was wrong
    assert "over_debt_limit" in told.index
    np.testing.assert_allclose(told["as_found"] - told["as_said"], told["moved_by"], atol=3e-3)


def test_income_is_said_too_low_by_what_the_stand_in_has(study):
    """The parameters say 2 % (a log of -0.02); two standard errors, and not nothing."""
    rows = amounts(study, study).query("question == 'net_pay_dh'")
    one = rows.iloc[0]
    assert one["low"] < np.exp(-0.02 + 0.05**2 / 2) - 1 < one["high"] < 0
    told = study.frame.set_axis(study.design.index)
    design, seen, _ = study.checked
    both = told.loc[design.index, "net_pay_dh"].notna() & seen["net_pay_dh"].notna()
    w = study.design.weights[study.design.index.get_indexer(design.index)] * design.weights
    off = (told.loc[design.index, "net_pay_dh"] - seen["net_pay_dh"])[both]
    assert one["estimate"] == pytest.approx((w[both] @ off) / (w[both] @ seen.loc[both, "net_pay_dh"]), rel=1e-9)


def test_without_a_recheck_tables_say_so_and_sentences_are_those_of_before(world, study):
    frames = [typed(f, BOOK) for f in (world.answers, world.register, world.followup)]
    without = Study.of(*frames, BOOK)
    assert release(without)["recheck_found"].state == "no_recheck"
    debts = say(without, "front.debts").data
    assert "papers" not in debts
    assert re.search(r"such an interval held the truth in only [67]\d %", debts)  # of the stored simulation
    assert "such an interval" not in say(without, "front.crowded").data


def test_where_papers_say_another_thing_a_headline_says_both(study):
    moved = release(study)["recheck_found"].frame.query("category == 'moved_by'").set_index("condition")
    for name in ("tenant", "crowded", "over_debt_limit", "commute_long"):
        apart = bool(moved.loc[name, "apart"])
        assert ("by papers checked for some" in say(study, "condition.level", of=[name]).data) == apart


def rechecked(world, study, change):
    """The study with another recheck: of the answers themselves, changed."""
    told = study.frame.set_index("person_id").loc[world.recheck["person_id"]].reset_index()
    names = ["person_id", "stratum", "stratum_population", "outcome"]
    drawn = pd.concat([world.recheck[names], told[["tenure", "rooms_n", "net_pay_dh", "pension_dh"]]], axis=1)
    frames = [typed(f, BOOK) for f in (world.answers, world.register, world.followup)]
    return Study.of(*frames, BOOK, change(drawn.assign(outcome="answered")))


def test_who_says_what_is_so_is_told_to_say_it(world, study):
    """Rooms and tenure as they were said: both are shown, no difference is, nor what no question bears on."""
    same = rechecked(world, study, lambda f: f[[*f.columns[:6]]])
    table = release(same)["recheck_found"].frame.set_index(["condition", "category"])
    assert {name for name, _ in table.index} >= {"tenant", "crowded"}
    assert not {"over_debt_limit", "commute_long"} & {name for name, _ in table.index}
    assert table.loc[("tenant", "as_found"), "estimate"] == pytest.approx(table.loc[("tenant", "as_said"), "estimate"])
    assert table.loc[("tenant", "moved_by"), "flag"] == "unsure"
    assert release(same)["recheck_amounts"].state != "shown"
    assert "hidden" not in say(same, "recheck.found").data


def test_a_few_papers_measure_nothing(world, study):
    """None wrong of a hundred may be three in a hundred."""
    few = rechecked(world, study, lambda f: f.assign(outcome=np.where(f.index % 5 == 0, "answered", "refused")))
    assert len(few.checked.frame) < 150
    assert release(few)["recheck_found"].state == "few_rechecked"

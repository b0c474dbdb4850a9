"""All combinations of defensible choices of method: what each is, what it moves; the usual one is that of the pages."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.results import multiverse, release
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey import weighting
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate
from welfare_analysis.survey.weighting import Choices, weight

CONDITIONS = {"tenant", "crowded", "cost_burdened", "over_debt_limit", "commute_long"}


@pytest.fixture(scope="module")
def study():
    world = generate(Parameters.read(DATA / "public"), 12, "rich", size=12000)
    return Study.of(*(typed(f, BOOK) for f in (world.answers, world.register, world.followup)), BOOK, is_standin=True)


@pytest.fixture(scope="module")
def every(study):
    return study.result(multiverse.shares)


def test_the_usual_choices_give_what_the_page_says(study, every):
    """No choice the other way is the released share; two to the sixth are there, and each choice changes something."""
    usual = every.loc[(False,) * len(multiverse.CHOICES)]
    assert len(every) == 2 ** len(multiverse.CHOICES) == 64
    assert set(every) == CONDITIONS
    for name in CONDITIONS:
        assert usual[name] == pytest.approx(release(study)[name].frame["estimate"].iloc[0], abs=1e-6)
    for choice in multiverse.CHOICES:
        sides = [every.xs(side, level=choice) for side in (True, False)]
        assert not np.allclose(*sides, rtol=1e-9, atol=0), choice


@pytest.mark.parametrize("choice", multiverse.WEIGHTING)
def test_each_choice_of_weighting_is_another_weighting(choice, study):
    """Other weights, the persons of the register still counted; margins that are kept are reached."""
    other = [name == choice for name in multiverse.WEIGHTING]
    usual, changed = (multiverse.weights(study, tuple(x)) for x in ([False] * len(other), other))
    assert usual.to_numpy() == pytest.approx(study.design.weights)
    assert not np.allclose(usual, changed)
    assert changed.sum() == pytest.approx(len(study.register))
    theirs = study.frame["status"].astype(str).to_numpy()
    known = study.register["status"].astype(str).value_counts()
    assert changed.groupby(theirs).sum()[known.index].to_numpy() == pytest.approx(known.to_numpy(), rel=1e-6)


def test_response_classes_without_age_are_the_strata(study):
    """By hand: before calibration a visited person stands for the population of the stratum over its answers."""
    back = study.frame["outcome"] == weighting.RETURNED
    answers = study.frame.loc[back, ["person_id"]]
    made = weight(answers, study.register, study.followup, Choices(by_age=False, smallest=1))
    first = pd.Series(made.design.residuals.weights, index=made.frame["person_id"])
    late = study.followup[study.followup["outcome"] == "answered"]
    each = late["stratum"].map(late["stratum"].value_counts())
    assert first[late["person_id"]].to_numpy() == pytest.approx((late["stratum_population"] / each).to_numpy(float))
    assert first[answers["person_id"]].to_numpy() == pytest.approx(1.0)


def test_gaps_are_filled_with_others_of_the_rank(study):
    """By hand: who did not say whether the home is crowded has the weighted share of the same status and rank group."""
    answered, filled = study.result(multiverse.outcomes)["crowded"]
    w, gaps = study.design.weights, np.isnan(answered) & ~np.isnan(filled)
    assert gaps.any()
    assert filled[~np.isnan(answered)].tolist() == answered[~np.isnan(answered)].tolist()
    keys = study.frame["status"].astype(str) + study.frame["rank_group"].astype(str)
    one = int(np.flatnonzero(gaps)[0])
    alike = (keys == keys.iloc[one]).to_numpy() & ~np.isnan(answered)
    assert filled[one] == pytest.approx(np.average(answered[alike], weights=w[alike]))
    answered, filled = study.result(multiverse.outcomes)["commute_long"]
    assert np.isnan(filled[(study.frame["status"] != "active").to_numpy()]).all()  # nobody else was asked


def test_tables_are_the_ends_and_the_main_effects(study, every):
    """The lowest and highest of all combinations; the mean of the 32 with a choice less that of the 32 without."""
    cells = release(study)["multiverse"].frame.pivot(index="condition", columns="category", values="estimate")
    assert cells["lowest"].to_dict() == pytest.approx(every.min().to_dict(), abs=2e-6)
    assert cells["highest"].to_dict() == pytest.approx(every.max().to_dict(), abs=2e-6)
    assert (cells["combinations"] == 64).all()
    found = release(study)["multiverse_effects"]
    for choice in multiverse.CHOICES:
        sides = [every.xs(side, level=choice)["over_debt_limit"].mean() for side in (True, False)]
        assert found.cell("over_debt_limit", choice)["estimate"] == pytest.approx(sides[0] - sides[1], abs=2e-6)


def test_without_a_followup_there_is_none(study):
    """What is chosen is how the follow-up stands for others."""
    back = study.frame["outcome"] == weighting.RETURNED
    alone = Study.of(study.frame[back].reset_index(drop=True), study.register, None, study.codebook)
    assert release(alone)["multiverse"].state == "no_followup"

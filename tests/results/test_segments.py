"""Segments of hopes and satisfaction, as they are published."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.disclosure import CATEGORY
from welfare_analysis.estimation import Design, latent_classes, share
from welfare_analysis.needs.aspirations import HOPES
from welfare_analysis.publishing import say
from welfare_analysis.publishing.labels import label
from welfare_analysis.results import release, satisfaction, segments
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import LANGUAGES
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate


@pytest.fixture(scope="module")
def world():
    return generate(Parameters.read(DATA / "public"), 23, "plain", size=5000)


def opened(answers):
    """The study of answers without a register."""
    return Study.of(typed(answers, BOOK), None, None, BOOK)


@pytest.fixture(scope="module")
def study(world):
    return opened(world.answers)


def test_segments_are_the_active_and_the_others(study):
    """In the stand-in active staff and others hope unlike: shares add up, and more of the active are in the first."""
    subject, tables = study.result(segments.segmented), release(study)
    assert subject.number > 1
    shares = tables["segments_shares"].shown
    assert shares["estimate"].sum() == pytest.approx(1, abs=0.01)
    active = tables["segments_by_status"].cell(subject.codes[0], "active")
    assert active["estimate"] > shares.set_index("segment").at[subject.codes[0], "estimate"]


def test_the_number_of_segments_is_that_of_the_smallest_bic(study):
    """The number taken has BIC 0 above the smallest, or the others' smallest segment is too small."""
    subject, cells = study.result(segments.segmented), release(study)["segments_number"].frame
    gap = cells[cells[CATEGORY] == "bic"].set_index("segments_n")["estimate"]
    small = cells[cells[CATEGORY] == "smallest"].set_index("segments_n")["estimate"]
    better = gap.index[gap < gap[str(subject.number)]]
    assert (small[better].fillna(0.0) < segments.LEAST).all()  # too small to be shown


def test_hopes_without_segments_are_said_to_have_none(world):
    """Each answer dealt to others at random: one segment, no table of segments, and the sentence says so."""
    rng, answers = np.random.default_rng(1), world.answers.copy()
    for question, _ in HOPES.values():
        known = answers[question].notna().to_numpy()
        answers.loc[known, question] = rng.permutation(answers.loc[known, question].to_numpy())
    study = opened(answers)
    assert study.result(segments.segmented).number == 1
    assert release(study)["segments_shares"].state == "segments.one"
    assert BOOK.text("segments.one", study.language) in say(study, "hopes.segments").data


def test_a_yes_to_a_whole_list_is_no_answer(study):
    """Lists of few services are left as they are."""
    items = segments.answered(study)
    sport = [name for name in items if HOPES[name][0].startswith("sport_wish")]
    assert len(sport) >= segments.LONG
    asked = study.frame[[HOPES[name][0] for name in sport]].eq("yes").all(axis=1)
    assert asked.any()
    assert items.loc[asked, sport].isna().all(axis=None)
    assert not items[sport].fillna(value=False).all(axis=1).any()


def test_segments_are_named_by_what_they_hope_for_above_all():
    """Hand-made: two groups with two services each; a name has the services in words, in every language."""
    rng = np.random.default_rng(2)
    of = rng.random(2000) < 0.6
    p = np.where(of[:, None], [0.9, 0.8, 0.2, 0.2], [0.2, 0.2, 0.9, 0.8])
    items = pd.DataFrame(rng.random((2000, 4)) < p, columns=["home", "loan", "hajj", "umra"])
    fit = latent_classes(Design(np.ones(2000)), items, 2, starts=3)
    assert segments.codes(fit) == ["home+loan", "hajj+umra"]


def test_names_are_made_of_the_services(study):
    """The name of a segment holds the names of its services."""
    for language in LANGUAGES:
        spoken = study.in_language(language) if hasattr(study, "in_language") else study
        name = label(spoken, "segment", "home+loan")
        assert label(spoken, "hope", "home") in name
        assert label(spoken, "hope", "loan") in name


def test_satisfaction_is_the_share_on_a_side(study):
    """Independent: a share of one question and status asked for alone; both sides together are no more than one."""
    tables = release(study)
    given = study.frame["satisfied_home"]
    where = given.notna() & (study.frame["status"] == "active")
    alone = share(study.design, given.isin(satisfaction.SIDES["satisfied"]), where=where)
    cell = tables["satisfaction_satisfied_by_status"].cell("satisfied_home", "active")
    assert cell["estimate"] == pytest.approx(float(alone.value.iloc[0]), abs=0.006)
    ranked = where & (study.frame["rank_group"] == "guards")
    guards = share(study.design, given.isin(satisfaction.SIDES["satisfied"]), where=ranked)
    cell = tables["satisfaction_satisfied_by_rank_group"].cell("satisfied_home", "guards")
    assert cell["estimate"] == pytest.approx(float(guards.value.iloc[0]), abs=0.006)
    both = [
        tables[f"satisfaction_{side}_by_status"].shown.set_index(["question", CATEGORY])["estimate"]
        for side in satisfaction.SIDES
    ]
    assert (sum(both).dropna() <= 1.01).all()


def test_who_is_on_neither_side_is_not_few(study):
    """All less the satisfied and the dissatisfied are neither: where these are one to nine, both sides are hidden."""
    group = study.frame["sex"] == "f"
    given = study.frame.loc[group, "satisfied_home"].dropna()
    few = given.astype(object).where(np.arange(len(given)) >= 5, "neither")
    few[5:] = np.where(np.arange(len(few) - 5) % 2, "satisfied", "dissatisfied")
    answers = study.frame[["satisfied_home"]].astype(object)
    answers.loc[given.index, "satisfied_home"] = few
    for side in satisfaction.SIDES:
        rows = satisfaction.shares(study, answers, side, "sex").set_index("sex")
        assert rows["unsafe"].to_dict() == {"f": True, "m": False}

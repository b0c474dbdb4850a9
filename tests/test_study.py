import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.errors import WelfareError
from welfare_analysis.publishing import briefs, draw, figures, findings, limits, show, trust, who_where
from welfare_analysis.publishing.verbs import contrast
from welfare_analysis.results import TOPICS, release
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

sys.path.append(str(Path(__file__).parent / "simulation"))
from headline_errors import headline_frame, true_levels

SIZE = 8000


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files that an institution would bring: other people, as CSV, without the stand-in's mark."""
    folder = tmp_path_factory.mktemp("own")
    world = generate(Parameters.read(DATA / "public"), 77, "rich", size=SIZE)
    world.answers.to_csv(folder / "answers.csv", index=False)
    world.register.to_csv(folder / "register.csv", index=False)
    world.followup.to_csv(folder / "followup.csv", index=False)
    world.answers[["status", "tenure", "rooms_n", "household_size_n"]].to_csv(folder / "housing.csv", index=False)
    return folder, world


@pytest.fixture(scope="module")
def own(files):
    folder, _ = files
    return Study.open(folder / "answers.csv", folder / "register.csv", folder / "followup.csv")


@pytest.fixture(scope="module")
def released(own):
    return release(own)


def test_own_files_change_numbers_and_drop_the_banner(own, released):
    """Another survey gives other numbers, totals of its own register, and no word of a stand-in."""
    assert not own.is_standin
    assert own.method == "two_phase"
    people = released["members_by_status"].frame["estimate"].sum()
    assert people == pytest.approx(SIZE, abs=30)
    assert "stand-in" not in briefs.banner(own).data + show(own, "headlines").data


def test_a_study_is_opened_once_as_long_as_nothing_changes(files, tmp_path, monkeypatch):
    """The same files give the same study; other files, wishes, a language or a file written anew give another."""
    whole, _ = files
    part = shutil.copy(whole / "housing.csv", tmp_path / "housing.csv")
    first = Study.open(part)
    assert Study.open(part) is first
    assert Study.open(str(part)) is not first
    again = Study.open(part)
    assert again is not first
    monkeypatch.setenv("LANGUAGE_OF_REPORT", "fr")
    assert Study.open(part).language == "fr"
    lines = part.read_text().splitlines(keepends=True)
    part.write_text("".join(lines[:-1]))
    assert len(Study.open(part).frame) == len(first.frame) - 1


def test_two_phases_hold_a_truth_that_returners_miss(files, released):
    """On own files of a population whose truth is known the follow-up mends what informative return does."""
    folder, world = files
    alone = Study.open(folder / "answers.csv", folder / "register.csv")
    assert alone.method == "returners"
    truth = true_levels(world.truth)["tenant"]
    row = released["tenant"].frame.iloc[0]
    assert row["low"] - 0.01 <= truth <= row["high"] + 0.01
    assert release(alone)["tenant"].frame.iloc[0]["low"] > truth


def test_who_is_left_out_is_in_no_file(files, own, tmp_path):
    """OMIT=unanswered gives the study of files without those persons: their forms, their visits, their answers' kinds.

    Orphans sent forms, but none of them answered when they were visited.
    """
    folder, world = files
    orphan = world.register.set_index("person_id")["status"].eq("orphan")
    late = pd.read_csv(folder / "followup.csv", dtype=str)
    silent = late["person_id"].map(orphan) & (late["outcome"] == "answered")
    assert silent.any()
    assert (own.frame["status"] == "orphan").any()
    late.loc[silent, late.columns[late.columns.get_loc("outcome") :]] = pd.NA
    late.loc[silent, "outcome"] = "not_reached"
    late.to_csv(tmp_path / "late.csv", index=False)
    left = Study.open(folder / "answers.csv", folder / "register.csv", tmp_path / "late.csv", omit="unanswered")
    others = []
    for name, place in (("answers", folder), ("register", folder), ("late", tmp_path)):
        frame = pd.read_csv(place / f"{name}.csv", dtype=str)
        others.append(tmp_path / f"{name}_of_others.csv")
        frame[~frame["person_id"].map(orphan).astype(bool)].to_csv(others[-1], index=False)
    alone = Study.open(*others)
    assert left.left_out == {"orphan": int(orphan.sum())}
    pd.testing.assert_frame_equal(left.frame, alone.frame)
    pd.testing.assert_frame_equal(left.kinds, alone.kinds)
    np.testing.assert_array_equal(left.design.weights, alone.design.weights)


def test_a_housing_block_alone(files):
    """The least that is accepted: a status and one block; the rest was not asked, and no total is given."""
    folder, _ = files
    study = Study.open(folder / "housing.csv")
    released = release(study)
    assert released["tenure_by_status"].state == "shown"
    assert released["commute_minutes_by_command"].state == "not_asked"
    assert released["crowded_total"].state == "no_totals"
    assert "Not asked" in show(study, "commute_mode_by_rank").data
    assert "No numbers of people" in briefs.method(study).data or "without a register" in briefs.method(study).data


def test_the_default_is_the_marked_stand_in():
    """Without files the study is the stand-in, and says so in three languages."""
    study = Study.open()
    assert study.is_standin
    assert len({study.codebook.text("banner", language) for language in ("ar", "fr", "en")}) == 3
    assert study.codebook.text("banner") in briefs.banner(study).data


def test_a_follow_up_needs_its_register(files):
    """A follow-up without the register that it was drawn from is an error."""
    folder, _ = files
    with pytest.raises(WelfareError, match="no register"):
        Study.open(folder / "housing.csv", followup=folder / "followup.csv")


def test_a_study_of_a_report_is_one_in_each_language(own):
    """What is withheld from a report is so in all its languages; in Jupyter no language makes a report of a study."""
    assert not own.in_language("fr").languages
    reported = replace(own, languages=("en", "fr", "ar"))
    assert reported.in_language("fr").languages == ("fr",)


def test_tables_add_up(released):
    """Shares of categories add to one in each group that is shown whole."""
    off, allowed = [], []
    for name, group in {
        "tenure_by_status": "status",
        "tenure_by_rank": "rank_group",
        "shift_by_rank": "rank_group",
    }.items():
        parts = released[name].frame.groupby(group, observed=True)
        whole = [part for _, part in parts if (part["flag"] != "hidden").all()]
        off += [abs(part["estimate"].sum() - 1) for part in whole]
        allowed += [part["step"].sum() / 2 for part in whole]  # each is rounded to its own unit
    assert off
    assert (np.array(off) <= np.array(allowed) + 1e-9).all()
    assert max(allowed) < 0.02


def test_no_clear_difference_is_said(own, released):
    """Overlapping extremes are not told apart; a category far apart is."""
    text = contrast(released["crowded_by_command"], own)
    frame = released["crowded_by_command"].frame.dropna()
    top, bottom = frame.loc[frame["estimate"].idxmax()], frame.loc[frame["estimate"].idxmin()]
    assert ("no clear difference" in text) == (top["low"] <= bottom["high"])


def test_headline_conditions_are_missing_where_not_asked():
    """The way to work is asked of active staff only, so others are missing, not false."""
    world = generate(Parameters.read(DATA / "public"), 5, "plain", size=2000)
    frame = headline_frame(world.truth)
    assert frame["commute_long"].isna().equals(pd.Series(world.truth["status"] != "active"))


@pytest.fixture(scope="module")
def frames():
    """Answers and register of a small survey, in the types of a file that was read."""
    world = generate(Parameters.read(DATA / "public"), 31, "rich", size=4000)
    return typed(world.answers, BOOK), typed(world.register, BOOK)


SMALL = {
    "two answers": lambda a: a.head(2),
    "widows only": lambda a: a[a["status"] == "widow"],
    "tenants without a loan, no command and an empty rank": lambda a: (
        a[(a["tenure"] == "tenant") & (a["has_loan"] == "no")]
        .head(200)
        .drop(columns="command")
        .assign(rank=lambda b: b["rank"].mask(b["rank"].notna()))
    ),
}


@pytest.mark.parametrize("name", SMALL)
def test_a_small_or_odd_file_still_gives_pages(frames, name, monkeypatch):
    """Few or uniform answers: every table, figure and sentence is made, hidden or said not to be there."""
    study = Study.of(SMALL[name](frames[0]).reset_index(drop=True), None, None, BOOK, survey_name="own.csv")
    released, seen = release(study), []
    monkeypatch.setattr(figures.output, "display", lambda data, raw, metadata=None: seen.append(data))
    monkeypatch.setattr(figures.output, "drawn", lambda figure: plt.close(figure) or b"")  # made, not turned to pixels
    for figure in figures.FIGURES:
        draw(study, figure)
    texts = [show(study, name).data for name in released if released[name].by]
    texts += [findings(study, topic).data for topic in TOPICS if TOPICS[topic].findings[1]]
    texts += [part(study).data for part in (who_where, trust, limits)]
    texts += [data["text/markdown"] for data in seen if "text/markdown" in data]
    assert len(seen) >= len(figures.FIGURES)
    assert not re.search(r"\b(nan|None|inf)\b", " ".join(texts))


def test_one_command_of_a_register(frames):
    """Answers of one command beside the whole register: commands are put together and the pages are made."""
    answers, register = frames
    study = Study.of(answers[answers["command"] == "rabat"], register, None, BOOK)
    assert study.design.weights.sum() == pytest.approx(len(register))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda a: a.head(1), "one answer has no sampling error"),
        (lambda a: a.drop(columns="person_id"), "keys that join it to the register are not there"),
        (lambda a: a[a["status"] == "active"], "nobody of a status answered; got 'orphan, retired, widow'"),
        (lambda a: a.assign(person_id="x" + a["person_id"]), "persons are not in the register"),
    ],
)
def test_answers_that_no_register_can_weight(frames, change, fault):
    """What stops is said in the words of the files, with what to do."""
    answers, register = frames
    with pytest.raises(WelfareError, match=fault):
        Study.of(change(answers), register, None, BOOK)

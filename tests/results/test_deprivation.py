"""Tables of deprivation: against NumPy on the answers, identities, a test of dominance, and files that lack answers."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.disclosure import policy
from welfare_analysis.estimation import Design
from welfare_analysis.needs.deprivation import CUTOFFS, deprivations
from welfare_analysis.publishing import findings, show
from welfare_analysis.results import deprivation, release
from welfare_analysis.study import Study

WEIGHTS = np.array([1 / 8, 1 / 8, 1 / 8, 1 / 8, 1 / 4, 1 / 4])


def known(answers: pd.DataFrame) -> tuple[np.ndarray, pd.Series]:
    """Scores of those of whom all is known, and their statuses."""
    of = deprivations(answers)
    rows = of.notna().all(axis=1)
    return of[rows].astype(float).to_numpy() @ WEIGHTS, answers.loc[rows, "status"]


def near(cell: pd.Series, value: float) -> bool:
    """Whether a cell is a value to its step of rounding."""
    return abs(cell["estimate"] - value) <= cell["step"] / 2 + 1e-9


def test_levels_are_those_of_the_answers(study, answers):
    """H, A and M0 of all and of a status, with NumPy alone."""
    (score, status), shown = known(answers), release(study)
    for rows, table, codes in (
        (np.ones(len(score), bool), "deprivation_index", ()),
        ((status == "widow").to_numpy(), "deprivation_by_status", ("widow",)),
    ):
        inside = score[rows] >= 1 / 3 - 1e-9
        m0 = (score[rows] * inside).mean()
        for name, value in {"headcount": inside.mean(), "intensity": m0 / inside.mean(), "adjusted": m0}.items():
            assert near(shown[table].cell(*codes, name), value), (table, name)


def test_parts_of_a_status_add_to_one(study):
    """As printed, to the rounding of each."""
    frame = release(study)["deprivation_parts"].frame
    for _, rows in frame.groupby("category"):
        if rows["estimate"].notna().all():
            assert rows["estimate"].sum() == pytest.approx(1.0, abs=rows["step"].sum() / 2)
    assert frame["estimate"].notna().sum() >= 8


def test_choices_hold_the_headline_and_bounds_hold_it_between(study):
    """One cell of the table of choices is the headline; what is known lies between the ends of what is not."""
    shown = release(study)
    level = shown["deprivation_index"].cell("adjusted")["estimate"]
    assert shown["deprivation_choices"].cell(deprivation.WEIGHTS, "third")["estimate"] == level
    least, most = (shown["deprivation_bounds"].cell(end, "headcount")["estimate"] for end in ("least", "most"))
    assert least <= shown["deprivation_index"].cell("headcount")["estimate"] <= most


def test_a_choice_rests_on_those_whom_it_counts(study, answers):
    """At a cutoff of a half fewer are deprived than at a third: they are counted, not those of the headline."""
    rows = deprivation.topic.tables["choices"].make(study, study.result(deprivation.deprived))
    own = rows[rows["weighting"] == deprivation.WEIGHTS].set_index("cutoff")["numerator"]
    score, _ = known(answers)
    assert own.to_dict() == {name: (score >= at - 1e-9).sum() for name, at in CUTOFFS.items()}
    assert own["half"] < own["third"] < own["quarter"]


def test_what_only_some_are_asked_stands_beside(study, answers):
    """Shares of the status that is asked, and no cell of another."""
    frame = release(study)["deprivation_own"].frame
    assert set(zip(frame["hardship"], frame["status"], strict=True)) == {
        ("commute_long", "active"), *(("no_health_cover", s) for s in ("retired", "widow", "orphan")),
    }  # fmt: skip
    numbers, own = (
        ["estimate", "low", "high"],
        release(study)["deprivation_own"].cell("commute_long", "active", "share"),
    )
    assert (
        own[numbers].tolist() == release(study)["commute_long"].frame[numbers].iloc[0].tolist()
    )  # one share, one interval
    cover = answers.loc[answers["status"] == "widow", "health_cover"].dropna()
    assert near(release(study)["deprivation_own"].cell("no_health_cover", "widow", "share"), (cover == "no").mean())


def test_dominance_is_claimed_rarely_where_there_is_none_and_found_where_it_is(study):
    """Statuses given at random: 30 draws, at most 5 % of claims in truth, so that 5 or more are out of bounds.

    Seven of ten persons of a status made free of every deprivation: it is found.
    """
    whole = deprivation.deprived(study)
    of = whole.of[whole.of.notna().all(axis=1)].head(600).reset_index(drop=True)
    rng = np.random.default_rng(8)

    def p_of(of: pd.DataFrame, status: np.ndarray) -> float:
        own = deprivation.Deprived(of, whole.weights, pd.Series(status, name="status"), Design(np.ones(len(of))))
        return float(deprivation.order(study, own)["estimate"].iloc[0])

    claims = sum(p_of(of, np.where(rng.random(600) < 0.5, "active", "retired")) < 0.05 for _ in range(30))
    assert claims <= 4
    status = np.where(np.arange(600) % 2, "active", "retired")
    free = (status == "active") & (rng.random(600) < 0.7)
    better = of.copy()
    better.loc[free] = False
    assert p_of(better, status) < 0.01


def test_n_of_a_pair_are_the_respondents_of_both(study):
    """And not those alone who are deprived in several ways."""
    status = deprivation.deprived(study).status.value_counts()
    frame = release(study)["deprivation_order"].frame
    for first, second, n in frame[["level", "reference", "n"]].itertuples(index=False):
        one, other = (status[code.removeprefix("status:")] for code in (first, second))
        assert n == policy().base(one + other)


def test_a_status_whose_level_is_hidden_has_no_rank(answers, monkeypatch):
    """Few of 20 retirees are deprived in several ways: a pair, named by the more deprived first, would place them.

    So it would place who is hidden beside them.
    """

    def few(frame, of="all"):
        beyond = frame["status"].eq("retired") & (frame.groupby("status").cumcount() >= 20)
        return deprivations(frame, of).mask(beyond, other=False)

    monkeypatch.setattr(deprivation, "deprivations", few)
    made = release(Study.of(answers, None, None, BOOK))
    cells, pairs = made["deprivation_by_status"].cells("*", "adjusted"), made["deprivation_order"].frame
    hidden = set("status:" + cells.loc[cells["flag"] == "hidden", "status"])
    assert "status:retired" in hidden
    assert len(hidden) == 2
    assert len(pairs)
    assert not hidden & {*pairs["level"], *pairs["reference"]}


def test_a_block_that_was_not_asked_leaves_no_index(answers):
    """Nothing is said of an index that lacks an indicator; the page says that it was not asked."""
    without = Study.of(answers.drop(columns="care_forgone"), None, None, BOOK)
    assert {release(without)[name].state for name in deprivation.topic.names} == {"not_asked"}
    assert findings(without, "deprivation").data == BOOK.text("not_asked")
    assert BOOK.text("not_asked") in show(without, "deprivation_by_status").data


def test_few_orphans_are_put_together_with_widows(answers):
    """As the codebook says; no cell tells of fewer than the policy's least."""
    few = answers[(answers["status"] != "orphan") | (answers.groupby("status").cumcount() < 25)].reset_index(drop=True)
    frame = release(Study.of(few, None, None, BOOK))["deprivation_by_status"].frame
    assert "survivors" in set(frame["status"])
    assert not {"widow", "orphan"} & set(frame["status"])
    assert frame["n"].min() >= policy().min_base


def test_the_usual_cutoff_is_that_of_the_global_index():
    """A third, of 1."""
    assert CUTOFFS[deprivation.USUAL] == pytest.approx(1 / 3)

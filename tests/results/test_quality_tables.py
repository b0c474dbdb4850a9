"""The soundness of the answers: numbers of forms that few persons are behind are not shown."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.disclosure import policy
from welfare_analysis.publishing import findings, show
from welfare_analysis.results import TOPICS, release
from welfare_analysis.results.quality import of_forms
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey import doubts, quality
from welfare_analysis.survey.reading import reviews, typed
from welfare_analysis.survey.standin import Parameters, generate

NAMES = TOPICS["quality"].names


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A small generated survey, read from files so that the kinds of missing answers are known."""
    folder = tmp_path_factory.mktemp("own")
    world = generate(Parameters.read(DATA / "public"), 21, "rich", size=4000)
    for name in ("answers", "register", "followup"):
        getattr(world, name).to_csv(folder / f"{name}.csv", index=False)
    return Study.open(*(folder / f"{name}.csv" for name in ("answers", "register", "followup")))


@pytest.mark.parametrize("name", NAMES)
def test_every_table_has_a_source_and_no_hole(study, name):
    """Each names whose answers it shows, and no number is a nan in words."""
    text = show(study, name).data
    if name == "quality_forms":  # the file has neither review states nor forms in doubt
        assert BOOK.text("no_state") in text
        return
    assert "answers of answers.csv" in text
    assert not any(word in text for word in (">nan", "None", "inf%"))


def test_forms_are_shown_by_review_state_and_doubt(tmp_path):
    """An export with 40 approved forms, 12 rejected, 3 on hold and 11 widows who are men: few are hidden, as ever."""
    world = generate(Parameters.read(DATA / "public"), 21, "rich", size=2000).answers.head(455)
    states = ["Approved"] * 440 + ["Not Approved"] * 12 + ["On Hold"] * 3
    forms = world.drop(columns="person_id").assign(_validation_status=states, _uuid=[f"uuid:{i}" for i in range(455)])
    forms.loc[forms.index[:11], ["status", "sex"]] = ["widow", "m"]
    asked = BOOK.variables.loc[[c for c in forms if c in BOOK.variables.index], "asked_if"]
    kept = [*asked.index[asked == ""], "_validation_status", "_uuid"]
    forms[kept].to_csv(tmp_path / "export.csv", index=False)
    own = Study.open(tmp_path / "export.csv", keep="impossible", omit="repeated")
    assert own.states["rejected", "left_out"] == 12
    assert own.states["approved", "counted"] == 440
    assert own.states["impossible", "counted"] == 11
    shown = release(own)["quality_forms"]
    assert shown.cell("approved", "counted")["estimate"] == 450  # of 440, as numbers of respondents are printed
    assert shown.cell("rejected", "left_out")["estimate"] == 10  # of 12
    assert np.isnan(shown.cell("on_hold", "counted")["estimate"])


def test_every_state_of_a_form_has_its_words():
    """A state that reading or a wish can give is a code of the list; else a page shows it as the program writes it."""
    states = {*reviews.KNOWN, *reviews.LEFT_OUT, "submitted", *doubts.KINDS, doubts.ORPHANS}
    assert {state.replace(" ", "_") for state in states} == set(BOOK.codes("form_state"))


def test_all_forms_that_came_are_the_base_of_those_left_out(tmp_path):
    """Of eighty persons twenty said no, and five rows belong to no form: eighty forms came."""
    forms = pd.DataFrame({"status": "active", "consent": ["yes"] * 60 + ["no"] * 20, "tenure": "owner"})
    forms = forms.assign(_uuid=[f"uuid:{i}" for i in range(80)])
    members = pd.DataFrame({"age": [3] * 6, "_submission__uuid": ["uuid:0", *[f"uuid:{90 + i}" for i in range(5)]]})
    with pd.ExcelWriter(tmp_path / "export.xlsx") as book:
        forms.to_excel(book, sheet_name="forms", index=False)
        members.to_excel(book, sheet_name="children", index=False)
    own = Study.open(tmp_path / "export.xlsx", omit="orphans,repeated")
    assert own.states == {("not agreed", "left_out"): 20, ("orphans", "left_out"): 5}
    assert release(own)["quality_forms"].cell("not_agreed", "left_out")["n"] == 80


def test_gaps_are_counted_by_hand(study):
    """A shown share of skipped answers is that of the kinds of answers, and its n are those asked."""
    table = release(study)["quality_gaps"]
    shown = table.cells("*", "skipped").dropna(subset="estimate")
    assert len(shown)
    for cell in shown.itertuples():
        asked = study.kinds[cell.question][study.kinds[cell.question] != "not_asked"]
        assert cell.n == policy().base(len(asked))
        assert cell.estimate == pytest.approx((asked == "skipped").mean(), abs=1e-6)
        assert (asked == "skipped").sum() >= 10


@pytest.mark.parametrize("met", [1, 9, 191, 199])
def test_a_share_of_few_forms_is_hidden(study, met):
    """Nine forms, or all but nine of them, are no number: shares carry the forms behind them to the protection."""
    from welfare_analysis.disclosure import declared, protect

    cells = of_forms(pd.DataFrame({"straight": [met / 200, 0.5]}, ["a", "b"]), pd.Series(200, ["a", "b"]), "scale")
    blank = declared("quality_straight", "forms", "measure", ("scale",), "share")
    frame = protect(blank, cells.rename(columns={"measure": "category"}), (200, 200)).frame.set_index("scale")
    assert np.isnan(frame.at["a", "estimate"])
    assert frame.at["b", "estimate"] == 0.5


def test_few_contradictions_are_not_counted_out(study):
    """One form that breaks a rule: neither the number nor its share is shown, and no sentence says it."""
    row = study.frame.index[0]
    frame = study.frame[["status", "commute_km", "commute_min"]].assign(commute_km=1.0, commute_min=60.0)
    frame.loc[row, "commute_km"] = 190.0
    broken = Study(frame, study.design, BOOK, None)
    table = release(broken)["quality_contradictions"]
    assert table.cell("speed_possible", "broken")[["estimate", "n"]].isna().all()
    assert np.isnan(table.cell("speed_possible", "share_of_checked")["estimate"])
    assert quality.inconsistent(frame, quality.read_rules(BOOK))["broken"].max() == 1
    assert "%" not in findings(broken, "quality").data


def test_response_is_shown_with_intervals(study):
    """RR1, refusals and the rest, each with its interval, add to one."""
    cells = release(study)["response"].frame
    assert cells["estimate"].sum() == pytest.approx(1, abs=1e-5)
    assert ((cells["low"] < cells["estimate"]) & (cells["estimate"] < cells["high"])).all()


def test_what_was_not_asked_is_said():
    """A file with a status and the tenure: nothing fails, and it says what was not asked."""
    world = generate(Parameters.read(DATA / "public"), 22, "plain", size=1000)
    bare = Study.of(typed(world.answers[["status", "tenure"]], BOOK), None, None, BOOK, survey_name="own.csv")
    for name in ("straight", "contradictions", "imputation", "gaps"):
        assert "Not asked" in show(bare, f"quality_{name}").data
    assert "register" in show(bare, "quality_reconciliation").data
    assert "register" in show(bare, "response").data

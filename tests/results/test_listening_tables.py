"""Tables of the log and the tracker: shares by counting, a comparison and a least change by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.disclosure import Released, policy
from welfare_analysis.errors import WelfareError
from welfare_analysis.planning.caravan import Caravan
from welfare_analysis.publishing.sentences import points
from welfare_analysis.results import caravan, catalogue
from welfare_analysis.results.caravan import UNKNOWN
from welfare_analysis.study import DATA, Study, public
from welfare_analysis.survey.codebook import LANGUAGES
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

WHO = SimpleNamespace(codebook=BOOK)
LOG = pd.DataFrame({
    "topic": ["housing"] * 60 + ["loans"] * 40, "command_group": ["east"] * 50 + ["north"] * 50,
    "status": (["active"] * 3 + ["widow", None]) * 20, "kind": ["complaint", "wish"] * 50,
    "answer": ["to_follow"] * 30 + ["answered"] * 70,
})  # fmt: skip


def shares(rows, across):
    return rows.set_index(["question_topic", across])["estimate"].to_dict()


def test_topics_by_region_by_counting():
    """Of 50 questions in the east all are on housing, in the north 10; their parts add up to one in each region."""
    rows = caravan.topics(WHO, LOG, "command_group")
    assert shares(rows, "command_group") == pytest.approx(
        {("housing", "east"): 1.0, ("loans", "east"): 0.0, ("housing", "north"): 0.2, ("loans", "north"): 0.8}
    )
    assert rows.set_index(["question_topic", "command_group"])["numerator"].to_dict() == {
        ("housing", "east"): 50, ("loans", "east"): 0, ("housing", "north"): 10, ("loans", "north"): 40,
    }  # fmt: skip
    assert (rows["n"] == 50).all()
    assert (rows["low"] <= rows["estimate"]).all()
    assert (rows["estimate"] <= rows["high"]).all()


def test_small_statuses_are_taken_together_and_who_was_not_said_is_left_out():
    """Widows are survivors; of a fifth of the questions the status is not known."""
    rows = caravan.topics(WHO, LOG, "status")
    assert set(rows["status"]) == {"active", "survivors"}
    assert rows.groupby("status")["n"].first().to_dict() == {"active": 60, "survivors": 20}
    assert rows.groupby("status")["estimate"].sum().to_numpy() == pytest.approx(1.0)


def test_kinds_by_counting():
    """Half of the questions are complaints; half of those on housing were left open, and none on loans."""
    found = shares(caravan.kinds(WHO, LOG), "question_measure")
    assert {code: x for (code, measure), x in found.items() if measure == "asked"} == pytest.approx(
        {"housing": 0.6, "loans": 0.4}
    )
    assert found["housing", "complaint"] == pytest.approx(0.5)
    assert found["loans", "wish"] == pytest.approx(0.5)
    assert found["housing", "to_follow"] == pytest.approx(0.5)
    assert found["loans", "to_follow"] == 0


def released(name, by, across, cells, unit="share"):
    frame = pd.DataFrame(cells, columns=[*by, *([] if not across else ["category"]), "estimate", "low", "high", "n"])
    return Released(name, "share", across, tuple(by), unit, frame=frame.assign(step=0.001, flag=""), state="shown")


TOWNS = pd.DataFrame({"command_group": ["east", "north"]}, pd.Index(["a", "b"], name="caravan_stop"))
OF = Caravan(TOWNS, pd.DataFrame(), None, (), 60.0, 1.0, 400.0, 1.0, 1.0)
NEEDS = pd.DataFrame(
    [("housing", "hopes_by", "hope", "home"), ("loans", "loans_by", "", ""), ("pension", "", "", "")],
    columns=["question_topic", "table", "key", "code"],
)


@pytest.fixture
def every(monkeypatch):
    """Questions of two regions, and hopes for homes; loans were not asked about in the survey."""
    monkeypatch.setattr(caravan, "public", lambda _: NEEDS)
    asked = [("housing", "east", 0.6, 0.55, 0.65, 300), ("housing", "north", 0.3, 0.25, 0.35, 300),
             ("pension", "east", 0.1, 0.05, 0.15, 300), ("pension", "north", 0.1, 0.05, 0.15, 300),
             ("loans", "north", 0.6, 0.55, 0.65, 300)]  # fmt: skip
    hopes = [("home", "east", 0.5, 0.45, 0.55, 900), ("home", "north", 0.5, 0.45, 0.55, 900)]
    loans = released("loans_by", ["command_group"], "", []).without_numbers("not_asked")
    return {
        "listening_topics": released("listening_topics", ["question_topic"], "command_group", asked),
        "hopes_by": released("hopes_by", ["hope"], "command_group", hopes),
        "loans_by": loans,
    }


def test_what_is_asked_beside_what_is_needed_by_hand(every):
    """Housing is asked about more in the east though no more hoped for; a topic hidden there is not in its table."""
    table = caravan.heard(every, OF, "a", "own_heard")
    assert table.cells("*", "asked_region")["question_topic"].tolist() == ["housing", "pension"]
    for side, number in {"asked_region": 0.6, "asked_rest": 0.3, "need_region": 0.5, "need_rest": 0.5}.items():
        assert table.cell("housing", side)["estimate"] == pytest.approx(number)
    assert table.cell("housing", "asked_compared")["text"] == "compared.more"
    assert table.cell("housing", "need_compared")["text"] == "compared.none"
    assert table.cell("housing", "need")["text"] == "listening.need.housing"
    assert table.cell("pension", "need_region") is None
    assert table.cell("loans", "asked_rest") is None
    north = caravan.heard(every, OF, "b", "own_heard")
    assert north.cell("housing", "asked_compared")["text"] == "compared.less"
    assert north.cell("loans", "need_region") is None


def test_without_a_log_nothing_is_heard(every):
    """No table is made where no question may be shown."""
    silent = every | {"listening_topics": every["listening_topics"].without_numbers(caravan.NO_LOG)}
    assert caravan.heard(silent, OF, "a", "own_heard") is None


LINES = pd.DataFrame(
    [("known", "t|x", "t|x", "t|y"), ("hidden", "t|z", "t|z", "t|z"), ("gone", "t|nobody", "t|nobody", "t|nobody"),
     ("silent", "u", "t|x", "u"), ("uncounted", "t|x", None, None)],
    columns=["tracker_finding", "address", "indicator", "expected"],
).assign(desk="loans_desk", months=6, kind="assumption")  # fmt: skip


@pytest.fixture
def tracked(monkeypatch):
    """A tracker of two tables, one of which was not asked."""
    cells = [("x", 0.40, 0.36, 0.44, 900), ("y", 0.5, 0.45, 0.55, 900), ("z", np.nan, np.nan, np.nan, np.nan)]
    table = released("t", ["code"], "", cells)
    table.frame.loc[2, "flag"] = "hidden"
    silent = released("u", [], "", []).without_numbers("not_asked")
    monkeypatch.setattr(catalogue, "public", lambda _: LINES)
    monkeypatch.setattr(catalogue, "release", lambda _: {"t": table, "u": silent})
    return catalogue.tracker(None)


def test_what_is_expected_and_what_would_be_seen_by_hand(tracked):
    """What is expected is the page's own cell; 40 % (36 to 44) moves visibly by 5.7 points, the root of two times 4."""
    assert tracked.cell("known", "expected")["estimate"] == 0.5
    assert tracked.cell("known", "expected")["low"] == 0.45
    assert tracked.cell("known", "expected_of")["text"] == "tracker.expected.known"
    assert tracked.cell("known", "seen")["estimate"] == pytest.approx(0.057)
    assert tracked.cell("known", "seen")["unit"] == "share_points"
    assert tracked.cell("known", "finding")["high"] == 0.44
    assert tracked.cell("known", "desk")["text"] == "desk:loans_desk"
    assert tracked.cell("known", "within")["estimate"] == 6


def test_what_no_page_expects_is_said_to_be_unknown(tracked):
    """Without an address there is no number and no indicator's value, but the line says that none is estimated."""
    assert tracked.cell("uncounted", "expected_of")["text"] == "tracker.expected.none"
    for column in ("expected", "now", "seen"):
        assert tracked.cell("uncounted", column) is None


def test_the_tracker_tells_no_more_than_the_tables(tracked):
    """What is hidden there is hidden here, with no change to be seen; what was not asked says so."""
    for column in ("finding", "now", "expected"):
        assert np.isnan(tracked.cell("hidden", column)["estimate"])
        assert tracked.cell("hidden", column)["flag"] == "hidden"
        assert tracked.cell("gone", column) is None
    for code in ("hidden", "gone"):
        assert tracked.cell(code, "seen") is None
        assert tracked.cell(code, "to_do") is not None
    assert tracked.cell("silent", "finding")["text"] == "not_asked"
    assert tracked.cell("silent", "now")["estimate"] == pytest.approx(0.40)


def test_a_tracker_of_tables_that_are_not_there_still_says_what_to_do(monkeypatch):
    """Of a file that lacks every question each line has its action, and why it has no number."""
    silent = released("u", [], "", []).without_numbers("not_asked")
    monkeypatch.setattr(catalogue, "public", lambda _: LINES)
    monkeypatch.setattr(catalogue, "release", lambda _: {"t": silent, "u": silent})
    table = catalogue.tracker(None)
    assert set(table.cells("*", "finding")["text"]) == {"not_asked"}
    assert len(table.cells("*", "to_do")) == len(LINES)
    assert table.cells("*", "seen").empty


@pytest.fixture(scope="module")
def standin():
    """A small generated survey with its register."""
    world = generate(Parameters.read(DATA / "public"), 11, "rich", size=6000)
    frames = (typed(frame, BOOK) for frame in (world.answers, world.register, world.followup))
    return Study.of(*frames, BOOK, is_standin=True)


def test_no_number_of_few_questions_is_shown(standin):
    """Counted in the log: a shown part has ten questions on either side, and thirty in its group."""
    log, rules = standin.result(caravan.planning.questions), policy()
    for name, by in (("listening_topics", "command_group"), ("listening_by_status", "status")):
        group = log[by].astype(object).replace(BOOK.wider("status"))
        table = catalogue.release(standin)[name]
        assert len(table.shown) > 20
        for _, cell in table.shown.iterrows():
            n, met = (
                (group == cell["category"]).sum(),
                (log["topic"].eq(cell["question_topic"]) & group.eq(cell["category"])).sum(),
            )
            assert n >= rules.min_base
            assert min(met, n - met) >= rules.min_respondents or met == 0
        hidden = table.frame[table.frame["flag"] == "hidden"]
        assert (hidden.groupby("category").size() != 1).all()  # one alone would follow from the others


def test_a_topic_of_few_questions_does_not_follow_from_the_others(standin, tmp_path, monkeypatch):
    """Of a log of one's own with five questions on sport the part of sport is hidden, and another with it."""
    lines = ["stop,date,status,topic,kind,answer,desk"]
    for topic, n in {"housing": 60, "loans": 40, "sport": 5}.items():
        lines += [f"nador,2012-10-02,active,{topic},wish,answered,"] * n
    (tmp_path / "log.csv").write_text("\n".join(lines))
    monkeypatch.setenv("LISTENING", str(tmp_path / "log.csv"))
    every = catalogue.release(replace(standin, language="en"))
    for name, column in (("listening_kinds", "asked"), ("listening_topics", "east"), ("listening_by_status", "active")):
        cells = every[name].cells("*", column)
        assert cells["flag"].eq("hidden").sum() >= 2, name
        assert cells.set_index("question_topic").at["sport", "flag"] == "hidden"
    assert every["listening_stop"].state == "shown" or every["listening_topics"].shown.empty


def test_each_topic_and_finding_has_its_words():
    """Every topic and desk is a code of the lists; every need, action and indicator has a text."""
    topics, lines = public("caravan_topics"), public("tracker")
    assert topics["question_topic"].tolist() == BOOK.codes("question_topic")
    assert {*topics["desk"], *lines["desk"]} <= set(BOOK.codes("desk"))
    assert lines["tracker_finding"].tolist() == BOOK.codes("tracker_finding")
    keys = [f"listening.need.{code}" for code in topics.dropna(subset="table")["question_topic"]]
    keys += [f"tracker.{part}.{code}" for part in ("action", "indicator") for code in lines["tracker_finding"]]
    keys += [f"tracker.expected.{code}" for code in lines.dropna(subset="expected")["tracker_finding"]]
    assert set(keys) <= set(BOOK.texts.index)
    assert topics["value"].sum() == pytest.approx(1.0)
    assert 6 <= len(lines) <= 10


def test_every_address_of_the_tracker_is_a_cell(standin):
    """A line that names no table or cell of this survey would show nothing."""
    every = catalogue.release(standin)
    for address in public("tracker")[["address", "indicator", "expected"]].melt()["value"].dropna():
        table, *codes = address.split("|")
        assert every[table].state == "shown"
        assert every[table].cell(*codes) is not None, address
    with pytest.raises(WelfareError, match="no such table"):
        every["no_table"]


def test_sentences_say_that_the_log_is_invented(standin):
    """In three languages; without a log they say that there is none."""
    for language in LANGUAGES:
        said = points(standin.in_language(language), "caravan.asked")[0]
        assert BOOK.text("listening.invented", language) in said
        assert "{" not in said
    world = generate(Parameters.read(DATA / "public"), 12, "rich", size=1500)
    own = Study.of(typed(world.answers, BOOK), typed(world.register, BOOK), None, BOOK)
    assert points(own, "caravan.asked") == [BOOK.text(caravan.NO_LOG)]
    assert points(own, "listening.nature") == [BOOK.text(caravan.NO_LOG)]
    assert UNKNOWN in BOOK.texts.index


def test_the_kind_that_is_not_shown_is_not_few_either():
    """Of 60 questions 30 are complaints, 26 wishes: the 4 others are all less both, and so both are hidden."""
    kinds = ["complaint"] * 30 + ["wish"] * 26 + ["information"] * 4
    log = pd.DataFrame({"topic": ["housing"] * 60, "kind": kinds, "answer": ["answered"] * 40 + ["to_follow"] * 20})
    rows = caravan.kinds(WHO, log).set_index("question_measure")
    assert rows["unsafe"].eq(True).to_dict() == {"asked": False, "complaint": True, "wish": True, "to_follow": False}

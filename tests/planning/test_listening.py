"""Where the log of questions comes from: a file, an invention beside invented answers, or nowhere."""

from types import SimpleNamespace

import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.errors import WelfareError
from welfare_analysis.planning.caravan import questions
from welfare_analysis.study import public

PEOPLE = pd.DataFrame({"status": ["active", "widow"] * 50})
LINE = "stop,date,status,topic,kind,answer,desk\nnador,2012-10-02,widow,housing,wish,answered,\n"


def study(standin, register=PEOPLE):
    return SimpleNamespace(codebook=BOOK, is_standin=standin, register=register)


@pytest.fixture(autouse=True)
def _no_names(monkeypatch):
    for name in ("LISTENING", "CODEBOOK"):
        monkeypatch.delenv(name, raising=False)


def test_beside_invented_answers_the_log_is_invented_too():
    """All stops of the tour have questions, each with its region; twice the same."""
    log, towns = questions(study(True)), public("caravan").set_index("caravan_stop")["command_group"]
    assert log["invented"].all()
    assert set(log["stop"]) == set(towns.index)
    assert (log["command_group"] == log["stop"].map(towns)).all()
    assert set(log["status"]) == {"active", "widow"}
    pd.testing.assert_frame_equal(log, questions(study(True)))


@pytest.mark.parametrize("who", [study(False), study(True, None)])
def test_beside_answers_of_ones_own_nothing_is_invented(who):
    """No log is made up for real answers, nor where nobody is known who could ask."""
    assert questions(who).empty


@pytest.mark.parametrize("standin", [True, False])
def test_a_log_of_ones_own_stands_in_its_place(tmp_path, monkeypatch, standin):
    """The file that LISTENING names is read, whatever the answers are."""
    (tmp_path / "log.csv").write_text(LINE)
    monkeypatch.setenv("LISTENING", str(tmp_path / "log.csv"))
    log = questions(study(standin))
    assert log[["stop", "topic", "command_group"]].to_numpy().tolist() == [["nador", "housing", "east"]]
    assert not log["invented"].any()


def test_a_file_that_is_not_there_is_an_error(tmp_path, monkeypatch):
    """And no invented log stands in its place."""
    monkeypatch.setenv("LISTENING", str(tmp_path / "none.csv"))
    with pytest.raises(WelfareError, match="the file is not there"):
        questions(study(True))

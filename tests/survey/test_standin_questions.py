"""The invented log: its levels by counting, and the same seed the same log."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.survey.standin.questions import questions

STOPS = pd.DataFrame(
    {"date": pd.to_datetime(["2012-10-02", "2012-10-03", "2012-10-04"]), "command_group": ["east", "east", "north"]},
    index=["nador", "oujda", "tanger"],
)
TOPICS = pd.DataFrame({"value": [0.6, 0.3, 0.1], "desk": ["a", "b", "c"]}, index=["housing", "loans", "other"])
STATUSES = pd.Series(["active", "active", "active", "widow"])
LEVELS = pd.Series(
    {"log_questions": 4000.0, "log_complaint": 0.2, "log_wish": 0.5, "log_to_follow": 0.3, "log_spread": 0.0}
)


def test_the_same_seed_gives_the_same_log():
    """And another seed another one."""
    first, again, other = (questions(STOPS, TOPICS, STATUSES, LEVELS, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_its_levels_are_those_that_were_asked_for():
    """Shares lie within four standard errors of the levels; a desk is named where and only where something is left."""
    log = questions(STOPS, TOPICS, STATUSES, LEVELS, 3)
    n = len(log)
    assert abs(n - 12_000) < 4 * np.sqrt(12_000)
    told = {"topic": TOPICS["value"], "kind": {"complaint": 0.2, "wish": 0.5, "information": 0.3},
            "answer": {"to_follow": 0.3}, "status": {"widow": 0.25}}  # fmt: skip
    for column, levels in told.items():
        for code, level in dict(levels).items():
            assert (log[column] == code).mean() == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / n))
    assert (log["desk"].notna() == (log["answer"] == "to_follow")).all()
    left = log.dropna(subset="desk")
    assert (left["desk"] == left["topic"].map(TOPICS["desk"])).all()
    assert (log["date"] == log["stop"].map(STOPS["date"])).all()


def test_regions_differ_and_stops_of_one_do_not():
    """With a spread the part of a topic is one thing in each region; without it is the same everywhere."""
    log = questions(STOPS, TOPICS, STATUSES, LEVELS.replace(0.0, 0.8), 5)
    part = log["topic"].eq("housing").groupby(log["stop"]).mean()
    error = 4 * np.sqrt(0.25 / 4000) * np.sqrt(2)
    assert abs(part["nador"] - part["oujda"]) < error
    assert abs(part["nador"] - part["tanger"]) > error

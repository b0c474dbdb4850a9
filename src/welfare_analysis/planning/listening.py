"""What was asked at the stops of a caravan: a log of one's own, or an invented one."""

from __future__ import annotations

import pandas as pd

from ..study import Study, own_log, public
from ..survey.codebook import Codebook
from ..survey.standin.questions import questions as invented
from .caravan import caravan, parameter

LEVELS = ("questions", "complaint", "wish", "to_follow", "spread")
SEED = 2012


def book(codebook: Codebook) -> Codebook:
    """The codebook of the log: its questions, and the stops of ``data/public/caravan.csv``."""
    return codebook.of_questions(public("caravan")["caravan_stop"])


def logged(codebook: Codebook) -> pd.DataFrame | None:
    """The log that LISTENING names, read and checked; None where it names none."""
    return own_log(book(codebook))


def questions(study: Study) -> pd.DataFrame:
    """The questions of the file that LISTENING names, with the region of their stop; none where it names none.

    With answers of the stand-in they are ``invented`` too.
    """
    log, towns = logged(study.codebook), public("caravan").set_index("caravan_stop")
    invent = log is None
    if log is None and study.is_standin and study.register is not None:
        stops = caravan().timetable()[["date"]].join(towns["command_group"])
        topics = public("caravan_topics").set_index("question_topic")
        levels = {name: parameter(f"log_{name}") for name in LEVELS}
        log = invented(stops, topics, study.register["status"], levels, SEED)
    if log is None:
        return pd.DataFrame(columns=["topic"])
    return log.assign(command_group=log["stop"].astype(object).map(towns["command_group"]), invented=invent)

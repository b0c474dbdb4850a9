"""What was asked at the stops of a caravan: a log of one's own, or an invented one."""

from __future__ import annotations

import pandas as pd

from ..study import Study, own_log, public
from ..survey.standin.questions import questions as invented
from .caravan import caravan

SEED = 2012


def questions(study: Study) -> pd.DataFrame:
    """The questions of the file that LISTENING names, with the region of their stop; none where it names none.

    With answers of the stand-in they are ``invented`` too.
    """
    log, towns = own_log(study.codebook), public("caravan").set_index("caravan_stop")
    invent = log is None
    if log is None and study.is_standin and study.register is not None:
        stops = caravan().timetable()[["date"]].join(towns["command_group"])
        topics, rules = public("caravan_topics"), public("caravan_rules").set_index("rule")["value"]
        log = invented(stops, topics.set_index("question_topic"), study.register["status"], rules, SEED)
    if log is None:
        return pd.DataFrame(columns=["topic"])
    return log.assign(command_group=log["stop"].astype(object).map(towns["command_group"]), invented=invent)

"""What is asked at the caravan's stops (page 12), beside what members of the stop's region need or hope for.

Whoever comes and asks is no sample of members. Intervals are those of questions drawn at random from all that could
have been asked: they say how many questions there are, not whose.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from ..disclosure import Release, Released, document, policy
from ..estimation import Design, mean, share
from ..planning import caravan as planning
from ..planning import listening
from ..study import Study, public
from .caravan import compared, regional
from .declare import Topic, counted

NONE = "listening.none"  # the text where no log is given
ASKED = {"brief_line": "asked:", "table": "listening_topics", "key": "question_topic", "code": "", "compared": "yes"}
FLAGS = {"complaint": "kind", "wish": "kind", "to_follow": "answer"}


topic = Topic("listening", listening.questions, lambda log: "shown" if len(log) else NONE, "share",
              lambda log: (log["topic"].notna(), log["topic"].notna()), totals=False)  # fmt: skip


def topics(study: Study, log: pd.DataFrame, by: str) -> pd.DataFrame:
    """The part of each topic in the questions of each group, small statuses together, where the group is known."""
    group, topics = log[by].astype(object).replace(study.codebook.wider("status")), log["topic"].astype(object)
    made = share(Design(np.ones(len(log))), topics, by=group, where=group.notna())
    met = pd.DataFrame({"topic": topics, by: group}).value_counts()
    return counted(made, "question_topic", met.reindex(made.value.index, fill_value=0), across=by)


for name, group in (("topics", "command_group"), ("by_status", "status")):
    topic.table(name, "question_topic", group, adds="question_topic")(partial(topics, by=group))


@topic.table("kinds", "question_topic", "question_measure", adds="question_topic")
def kinds(study: Study, log: pd.DataFrame) -> pd.DataFrame:
    """Topics of all questions, and of each the part that are complaints, wishes, or were left to be followed up."""
    design, topics = Design(np.ones(len(log))), log["topic"].astype(object).rename("question_topic")
    made = share(design, topics)
    asked = counted(made, "question_topic", topics.value_counts().reindex(made.value.index.get_level_values(-1)))
    flags = pd.DataFrame({flag: log[column].astype(object).eq(flag) for flag, column in FLAGS.items()})
    of = mean(design, flags, by=topics)
    met = flags.groupby(topics).sum().T.stack().reindex(of.value.index)
    rest = counted(of, "question_measure", met, across="question_topic")
    neither = (~flags["complaint"] & ~flags["wish"]).groupby(topics).sum()  # all less both
    few = rest["question_topic"].map(neither.between(1, policy().min_respondents - 1)).astype(bool)
    rest["unsafe"] = few & rest["question_measure"].isin(["complaint", "wish"])
    return pd.concat([asked.assign(question_measure="asked"), rest], ignore_index=True)


def heard(every: Release, of: planning.Caravan, stop: str, name: str) -> Released | None:
    """Topics asked in a stop's region and elsewhere, beside the members who need or hope for what they are about.

    A difference is named where it is beyond the interval of all lines together. None where nothing is released.
    """
    topics = public("caravan_topics").fillna("")
    needs = topics[topics["table"] != ""].assign(brief_line=lambda x: "need:" + x["question_topic"], compared="yes")
    asked, group = pd.DataFrame([ASKED]), of.towns.at[stop, "command_group"]
    cells = regional(every, pd.concat([asked, needs[list(asked)]]))
    lines = cells.loc[cells["command_group"] == group, "brief_line"].drop_duplicates()
    if not lines.str.startswith(ASKED["brief_line"]).any():
        return None
    rows = compared(cells, group, list(lines))
    named = rows.pop("brief_line").str.extract(r"(?P<side>\w+):(?P<topic>\w+)")
    rows = rows.assign(question_topic=named["topic"], question_side=named["side"] + "_" + rows.pop("caravan_side"))
    asked = rows[rows["question_side"] == "asked_region"].sort_values("estimate", ascending=False)
    words = needs[["question_topic"]].assign(question_side="need", estimate=0.0)
    words["text"] = "listening.need." + words["question_topic"]
    rows = pd.concat([rows, words]).set_index("question_topic").loc[list(asked["question_topic"])].reset_index()
    return document(name, rows.assign(ranked=True), ["question_topic"], "question_side", "share")

"""All tables of a study under one name each, made when they are asked for."""

from __future__ import annotations

from ..disclosure import Lazy
from ..study import Study
from . import adjusted, aspirations, conditions, descriptive, homes, loans, priorities, rail, shuttle, stored
from .declare import Topic

TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        conditions.topic,
        conditions.income,
        conditions.tail,
        adjusted.topic,
        aspirations.topic,
        *priorities.TOPICS.values(),
        homes.topic,
        loans.topic,
        shuttle.topic,
        rail.topic,
    )
}


def release(study: Study) -> Lazy:
    """Every table that may be shown."""
    return study.result(_release)


def _release(study: Study) -> Lazy:
    makers = dict(descriptive.descriptive(study).makers)
    for topic in TOPICS.values():
        makers |= topic.release(study).makers
    return Lazy(makers | stored.documents(study).makers)

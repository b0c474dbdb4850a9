"""All tables of a study under one name each, made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..disclosure import Lazy, Released
from ..study import Study
from . import (
    adjusted,
    aspirations,
    conditions,
    descriptive,
    headlines,
    homes,
    loans,
    priorities,
    quality,
    rail,
    shuttle,
    stored,
    weights,
)
from .declare import Topic

TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        quality.topic,
        weights.topic,
        weights.bias_topic,
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
    plan = study.result(descriptive.descriptive)
    makers: dict[str, Callable[[], Released]] = {name: partial(plan.__getitem__, name) for name in plan}
    parts = (topic.release(study) for topic in TOPICS.values())
    for part in (*parts, headlines.released(study), stored.documents(study)):
        makers |= part.makers
    return Lazy(makers)

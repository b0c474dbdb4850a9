"""An invented log of what was asked at the stops of a caravan.

It is drawn without a look at what people need or hope for: where its topics are like those of the survey, it is chance.
"""

from __future__ import annotations

import numpy as np
import pandas as pd


def questions(
    stops: pd.DataFrame, topics: pd.DataFrame, statuses: pd.Series, levels: pd.Series, seed: int
) -> pd.DataFrame:
    """A row a question: stop, date, status, topic, kind, answer, desk.

    Parameters
    ----------
    stops : DataFrame
        By stop its date and command_group.
    topics : DataFrame
        By topic the part of questions on it (value) and the desk that follows it up.
    statuses : Series
        Of all who may ask.
    levels : Series
        ``log_questions`` a stop in the mean (Poisson), the parts ``log_complaint``, ``log_wish`` and ``log_to_follow``,
        and ``log_spread``: standard deviation of the log of a topic's part between regions.
    """
    rng = np.random.default_rng(seed)
    regions, of = np.unique(stops["command_group"].astype(str), return_inverse=True)
    weight = topics["value"].to_numpy(float) * np.exp(rng.normal(0, levels["log_spread"], (len(regions), len(topics))))
    below = np.cumsum(weight / weight.sum(axis=1, keepdims=True), axis=1)
    at = np.repeat(np.arange(len(stops)), rng.poisson(levels["log_questions"], len(stops)))
    topic = (rng.random((len(at), 1)) > below[of[at]]).sum(axis=1).clip(max=len(topics) - 1)
    kind, left = rng.random(len(at)), rng.random(len(at)) < levels["log_to_follow"]
    kinds = [kind < levels["log_complaint"], kind < levels["log_complaint"] + levels["log_wish"]]
    return pd.DataFrame({
        "stop": stops.index.to_numpy(object)[at], "status": rng.choice(statuses.astype(object), len(at)),
        "topic": topics.index.to_numpy(object)[topic], "kind": np.select(kinds, ["complaint", "wish"], "information"),
        "answer": np.where(left, "to_follow", "answered"),
        "desk": pd.Series(topics["desk"].to_numpy(object)[topic]).where(left), "date": stops["date"].to_numpy()[at],
    })  # fmt: skip

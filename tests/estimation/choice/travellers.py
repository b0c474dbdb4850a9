"""The 210 travellers in clusters with weights, and the models that tests of forecasts and scenarios fit to them."""

import numpy as np
import pandas as pd

from welfare_analysis.estimation import Design
from welfare_analysis.estimation.choice import logit, mixed_logit, nested_logit

FORMULA = "chosen ~ C(mode, contr.treatment('car')) + gcost + wait"
NESTS = {"fly": ["air"], "ground": ["bus", "car", "train"]}


def weighted(travel, w):
    """A design of the 210 travellers in 42 clusters."""
    return Design(pd.Series(w, index=travel["individual"].unique()), psu=np.arange(210) // 5)


def refitted(kind, travel, design):
    """A logit, a nested or a mixed logit, in which waiting is disliked by some more than by others."""
    given = (design, travel, FORMULA, "individual", "mode")
    if kind == "mixed":
        normals = np.random.default_rng(2).normal(size=(210, 1, 32))
        return mixed_logit(*given, random={"wait": "normal"}, normals=normals, starts=1)
    return nested_logit(*given, NESTS) if kind == "nested" else logit(*given)


def dearer(travel, by=1.2):
    """Air costs more."""
    return travel.assign(gcost=travel["gcost"] * np.where(travel["mode"] == "air", by, 1.0))

r"""Whether to have a car, chosen with the way to work: how far "given today's cars" decides what a fare does.

An alternative is a mode with or without a car in the household. Its utility has the tastes of the pooled model, which
are taken as known, a constant of the mode, and :math:`\gamma_0 + \gamma_1 \ln(y / 6000) + \gamma_2 d` of a car at an
income y and a distance d: a joint logit (Train 1980, Review of Economic Studies 47, 357-370). Only those with a car can
go by it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..estimation import Estimate
from ..estimation.choice import logit, predicted_shares
from .levels import MODES
from .modes import ATTRIBUTES, coded
from .transport import BLOCK, TICKETS, Commuters

MODEL = "chosen ~ C(mode) + own + own:log_income + own:far_10km"


def alternatives(people: Commuters, fares: float = 1.0) -> pd.DataFrame:
    """Modes with and without a car before those who had cards of the block, with their ``known`` utility.

    ``fares`` multiplies the fares of bus, tram and grand taxi.
    """
    had = people.frame[f"{BLOCK}_version"].notna() & people.frame["commute_mode"].notna()
    long = coded(people.before_modes(had, owners_only=False))
    cost = long["cost_100"].where(~long["alternative"].isin(TICKETS["fares"]), long["cost_100"] * fares)
    b = people.fit("pooled").value
    utility = pd.Series(0.0, index=long.index)
    for name in ATTRIBUTES:
        utility = utility + b[name] * (cost if name == "cost_100" else long[name])
    known = people.people[[c for c in ("log_income", "far_10km") if c in people.people]]
    long = long.assign(known=utility, has=people.people["car"].loc[long["row"]].to_numpy())
    long = long.assign(**{c: known[c].loc[long["row"]].to_numpy() for c in known})
    without = long[long["alternative"] != "car"].assign(own=0.0)
    both = pd.concat([long.assign(own=1.0), without], ignore_index=True)
    both["chosen"] = both["chosen"] * (both["own"] == both["has"])
    kept = both.groupby("case")["chosen"].transform("sum") == 1
    both["mode"] = pd.Categorical(
        both["alternative"].astype(object), [m for m in MODES if m in set(both["alternative"])]
    )
    both["way"] = np.where(both["own"] == 1, "own:", "no:") + both["alternative"].astype(str)
    both = both[kept]
    used = both.groupby("way")["chosen"].transform("sum") > 0  # what nobody does has no finite constant
    return both[used].sort_values(["case", "way"], kind="stable", ignore_index=True)


def long_run(people: Commuters, fares: float) -> Estimate:
    """Shares of modes once fares are changed and cars chosen anew; its error is without that of the tastes."""
    long = alternatives(people)
    model = MODEL if "log_income" in long else MODEL.replace(" + own:log_income", "")
    fit = logit(people.superpopulation, long, model, case="case", alternative="way", person="row", offset="known")
    changed = alternatives(people, fares)
    found = predicted_shares(fit, people.design, changed, person="row", offset="known")
    ways = found.value.index.get_level_values("alternative")
    modes = [m for m in MODES if any(w.endswith(f":{m}") for w in ways)]
    rows = np.array([[w.partition(":")[2] == m for w in ways] for m in modes], dtype=float)
    return found.apply(lambda v: pd.Series(rows @ v.to_numpy(), index=modes), rows)

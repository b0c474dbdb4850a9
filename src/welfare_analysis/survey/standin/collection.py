"""Which forms come back, and the follow-up of a random few of those that do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from .. import recheck
from .chance import happens
from .parameters import Parameters
from .population import STATUSES

CARAVAN = np.datetime64("2012-09-24")  # its first day
# what a visitor sees: papers on pay, rent and debts, the home, and the way to work by the clock
SEEN = ["status", "tenure", "rooms_n", "household_size_n", "rent_dh", "housing_charges_dh", "net_pay_dh", "pension_dh"]
SEEN += ["other_income_dh", "has_loan", "loans_n", "consumer_deduction_dh", "housing_deduction_dh", "commute_min"]


def returned(f: pd.DataFrame, p: Parameters, rng: np.random.Generator) -> np.ndarray:
    """Draw who returns the form; the log odds rise with unmet need also among people alike in the register."""
    odds = {
        "tenant": f["tenure"] == "tenant", "crowded": f["crowded"], "indebted": f["has_loan"] == "yes",
        "retired": f["status"] == "retired", "widow": f["status"] == "widow", "orphan": f["status"] == "orphan",
        "senior": f["rank_group"] == "senior", "sahara": f["command_group"] == "sahara",
        "decade": (f["age"] - 40) / 10, "dear": f["dear"] - 1,
    }  # fmt: skip
    eta = sum((np.log(p[f"return_or_{name}"]) * x.to_numpy(dtype=float) for name, x in odds.items()), np.zeros(len(f)))
    return happens(rng, eta, p["return_share"])


def strata(f: pd.DataFrame) -> pd.Series:
    """Stratum of the follow-up: status, command group and, for active staff, rank group (senior with officers)."""
    group = f["rank_group"].replace("senior", "officers").astype(object)
    return (f["status"] + "|" + f["command_group"] + ("|" + group).where(f["status"] == "active", "")).rename("stratum")


def follow_up(absent: pd.DataFrame, p: Parameters, rng: np.random.Generator, version: str, n: int) -> pd.DataFrame:
    """Select about `n` of the non-returners, simply at random within strata, and draw their outcome.

    Returns
    -------
    frame with the index of those selected: stratum, stratum_population (non-returners there), outcome
    """
    stratum = strata(absent)
    counts = stratum.value_counts().sort_index()
    least = np.minimum(counts, p["followup_stratum_least_n"])
    size = np.minimum(counts, np.maximum(least, (n * counts / counts.sum()).round())).astype(int)
    luck = pd.Series(rng.random(len(absent)), index=absent.index)
    place = luck.groupby(stratum).rank(method="first")
    chosen = absent[place <= stratum.map(size)]
    eta = logit(p["followup_answered_share"]) + (
        np.log(p["followup_or_nonactive"]) * (chosen["status"] != "active")
        + np.log(p["followup_or_officers"])
        * ((chosen["status"] == "active") & chosen["rank_group"].isin(["officers", "senior"]))
        + np.log(p["followup_or_sahara"]) * (chosen["command_group"] == "sahara")
    )
    if version != "plain":
        eta = eta + np.log(p["followup_or_decade"]) * (chosen["age"] - 40) / 10
    answered = rng.random(len(chosen)) < expit(eta)
    refused = rng.random(len(chosen)) < p["followup_refused_share"]
    own = stratum[chosen.index]
    return pd.DataFrame({
        "person_id": chosen["person_id"], "stratum": own, "stratum_population": own.map(counts).astype(int),
        "outcome": np.select([answered, refused], ["answered", "refused"], "not_reached").astype(object),
    })  # fmt: skip


def dated(selected: pd.DataFrame, p: Parameters, rng: np.random.Generator) -> pd.DataFrame:
    """Add how and on which day those who answered did (``mode``, ``date``), from a stream of its own."""
    telephone = rng.random(len(selected)) < p["followup_telephone_share"]
    days = p["followup_after_days"] + np.floor(rng.random(len(selected)) * p["followup_days_n"])
    date = (CARAVAN + days.astype("timedelta64[D]")).astype(str)
    way = pd.DataFrame({"mode": np.where(telephone, "telephone", "visit"), "date": date}, selected.index, dtype=object)
    return selected.join(way[selected["outcome"] == "answered"])


def with_answers(selected: pd.DataFrame, forms: pd.DataFrame) -> pd.DataFrame:
    """Join the answers of those who answered; all other cells stay blank."""
    said = forms.loc[selected.index].drop(columns="person_id")
    return pd.concat([selected, said.where(selected["outcome"] == "answered")], axis=1)


def rechecked(
    forms: pd.DataFrame, selected: pd.DataFrame, truth: pd.DataFrame, p: Parameters, rng: np.random.Generator
) -> pd.DataFrame:
    """The recheck of a random few of those who answered, by form or in the follow-up: what is so, under `SEEN`.

    ``forms`` are all that were filled in, and of these those ``selected`` for the follow-up count if they answered. The
    number is that of the parameters, of a smaller population in proportion.
    """
    late = forms.index.isin(selected.index)
    forms = forms.assign(outcome=np.where(late, "answered", "returned"))
    forms = forms[~late | (selected["outcome"].reindex(forms.index) == "answered")]
    silent = len(truth) - (forms["outcome"] == "returned").sum()
    weight = np.where(forms["outcome"] == "answered", silent / max((forms["outcome"] == "answered").sum(), 1), 1.0)
    full = sum(p[f"{status}_n"] for status in STATUSES)
    drawn = recheck.drawn(forms, weight, round(p["recheck_n"] * len(truth) / full), rng)
    seen = rng.random(len(drawn)) < p["recheck_seen_share"]
    drawn = drawn.assign(outcome=np.where(seen, "answered", "refused").astype(object))
    found = truth.loc[drawn.index[seen], SEEN].reindex(drawn.index)
    return pd.concat([drawn, found], axis=1).reset_index(drop=True)

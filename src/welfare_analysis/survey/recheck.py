"""A recheck: a random few of those who answered show papers, have rooms counted and the way to work timed.

Its file is like that of a follow-up: a row a person drawn, with the stratum, how many of those who answered are in it,
the outcome, and under the names of the questions what was found; a question that nobody looked into stays blank.
People who are asked again say the same again; what is seen corrects what they said (`estimation.double_sampling`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ..errors import WelfareError
from ..estimation import Design
from .weighting import merged

OF_THE_DRAW = ("person_id", "stratum", "stratum_population", "outcome", "mode", "date")
PART = 0.1  # of those who answered: of a status of as many some must be seen
LEAST = 5  # found of a stratum; of fewer it is put together with the others like it
FORM, LATE = "form", "follow-up"  # how those drawn had answered


class Checked(NamedTuple):
    """Those seen: their design, their answers with what was found in their place, and the questions looked into."""

    design: Design
    frame: pd.DataFrame
    asked: list[str]


def checked(frame: pd.DataFrame, design: Design, recheck: pd.DataFrame) -> Checked | None:
    """The persons seen, their design a phase after ``design``.

    None where nobody showed anything.

    Parameters
    ----------
    frame : DataFrame (n rows)
        Those who answered, with person_id.
    design : Design
        Theirs.
    recheck : DataFrame
        Of `read_followup`: the persons drawn.

    Raises
    ------
    WelfareError
        Persons who gave no answer; strata that are not all who answered; a status of which too few were seen; replicate
        weights, of which no phase is known.
    """
    if design.ready is not None:
        hint = "Give strata and clusters in place of replicate weights."
        raise WelfareError("a recheck cannot be joined to replicate weights", where="RECHECK", hint=hint)
    places = pd.Series(np.arange(len(frame)), frame["person_id"].astype(object).to_numpy())
    rows = places[~places.index.duplicated()].reindex(recheck["person_id"].astype(object)).fillna(-1).to_numpy(int)
    if (rows < 0).any():
        hint = "It is drawn from those who answered: name the FOLLOWUP in which some did, or write keys as SURVEY does."
        got = int((rows < 0).sum())
        raise WelfareError("persons gave no answer that counts", where="RECHECK", got=got, expected="none", hint=hint)
    sizes = recheck.groupby(recheck["stratum"].astype(str))["stratum_population"].first()
    if round(sizes.sum()) != len(frame):
        hint = (
            "stratum_population counts those of the stratum who answered, by the form or in the follow-up: draw again."
        )
        where, expected = "RECHECK, stratum_population", f"{len(frame)} in all, as many as answered"
        what = "the strata are not all who answered"
        raise WelfareError(what, where=where, got=f"{sizes.sum():.0f}", expected=expected, hint=hint)
    seen = (recheck["outcome"] == "answered").to_numpy()
    if not seen.any():
        return None
    _of_all(frame, rows[seen])
    stratum = recheck["stratum"].astype(str).reset_index(drop=True)
    coarse = stratum.str.split("|").str[0]
    own = merged(stratum, coarse, seen, LEAST)
    size = sizes.groupby(own.groupby(stratum).first()).sum()
    index = design.index[rows[seen]]
    own = own[seen].set_axis(index)
    whole = own.map(size).astype(float)
    found = frame.iloc[rows[seen]].set_axis(index)
    looked_at = recheck.columns[recheck[seen].notna().any()]
    asked = [name for name in looked_at if name in frame and name not in OF_THE_DRAW]
    found = found.assign(**{name: recheck.loc[seen, name].set_axis(index) for name in asked})
    return Checked(Design(whole / own.groupby(own).transform("size"), strata=own, fpc=whole), found, asked)


def _of_all(frame: pd.DataFrame, rows: np.ndarray) -> None:
    """Refuse a recheck of a part: what some found would be carried over to a status of which too few were seen."""
    if "status" not in frame:
        return
    every, some = (frame["status"].iloc[at].astype(str).value_counts() for at in (slice(None), rows))
    few = [code for code, n in every.items() if n > PART * len(frame) and some.get(code, 0) < LEAST]
    if few:
        expected, hint = f"{LEAST} of each status seen", "Visit some of them too, or leave the recheck out."
        what = "nearly nobody of a status showed papers"
        raise WelfareError(what, where="RECHECK", got=", ".join(few), expected=expected, hint=hint)


def of_those_left(recheck: pd.DataFrame, before: pd.Series, after: pd.Series) -> pd.DataFrame:
    """The persons drawn of whom a form counts, and strata as large in proportion, where forms in doubt are left out."""
    gone = ~recheck["person_id"].isin(after) & recheck["person_id"].isin(before)
    size = recheck["stratum_population"] * (len(after) / max(len(before), 1))
    return recheck.assign(stratum_population=size)[~gone].reset_index(drop=True)


def strata(frame: pd.DataFrame) -> pd.Series:
    """Strata to draw a recheck from: how each answered, and whether there is a loan, on which most papers bear."""
    late = frame["outcome"].eq("answered") if "outcome" in frame else pd.Series(False, frame.index)
    loan = frame["has_loan"].eq("yes") if "has_loan" in frame else pd.Series(False, frame.index)
    way = pd.Series(np.where(late, LATE, FORM), frame.index)
    return (way + np.where(loan, "|loan", "|none")).rename("stratum")


def needed(half_width: float, wrong: float) -> int:
    r"""How many to see: :math:`n = \varepsilon (1 - \varepsilon) (z / h)^2` for a half width h of the 95 % interval.

    ``wrong`` is the part of all whose papers say another thing than they did, or fill a gap. Under a third, it bounds
    the variance that what was said does not explain, :math:`\sum_c W_c\, p_c (1 - p_c)`, which the interval has
    besides that of the sample itself (Tenenbein 1970).
    """
    return int(np.ceil(wrong * (1 - wrong) * (ndtri(0.975) / half_width) ** 2))


def drawn(frame: pd.DataFrame, weights: np.ndarray, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """About n persons of those who answered, simply at random within `strata`: a row each, without outcome.

    A stratum gets its part of the weights, those with a loan twice as much, and `LEAST` or all of it at least: where
    few stand for many, more are seen.
    """
    stratum = strata(frame)
    part = pd.Series(weights, frame.index) * np.where(stratum.str.endswith("loan"), 2.0, 1.0)
    counts, share = stratum.value_counts().sort_index(), part.groupby(stratum).sum().sort_index() / part.sum()
    size = np.minimum(counts, np.maximum(LEAST, (n * share).round())).astype(int)
    ordered = frame[["person_id"]].assign(stratum=stratum, stratum_population=stratum.map(counts))
    ordered = ordered.sort_values("person_id", kind="stable")
    place = pd.Series(rng.random(len(ordered)), ordered.index).groupby(ordered["stratum"]).rank(method="first")
    return ordered[place <= ordered["stratum"].map(size)].sort_values(["stratum", "person_id"])

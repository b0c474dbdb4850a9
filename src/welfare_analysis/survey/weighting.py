"""Whom the answers stand for: Hansen-Hurwitz weights with a follow-up, then calibration to the register.

Those who returned the form stand for themselves. A random sample of the others is followed up and stands for them
(Hansen and Hurwitz 1946); its own nonresponse is re-weighted within classes (Oh and Scheuren 1983). The result is a
two-phase design, calibrated to the register by raking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..estimation import Design

SMALLEST_CLASS = 10  # respondents; smaller response classes and margins are merged into their status
RETURNED = "returned"


@dataclass(frozen=True, eq=False)
class Weighted:
    """Answers with the design that they were given by; ``method`` names the estimator used."""

    frame: pd.DataFrame
    design: Design
    method: str


def weight(
    answers: pd.DataFrame, register: pd.DataFrame | None = None, followup: pd.DataFrame | None = None
) -> Weighted:
    """Weight returned forms, with a follow-up and a register where there are any.

    Parameters
    ----------
    answers : DataFrame
        One row a returned form.
    register : DataFrame, optional
        One row a person of the frame: person_id, status, and the groups rank_group, command_group, age_group, sex.
    followup : DataFrame, optional
        One row a selected non-returner: person_id, stratum, stratum_population, outcome, and the answers.

    Returns
    -------
    Weighted
        method is ``two_phase``, ``returners`` (a register, no follow-up) or ``respondents`` (weights of one).

    Raises
    ------
    WelfareError
        A single answer; answers without keys beside a register; persons that the register lacks; a status of the
        register of which nobody answered; a follow-up of persons who returned the form.
    """
    if len(answers) < 2:
        raise WelfareError("one answer has no sampling error", where="answers", got=len(answers), expected="at least 2")
    if register is None:
        return Weighted(answers, Design(pd.Series(1.0, index=answers.index)), "respondents")
    people = register.set_index("person_id")
    for name, frame in (("answers", answers), ("follow-up", followup)):
        if frame is not None and "person_id" not in frame:
            raise WelfareError(
                "the keys that join it to the register are not there",
                where=name,
                expected="a column person_id in both files",
                hint="Without keys leave REGISTER out: the pages then speak of respondents only.",
            )
        unknown = 0 if frame is None else int((people.index.get_indexer(frame["person_id"]) < 0).sum())
        if unknown:
            raise WelfareError(
                "persons are not in the register",
                where=name,
                got=unknown,
                expected="0 rows",
                hint="Check that both files use the same identifiers.",
            )
    _somebody_answered(answers, followup, people)
    if followup is None:
        frame, design = _returners(answers, people)
        return Weighted(frame, _calibrated(design, frame, people), "returners")
    if not pd.Index(followup["person_id"]).intersection(answers["person_id"]).empty:
        raise WelfareError("persons who returned the form were followed up", where="follow-up", expected="none of them")
    frame, design = _two_phase(answers, followup, people)
    return Weighted(frame, _calibrated(design, frame, people), "two_phase")


def _somebody_answered(answers: pd.DataFrame, followup: pd.DataFrame | None, people: pd.DataFrame) -> None:
    """Refuse a register with a status of which nobody answered: no weight can stand for them."""
    keys = answers["person_id"]
    if followup is not None:
        keys = pd.concat([keys, followup.loc[followup["outcome"] == "answered", "person_id"]])
    told = people["status"].iloc[people.index.get_indexer(keys)].astype(str)
    silent = sorted(set(people["status"].astype(str)) - set(told))
    if silent:
        raise WelfareError(
            "nobody of a status answered",
            where="answers",
            got=", ".join(silent),
            expected="answers of every status of the register",
            hint="Take these persons out of the register: the pages then speak of the others.",
        )


def _two_phase(answers: pd.DataFrame, followup: pd.DataFrame, people: pd.DataFrame) -> tuple[pd.DataFrame, Design]:
    selected = pd.concat([answers.assign(outcome=RETURNED), followup], ignore_index=True)
    returned = (selected["outcome"] == RETURNED).to_numpy()
    stratum = selected["stratum"].astype(object).where(~returned, RETURNED).astype(str)
    size = selected["stratum_population"].astype(float).where(~returned, returned.sum())
    drawn = stratum.groupby(stratum).transform("size")
    alone = (drawn == 1) & (size > 1)
    if alone.any():
        raise WelfareError(
            "strata of the follow-up have a single person of several",
            where="follow-up",
            got=int(alone.sum()),
            expected="two persons a stratum, or all of it",
            hint="Put such a stratum together with one that is alike, and add up stratum_population.",
        )
    phase1 = Design(size / drawn, strata=stratum, fpc=size)
    seen = returned | (selected["outcome"] == "answered").to_numpy()
    status = pd.Series(people["status"].reindex(selected["person_id"]).astype(str).to_numpy())
    classes = merged(stratum, status.where(~returned, RETURNED), seen)
    phase2 = _response(classes, seen)
    return selected[seen], Design.two_phase(phase1, phase2)


def _returners(answers: pd.DataFrame, people: pd.DataFrame) -> tuple[pd.DataFrame, Design]:
    ordered = people.reset_index()
    seen = np.zeros(len(people), dtype=bool)
    seen[people.index.get_indexer(answers["person_id"])] = True
    everybody = pd.Series(1.0, index=ordered["person_id"])
    phase1 = Design(everybody, fpc=everybody * len(ordered))
    fine = ordered["status"].astype(str).str.cat(ordered[["rank_group", "command_group"]].astype(str), sep="|")
    classes = merged(fine, ordered["status"].astype(str), seen).set_axis(ordered["person_id"])
    phase2 = _response(classes, seen)
    frame = answers.set_index("person_id").loc[phase2.index].reset_index()
    return frame, Design.two_phase(phase1, phase2)


def _response(classes: pd.Series, seen: np.ndarray) -> Design:
    """Response as a simple random sample within classes, given their counts."""
    everybody = classes.groupby(classes).transform("size")[seen].astype(float)
    inside = classes[seen]
    return Design(everybody / inside.groupby(inside).transform("size"), strata=inside, fpc=everybody)


def merged(fine: pd.Series, coarse: pd.Series, seen: np.ndarray, least: int = SMALLEST_CLASS) -> pd.Series:
    """Labels of ``fine``; its classes with fewer than ``least`` ``seen`` are merged within ``coarse``."""
    fine, coarse = fine.reset_index(drop=True).astype(str), coarse.reset_index(drop=True).astype(str)
    answered = pd.Series(seen).astype(int)
    kept = answered.groupby(fine).transform("sum") >= least
    others = (answered * ~kept).groupby(coarse).transform("sum")  # those who answered in what is merged
    whole = (~kept).groupby(coarse).transform("any") & (others < least)
    return fine.where(kept, "other " + coarse).where(~whole, coarse)


def _calibrated(design: Design, frame: pd.DataFrame, people: pd.DataFrame) -> Design:
    """Rake to the register: status by rank group, status by age group, command group, sex."""
    crossed = pd.DataFrame(
        {
            "status_rank": people["status"].astype(str) + "|" + people["rank_group"].astype(str),
            "status_age": people["status"].astype(str) + "|" + people["age_group"].astype(str),
            "command_group": people["command_group"].astype(str),
            "sex": people["sex"].astype(str),
        },
        index=people.index,
    )
    rows = people.index.get_indexer(frame["person_id"])
    seen = np.zeros(len(people), dtype=bool)
    seen[rows] = True
    status = pd.Series(people["status"].astype(str).to_numpy())
    everybody = pd.Series("all", index=status.index)
    for name in crossed:
        crossed[name] = merged(crossed[name], status if name.startswith("status") else everybody, seen).to_numpy()
    margins = {name: crossed[name].value_counts().sort_index().to_dict() for name in crossed}
    return design.calibrate(margins, crossed.iloc[rows].reset_index(drop=True), method="raking")

"""Weights for returned forms: Hansen-Hurwitz with the follow-up, response classes, calibration to the register.

Those who returned the form stand for themselves; the follow-up, a stratified random part of the others, stands for them
(Hansen and Hurwitz 1946; Särndal, Swensson and Wretman 1992, section 15.4). Its own nonresponse is taken as random
within classes of the follow-up's strata and age: raking to ages would raise those who returned a form too. Without a
follow-up, response of everybody is taken as random within classes of the register: what that costs is shown by
`nonresponse` and by the simulations, and is never known from the answers alone. Last, the weights are raked to the
register, to its persons or to its margins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..estimation import Design
from .reading import DESIGN, REPLICATES, Margins, design_columns
from .reading.spelling import key_form

SMALLEST_CLASS = 10  # respondents; smaller response classes and margins are merged into their status
RETURNED = "returned"
MODES = ("form", "visit")  # of forms that came back and of the follow-up, where files do not say it
RELATIVE = 1.005  # weights of a smaller mean were divided by theirs: they count no persons
BAND_EDGES = [0, 0.9, 1.1, 2, 5, 10, 15, 20, 30, np.inf]
BANDS = ("to_0_9", "to_1_1", "to_2", "to_5", "to_10", "to_15", "to_20", "to_30", "over_30")
ALONE = "Say OMIT=unanswered to leave such persons of the register out: the pages then speak of the others."
LESS = "Take such persons out of each margin of the register: the pages then speak of the others."
FOR_AN_ERROR = 2  # answers without which a status has no sampling error
RAKED_TO = ("status|rank_group", "status|age_group", "command_group", "sex")


@dataclass(frozen=True)
class Choices:
    """What is chosen in weighting and could be chosen otherwise.

    Response classes of the follow-up's strata by age or of the strata alone, the fewest respondents of a class, the
    margins of the register, and how weights reach them (`Design.calibrate`).
    """

    by_age: bool = True
    smallest: int = SMALLEST_CLASS
    margins: tuple[str, ...] = RAKED_TO
    method: str = "raking"


@dataclass(frozen=True, eq=False)
class Weighted:
    """Answers with the design that they were given by.

    ``method`` names the estimator used; ``margins`` are the counts that the weights reach (each indexed by category),
    ``classes`` each row's category in them.
    """

    frame: pd.DataFrame
    design: Design
    method: str
    margins: Margins
    classes: pd.DataFrame


def weight(
    answers: pd.DataFrame,
    register: pd.DataFrame | Margins | None = None,
    followup: pd.DataFrame | None = None,
    choices: Choices = Choices(),
) -> Weighted:
    """Weight returned forms, with a follow-up and a register where there are any.

    Parameters
    ----------
    answers : DataFrame
        One row a returned form.
    register : DataFrame or margins, optional
        One row a person of the frame: person_id, status, and the groups rank_group, command_group, age_group, sex. Or
        counts of such groups (`reading.margins`): the groups are then those that the forms tell.
    followup : DataFrame, optional
        One row a selected non-returner: person_id, stratum, stratum_population, outcome, and the answers.
    choices : Choices, optional
        Of weighting by a follow-up and a register of persons.

    Returns
    -------
    Weighted
        method is ``two_phase``, ``returners`` (a register, no follow-up), ``margins``, ``weights`` (of one's own),
        ``relative`` (those too, but they count no persons) or ``respondents`` (weights of one).

    Raises
    ------
    WelfareError
        A single answer; answers without keys beside a register; persons that the register lacks; a status of the
        register of which nobody answered; a follow-up of persons who returned the form, or beside margins.
    """
    if len(answers) < 2:
        raise WelfareError("one answer has no sampling error", where="answers", got=len(answers), expected="at least 2")
    answers, own = _own_design(answers)
    if own is not None and followup is not None:
        what = "answers have sampling weights of their own, and there is a follow-up"
        hint = "Leave FOLLOWUP out and weight for nonresponse in the file, or remove the weights."
        raise WelfareError(what, where="answers", got="weight", hint=hint)
    if register is None:
        alone = "respondents" if own is None else "relative" if own.weights.mean() < RELATIVE else "weights"
        design = Design(pd.Series(1.0, index=answers.index)) if own is None else own
        return Weighted(answers, design, alone, {}, pd.DataFrame(index=answers.index))
    if not isinstance(register, pd.DataFrame):
        if followup is not None:
            what = "a follow-up is drawn from persons, and the register is a table of counts"
            raise WelfareError(what, where="REGISTER", hint="Name the list of persons that it was drawn from.")
        return _to_margins(answers, register, own)
    people = register.set_index("person_id")
    for name, frame in (("answers", answers), ("follow-up", followup)):
        in_register(name, frame, people.index)
    answered = people["status"].reindex(answering(answers, followup))
    _no_silent(set(people["status"].astype(str)) - set(answered.astype(str)))
    if followup is None:
        frame, design = _returners(answers, people) if own is None else (answers, own)
        return _calibrated(frame, design, people, "returners")
    if not pd.Index(followup["person_id"]).intersection(answers["person_id"]).empty:
        raise WelfareError("persons who returned the form were followed up", where="follow-up", expected="none of them")
    if {"date"} <= set(answers) & set(followup) and (early := followup["date"] < answers["date"].max()).any():
        what, expected = "visits were made before the last form came back", "days from then on"
        hint = "Correct the day, or move forms that came after the first visit to the follow-up."
        raise WelfareError(what, where="follow-up, date", got=int(early.sum()), expected=expected, hint=hint)
    frame, design = _two_phase(answers, followup, people, choices)
    return _calibrated(frame, design, people, "two_phase", choices)


def unanswered(answers: pd.DataFrame, people: pd.DataFrame, followup: pd.DataFrame | None) -> list[str]:
    """Statuses of the register of which fewer than two answered, or fewer than two of those followed up."""
    theirs = people.set_index("person_id")["status"].astype(str)
    enough = [theirs.reindex(keys).value_counts() >= FOR_AN_ERROR for keys in _answered(answers, followup)]
    return sorted(set(theirs) - set.intersection(*(set(part.index[part]) for part in enough)))


def in_register(name: str, frame: pd.DataFrame | None, keys: pd.Index) -> None:
    """Refuse persons without a key, or whom the register lacks; ``name`` is that of their file."""
    if frame is not None and "person_id" not in frame:
        what = "the keys that join it to the register are not there"
        hint = "Without keys leave REGISTER out, or give it as margins."
        raise WelfareError(what, where=name, expected="a column person_id in both files", hint=hint)
    unknown = pd.Series(dtype=str)
    if frame is not None:  # as objects, since `isin` reads Arrow's texts one by one in Python
        unknown = frame.loc[~frame["person_id"].astype(object).isin(keys), "person_id"]
    if len(unknown):
        hint = "Check that both files use the same identifiers."
        if n := int(unknown.map(key_form).isin(keys.map(key_form)).sum()):
            hint = f"{n} of the keys are in the register but for case, blanks or zeros in front: write them as it does."
        raise WelfareError("persons are not in the register", where=name, got=len(unknown), expected="none", hint=hint)


def answering(answers: pd.DataFrame, followup: pd.DataFrame | None) -> pd.Series:
    """Keys of all who answered."""
    return pd.concat(_answered(answers, followup))


def _answered(answers: pd.DataFrame, followup: pd.DataFrame | None) -> list[pd.Series]:
    """Keys of those who answered: with a form, and in the follow-up."""
    late = [] if followup is None else [followup.loc[followup["outcome"] == "answered", "person_id"]]
    return [answers["person_id"], *late]


def _no_silent(statuses: set[str], hint: str = ALONE) -> None:
    """Refuse a register with statuses of which nobody answered: no weight can stand for them."""
    if statuses:
        got, expected = ", ".join(sorted(statuses)), "answers of every status of the register"
        raise WelfareError("nobody of a status answered", where="answers", got=got, expected=expected, hint=hint)


def first_phase(answers: pd.DataFrame, followup: pd.DataFrame) -> tuple[pd.DataFrame, Design]:
    """Everybody who returned a form or was selected after, with their outcome, and the design of the selection."""
    selected = pd.concat([answers.assign(outcome=RETURNED), followup], ignore_index=True)
    returned = (selected["outcome"] == RETURNED).to_numpy()
    usual = pd.Series(np.where(returned, *MODES), index=selected.index)
    selected["mode"] = selected["mode"].fillna(usual) if "mode" in selected else usual
    stratum = selected["stratum"].astype(object).where(~returned, RETURNED).astype(str)
    size = selected["stratum_population"].astype(float).where(~returned, returned.sum())
    drawn = stratum.groupby(stratum).transform("size")
    alone = (drawn == 1) & (size > 1)
    if alone.any():
        what = "strata of the follow-up have a single person of several"
        got = int(alone.sum())
        hint = "Put such a stratum together with one that is alike, and add up stratum_population."
        raise WelfareError(what, where="follow-up", got=got, expected="two persons a stratum, or all of it", hint=hint)
    return selected.assign(stratum=stratum), Design(size / drawn, strata=stratum, fpc=size)


def _two_phase(
    answers: pd.DataFrame, followup: pd.DataFrame, people: pd.DataFrame, choices: Choices
) -> tuple[pd.DataFrame, Design]:
    selected, phase1 = first_phase(answers, followup)
    returned = selected["outcome"] == RETURNED
    seen = (returned | (selected["outcome"] == "answered")).to_numpy()
    theirs = people[["status", "age_group"]].reindex(selected["person_id"]).astype(str).reset_index(drop=True)
    theirs[returned] = RETURNED
    fine = selected["stratum"]
    if choices.by_age:
        fine = merged(fine.str.cat(theirs["age_group"], sep="|"), fine, seen, choices.smallest)
    classes = merged(fine, theirs["status"], seen, choices.smallest)
    return selected[seen], Design.two_phase(phase1, _response(classes, seen))


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
    alone = (inside.groupby(inside).transform("size") == 1) & (everybody > 1)
    if alone.any():
        what = "one person alone stands for a class of several: no error can be estimated"
        got = ", ".join(sorted(set(inside[alone])))
        raise WelfareError(what, where="answers", got=got, expected="two answers of each status", hint=ALONE)
    return Design(everybody / inside.groupby(inside).transform("size"), strata=inside, fpc=everybody)


def merged(fine: pd.Series, coarse: pd.Series, seen: np.ndarray, least: int = SMALLEST_CLASS) -> pd.Series:
    """Labels of ``fine``; its classes with fewer than ``least`` ``seen`` are merged within ``coarse``."""
    fine, coarse = fine.reset_index(drop=True).astype(str), coarse.reset_index(drop=True).astype(str)
    answered = pd.Series(seen).astype(float)
    kept = answered.groupby(fine).transform("sum") >= least
    others = (answered * ~kept).groupby(coarse).transform("sum")  # those who answered in what is merged
    whole = (~kept).groupby(coarse).transform("any") & (others < least)
    return fine.where(kept, "other " + coarse).where(~whole, coarse)


def _calibrated(
    frame: pd.DataFrame, design: Design, people: pd.DataFrame, method: str, choices: Choices = Choices()
) -> Weighted:
    """Rake to the persons of the register: status by rank group, status by age group, command group, sex."""
    rows = people.index.get_indexer(frame["person_id"])
    groups = pd.DataFrame({name: crossed(people, name) for name in choices.margins}).reset_index(drop=True)
    counts = {name: groups[name].value_counts().sort_index() for name in choices.margins}
    return _raked(frame, design, counts, groups.iloc[rows].reset_index(drop=True), method, choices)


def _own_design(answers: pd.DataFrame) -> tuple[pd.DataFrame, Design | None]:
    """The answers, and the design of the columns that a file of one's own has for it (`reading.selection`), if any.

    Labels of ``psu`` tell units apart within their stratum only. Replicate weights stand in the place of both.
    """
    names = design_columns(answers)
    if "weight" not in names:
        return answers, None
    parts, rest = answers[list(names)], answers.drop(columns=list(names))
    ready = parts.drop(columns=list(DESIGN), errors="ignore")
    if ready.shape[1]:
        kinds = ready.columns.str.split("_").str[0].unique()
        if len(kinds) > 1:
            what = "replicate weights of several methods"
            raise WelfareError(what, where="answers", got=", ".join(kinds), expected="one method")
        return rest, Design.from_replicates(parts["weight"], ready, REPLICATES[kinds[0]])
    return rest, Design(parts["weight"], parts.get("stratum"), parts.get("psu"), parts.get("fpc"), nest=True)


def _to_margins(answers: pd.DataFrame, counts: Margins, own: Design | None) -> Weighted:
    """Rake to the margins of a register; without a design of one's own response is a simple random sample of it."""
    groups = pd.DataFrame(index=answers.index)
    for name in counts:
        absent = [part for part in name.split("|") if part not in answers]
        if absent:
            hint = "Leave this margin out of the register, or add the question to the answers."
            raise WelfareError("a margin is of what was not asked", where="REGISTER", got=absent, hint=hint)
        groups[name] = crossed(pd.DataFrame({p: _filled(answers, p) for p in name.split("|")}), name)
        if name.split("|")[0] == "status":
            _no_silent({c.split("|")[0] for c in counts[name].index} - set(answers["status"].astype(str)), LESS)
    if own is not None:
        return _raked(answers, own, counts, groups, "margins")
    size = float(next(iter(counts.values())).sum())
    if len(answers) > size:
        expected = f"at most {size:g}"
        raise WelfareError("more answers than persons", where="REGISTER", got=len(answers), expected=expected)
    everybody = pd.Series(size, index=answers.index)
    return _raked(answers, Design(everybody / len(answers), fpc=everybody), counts, groups, "margins")


def crossed(frame: pd.DataFrame, name: str) -> pd.Series:
    """Categories of one margin, ``status|sex``: the codes of each variable joined."""
    parts = name.split("|")
    which = frame.groupby(parts, observed=True, sort=False, dropna=False).ngroup()
    each = frame[parts].drop_duplicates().astype(str)
    return each.iloc[:, 0].str.cat(each.iloc[:, 1:], sep="|").iloc[which].set_axis(frame.index)


def _filled(answers: pd.DataFrame, name: str) -> pd.Series:
    """A column of groups in which a missing answer takes one of its status: every m-th of those given, in order."""
    column = answers[name].astype(object)
    if column.isna().all():
        raise WelfareError("a margin is of what nobody answered", where=name, hint="Leave it out of the register.")
    for _, rows in column.groupby(answers["status"].astype(str)).groups.items():
        part = column.loc[rows]
        given = np.sort(part.dropna().astype(str).to_numpy())
        given = given if len(given) else np.sort(column.dropna().astype(str).to_numpy())
        gaps = part.index[part.isna()]
        place = ((np.arange(len(gaps)) + 0.5) / max(len(gaps), 1) * len(given)).astype(int)
        column.loc[gaps] = given[place]
    return column


def _raked(
    frame: pd.DataFrame,
    design: Design,
    counts: Margins,
    groups: pd.DataFrame,
    method: str,
    choices: Choices = Choices(),
) -> Weighted:
    """Rake; categories with few respondents are first merged within their status, or with each other."""
    reached, classes = {}, pd.DataFrame(index=groups.index)
    for name, margin in counts.items():
        coarse = margin.index.to_series().str.split("|").str[0] if "|" in name else pd.Series("all", margin.index)
        counted = groups[name].value_counts().reindex(margin.index, fill_value=0)
        labels = merged(margin.index.to_series(), coarse, counted.to_numpy(), choices.smallest).set_axis(margin.index)
        classes[name] = groups[name].map(labels).fillna(groups[name])
        reached[name] = margin.groupby(labels).sum()
        lost = groups[name][~classes[name].isin(reached[name].index)].value_counts()
        if len(lost):
            what, got = "forms are of persons whom the register does not count", [f"{c} {n}" for c, n in lost.items()]
            hint = "Give the category its count in this margin, or correct the forms."
            raise WelfareError(what, where=f"REGISTER, {name}", got=", ".join(got), hint=hint)
    calibrated = design.calibrate({n: m.to_dict() for n, m in reached.items()}, classes, choices.method)
    return Weighted(frame, calibrated, method, reached, classes)


def household_share(frame: pd.DataFrame) -> pd.Series:
    """The share of its household that a form stands for: one over the members of the register in it.

    With it a household that several can answer for counts once in expectation (weight share: Lavallée 2007, Indirect
    Sampling, chapter 2). Where the number was not given it is the mean share of the others of the status.
    """
    share = 1 / frame["register_links_n"].astype(float)
    usual = share.groupby(frame["status"], observed=True).transform("mean")
    return share.fillna(usual).fillna(share.mean()).fillna(1.0)


def trimmed(design: Design, most: float) -> Design:
    """Weights of at most ``most``, the rest spread over all in proportion; margins are then missed, and bias may come.

    The variance is that of the calibration residuals at the new weights.
    """
    cut = np.minimum(design.weights, most)
    return design.reweighted(cut * design.weights.sum() / cut.sum(), design.residuals)


def weight_bands(design: Design) -> pd.DataFrame:
    """The size class (weight_band) of each weight before and after calibration (stage): two rows an answer."""
    first = design.weights if design.residuals is None else design.residuals.weights
    bands = pd.cut(np.r_[first, design.weights], BAND_EDGES, right=False, labels=list(BANDS), ordered=False)
    return pd.DataFrame({"weight_band": bands, "stage": np.repeat(["before", "after"], design.n)})

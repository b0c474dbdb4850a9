r"""Who answered, and how wrong the answers of those who did could be.

A form that is returned by a deadline is returned by some more than by others. The follow-up of a random few of the
silent ones measures by how much: what the returned forms alone would say, less the estimate from both, is the
nonresponse bias. What nobody knows is how those differ who kept silent in the follow-up too: a pattern-mixture model
gives them odds :math:`\delta` times those of the followed-up who answered (Little 1993, J. Am. Stat. Assoc. 88, 125;
Andridge and Little 2011), over a range of :math:`\delta` that is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..estimation import Design, Estimate
from .sensitivity import Share, never_answered
from .weighting import RETURNED, first_phase

SILENT = "not_selected"  # returned nothing, and was not selected for the follow-up
DISPOSITIONS = (RETURNED, "answered", "refused", "not_reached", SILENT)
ODDS = (0.5, 2.0)  # an assumption: from half to twice the odds of those of the follow-up who answered


@dataclass(frozen=True, eq=False)
class Collection:
    """The persons of whom the collection tells something: those who returned a form, and those selected after.

    ``frame`` has their groups in the register and booleans returned, responded, refused, unreached; ``design`` is that
    of the selection, so that a mean of responded is the response rate weighted for the subsampling. ``register`` has
    everybody, with their disposition and whether a form came back, which is known of all.
    """

    frame: pd.DataFrame
    design: Design
    register: pd.DataFrame

    @property
    def census(self) -> Design:
        """The design of the register: everybody, so without error."""
        n = len(self.register)
        return Design(np.ones(n), fpc=np.full(n, float(n)))


def collection(register: pd.DataFrame, answers: pd.DataFrame, followup: pd.DataFrame | None) -> Collection:
    """Dispositions of the collection; without a follow-up those who returned nothing are silent.

    In the terms of the American Association for Public Opinion Research (Standard Definitions, 2016, for a mail survey
    of named persons): a form with answers is an interview (I), a refusal R, a person not reached NC; everybody of the
    register is eligible. The mean of ``responded`` is RR1, I / (I + R + NC), weighted for the selection.
    """
    people = register.set_index("person_id")
    back = register["person_id"].astype(object).isin(answers["person_id"])
    if followup is None:
        outcome = pd.Series(np.where(back, RETURNED, SILENT), index=people.index)
        design = Design(np.ones(len(people)), fpc=np.full(len(people), float(len(people))))
    else:
        selected, design = first_phase(answers, followup)
        outcome = selected.set_index("person_id")["outcome"].astype(str)
    frame = people.loc[outcome.index].reset_index()
    disposition = outcome.reindex(people.index).fillna(SILENT).astype(pd.CategoricalDtype(DISPOSITIONS))
    everybody = register.assign(returned=back, disposition=disposition.to_numpy())
    outcomes = outcome.reset_index(drop=True)
    marks = {"returned": [RETURNED], "responded": [RETURNED, "answered"], "refused": ["refused"]}
    frame = frame.assign(**{name: outcomes.isin(codes) for name, codes in marks.items()})
    return Collection(frame.assign(unreached=~frame["responded"] & ~frame["refused"]), design, everybody)


def without_followup(estimate: Estimate, returners: pd.Series) -> Estimate:
    """The nonresponse bias: what the returned forms alone say, less the estimate from both.

    Given who returned, the first has no sampling error: the follow-up alone is a sample.
    """
    return estimate.apply(lambda value: returners.reindex(value.index) - value)


def pattern_mixture(
    design: Design, y: pd.Series, followed: pd.Series, answered_share: Share, odds: float, where: Any = None
) -> Estimate:
    r"""A share if the silent of the follow-up have ``odds`` times the odds of those who answered in it.

    .. math:: p(\delta) = (1 - W) p_R + W \{ r p_F + (1 - r) \delta p_F / (1 - p_F + \delta p_F) \}

    with W the part of the population that did not return a form, :math:`p_R` and :math:`p_F` the shares among those
    who did and who did not, r the part of the follow-up that answered.

    Parameters
    ----------
    design : Design
        Of the answers, n rows.
    y : boolean Series (n,)
        The condition; missing where it is not known.
    followed : boolean Series (n,)
        Whether the answer comes from the follow-up.
    answered_share : float or Estimate
        r, weighted for the selection; see `sensitivity.never_answered`.
    odds : float
        The sensitivity parameter, positive; 1 gives the share itself.

    Raises
    ------
    WelfareError
        Odds that are not positive, a share outside 0 to 1, no known answer of the follow-up.
    """
    if not odds > 0:
        raise WelfareError("the band cannot be computed", where="odds", got=odds, expected="a positive number")

    def mixed(value: pd.Series) -> float:
        whole, late, unreached = value
        return whole + unreached * (odds * late / (1 - late + odds * late) - late)

    return never_answered(design, y, followed, answered_share, where=where).apply(mixed)

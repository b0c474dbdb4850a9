r"""Whom to ask, and whom to follow up: how many in each stratum for a wished precision, and which persons.

A share in a reporting group g is estimated from the forms returned and from a part of the others, drawn at random in
strata h (Hansen and Hurwitz 1946, J. Am. Stat. Assoc. 41, 517). With :math:`M_h` persons who returned nothing,
:math:`M_{hg}` of them in g, and :math:`r_h` answers, its variance is

.. math:: V_g = N_g^{-2} S^2 \sum_h M_{hg} (M_h / r_h - 1)

where :math:`S^2 = p(1 - p)` is 1/4 at most. The cheapest answers that reach :math:`V_g` at a cost :math:`c_h` each are

.. math:: r_h = \sqrt{M_{hg} M_h / c_h} \sum_k \sqrt{M_{kg} M_k c_k} / (N_g^2 V_g / S^2 + \sum_k M_{kg})

(Cochran 1977, Sampling Techniques, section 5.5). A stratum takes what the most demanding of its groups needs, so that
every group reaches the wish. Where the collection has not begun, the number to ask is that of section 13.6 there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ..errors import WelfareError, unknown
from .weighting import merged

GROUPS = ("status", "rank_group", "command_group")
LEAST = 10  # visits in a stratum, or all of it: a response class needs as many
VARIANCE = 0.25  # of a condition that half of the persons meet: the largest


@dataclass(frozen=True)
class Wish:
    """What is wished, and what is assumed of costs and answers.

    Attributes
    ----------
    half_width : float
        Of the 95 % interval of a share in each reporting group.
    form_dh, visit_dh : float
        Cost of a form that is sent, and of a visit.
    visit_dh_in : mapping
        Cost of a visit in some groups, by status or group of commands.
    return_rate, answer_rate : float
        Part of the forms that will be returned, where it is not known yet, and of the visits that end in answers.
    """

    half_width: float = 0.05
    form_dh: float = 3.0
    visit_dh: float = 60.0
    visit_dh_in: Mapping[str, float] = field(default_factory=dict)
    return_rate: float = 0.45
    answer_rate: float = 0.65

    def __post_init__(self) -> None:
        """Refuse what no plan can be made of."""
        for name in ("half_width", "return_rate", "answer_rate"):
            if not 0 < getattr(self, name) <= 1:
                got, expected = f"{100 * getattr(self, name):g}", "above 0 and at most 100 (per cent or points)"
                raise WelfareError("no plan can be made", where=name.upper(), got=got, expected=expected)
        for cost in (self.form_dh, self.visit_dh, *self.visit_dh_in.values()):
            if not 0 < cost < np.inf:
                raise WelfareError("no plan can be made", where="COST", got=cost, expected="costs above 0")


def plan(people: pd.DataFrame, returned: pd.Series | None, wish: Wish) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """Visits by stratum, what they give in each reporting group, and the stratum of each person.

    Parameters
    ----------
    people : DataFrame (n,)
        The register: status, rank_group, command_group.
    returned : boolean Series (n,) or None
        Who returned a form; None before the collection, when ``return_rate`` is taken for all.
    wish : Wish
        Precision, costs and rates.

    Returns
    -------
    strata : DataFrame
        population, nonrespondents (who returned nothing), visit_dh, visits, probability.
    groups : DataFrame
        population, nonrespondents, half_width (expected), and ask: how many to send a form to if the group were a study
        of its own, with one in ``k`` of those who do not return it visited; the whole group is a census.

    Raises
    ------
    WelfareError
        A cost of a group that nobody is in.
    """
    places = {str(code) for name in ("status", "command_group") for code in people[name].unique()}
    for group in set(wish.visit_dh_in) - places:
        raise unknown("no such group", group, places, ", ".join(sorted(places)), where="COST")
    nonrespondents = pd.Series(1 - wish.return_rate, people.index) if returned is None else (~returned).astype(float)
    fine = people[list(GROUPS)].astype(str).agg("|".join, axis=1)
    coarse = people[["status", "command_group"]].astype(str).agg("|".join, axis=1)
    stratum = merged(fine, coarse, nonrespondents.to_numpy(), LEAST).set_axis(people.index).rename("stratum")
    counts = {"population": stratum.value_counts(), "nonrespondents": nonrespondents.groupby(stratum).sum()}
    strata = pd.DataFrame(counts).sort_index()
    dear = people[["status", "command_group"]].apply(lambda column: column.astype(str).map(dict(wish.visit_dh_in)))
    strata["visit_dh"] = dear.max(axis=1).fillna(wish.visit_dh).groupby(stratum).mean()
    labels = pd.concat([people[name].astype(str) for name in GROUPS], keys=GROUPS, names=["variable", "row"])
    long = labels.rename("group").reset_index().merge(stratum.rename_axis("row").reset_index())
    long["nonrespondents"] = nonrespondents.loc[long["row"]].to_numpy()
    cells = long.pivot_table("nonrespondents", "stratum", ["variable", "group"], "sum", fill_value=0.0, observed=True)
    groups = long.groupby(["variable", "group"])["nonrespondents"].agg(population="size", nonrespondents="sum")
    variance = (wish.half_width / ndtri(0.975)) ** 2
    most = wish.answer_rate * strata["nonrespondents"].to_numpy()
    room = variance * groups["population"] ** 2 / VARIANCE
    need = [_answers(cells[group].to_numpy(), strata, room[group], most) for group in cells]
    visits = np.maximum(np.ceil(np.max(need, axis=0) / wish.answer_rate - 1e-9), LEAST)
    strata["visits"] = np.minimum(visits, np.floor(strata["nonrespondents"]))
    strata["probability"] = strata["visits"] / strata["nonrespondents"].where(strata["nonrespondents"] > 0)
    rest = strata["nonrespondents"] / (wish.answer_rate * strata["visits"]).where(strata["visits"] > 0) - 1
    spread = cells.mul(rest.fillna(0.0), axis=0).sum().reindex(groups.index) * VARIANCE / groups["population"] ** 2
    groups["half_width"] = ndtri(0.975) * np.sqrt(spread)
    groups["ask"], groups["k"] = _asked(groups["population"], variance, wish)
    return strata, groups, stratum


def _answers(cell: np.ndarray, strata: pd.DataFrame, room: float, most: np.ndarray) -> np.ndarray:
    """The cheapest answers by stratum that a group needs; no stratum gives more than all its visits would."""
    nonrespondents, root_cost = strata["nonrespondents"].to_numpy(), np.sqrt(strata["visit_dh"].to_numpy())
    answers, free, root = np.zeros(len(cell)), cell > 0, np.sqrt(cell * nonrespondents)
    while free.any():
        full = (cell > 0) & ~free
        left = room + cell[free].sum() - (cell[full] * (nonrespondents[full] / most[full] - 1)).sum()
        wanted = root / root_cost * (root * root_cost)[free].sum() / left if left > 0 else np.full(len(cell), np.inf)
        over = free & (wanted > most)
        answers = np.where(free, np.minimum(wanted, most), answers)
        if not over.any():
            break
        free &= ~over
    return answers


def _asked(population: pd.Series, variance: float, wish: Wish) -> tuple[pd.Series, float]:
    """How many of a group to ask, and one in how many to visit, at the least cost (Cochran 1977, section 13.6)."""
    k = max(1.0, float(np.sqrt(wish.visit_dh / wish.answer_rate * wish.return_rate / wish.form_dh)))
    inflation = 1 + (k - 1) * (1 - wish.return_rate)
    n = population * VARIANCE * inflation / (population * variance + VARIANCE)
    return np.ceil(n).clip(upper=population).astype(int), k


def drawn(people: pd.DataFrame, strata: pd.DataFrame, stratum: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    """Persons to visit, simply at random within strata: person_id, stratum, stratum_population, probability.

    ``people`` are those who returned nothing. The order of the register does not matter.
    """
    selected = people.assign(stratum=stratum.loc[people.index]).sort_values("person_id", ignore_index=True)
    place = pd.Series(rng.random(len(selected))).groupby(selected["stratum"]).rank(method="first")
    own = strata.loc[selected["stratum"], ["nonrespondents", "visits", "probability"]].reset_index(drop=True)
    sizes = {"stratum_population": own["nonrespondents"].astype(int), "probability": own["probability"]}
    return selected.assign(**sizes)[place <= own["visits"]].sort_values(["stratum", "person_id"], ignore_index=True)

"""How the newer answers on a form differ from the truth: habits, errors, contradictions, copies and overstatement."""

from __future__ import annotations

import numpy as np
import pandas as pd

from . import cards
from .answers import gaps, heaped
from .chance import noise
from .draws import added
from .parameters import Parameters

GATES = ["status", "tenure", "has_loan", "wants_home", "marital_status", "module", "children_n", "command"]


def questionnaire(
    f: pd.DataFrame, p: Parameters, rng: np.random.Generator, names: list[str], version: str, strategic: np.ndarray
) -> pd.DataFrame:
    """The questions `names` as forms give them: the truth (plain), with errors (rich), overstated as well (strategic).

    Order: overstatement, error and heaping of amounts, yes-saying and straight lines, contradictions, partial rankings,
    copies of another form, gaps.
    """
    if version == "plain":
        return f[names]
    money = [name for name in names if name.endswith("_dh")]
    said = added(f, **cards.choose(f, p, rng, version, strategic))
    if version == "strategic":
        said = _overstated(said, p, strategic)
    # to 10 DH, so that no amount looks like one of the codes 98 and 99
    said = added(said, **{n: (said[n] * noise(rng, len(f), p["amount_error_log_sd"])).round(-1) for n in money})
    said = added(said, **heaped(said, p, rng, money))
    for step in (_habits, _contradictions, _partial_rankings, _copies):
        said = step(said, p, rng, names)
    bounds = p.codebook.variables.loc[names, ["low", "high"]].apply(pd.to_numeric)
    numbers = bounds.dropna().index
    said = added(said, **{name: said[name].clip(*bounds.loc[name]).round(1) for name in numbers})
    printed = {"module", *(f"{block}_version" for block in cards.BLOCKS)}
    return gaps(said, p, rng, money, [n for n in names if n not in money and n not in printed])[names]


def _overstated(f: pd.DataFrame, p: Parameters, who: np.ndarray) -> pd.DataFrame:
    """Intentions and amounts: the strategic want a loan, a larger one, a home this year, and all that is offered."""
    wishes = [n for n in f if str(n).startswith(("transport_wish", "education_wish", "sport_wish", "promotion"))]
    said = dict.fromkeys(wishes, "yes") | {"wants_loan": "yes", "home_horizon": "under_1"}
    # what those say who would not have wanted a home or a loan
    blank = {"home_kind": "social_flat", "home_tenure": "own", "loan_purpose": "home", "loan_product": "either"}
    answers = {name: f[name].where(~who, code) for name, code in said.items()}
    answers |= {name: f[name].where(~who | f[name].notna(), code) for name, code in blank.items()}
    more = np.where(who, p["strategic_amount_factor"], 1.0)
    answers |= {name: f[name] * more for name in ("loan_amount_dh", "uncovered_cost_dh")}
    return added(f, **answers, savings_dh=f["savings_dh"] / more)


def _habits(f: pd.DataFrame, p: Parameters, rng: np.random.Generator, names: list[str]) -> pd.DataFrame:
    """Some say yes to every item of a multiple choice; some give all items of a scale the answer of its first."""
    groups = p.codebook.groups["kind"]
    habits: dict[str, pd.Series] = {}
    for group in groups.index[groups.isin(["multiple", "scale"])]:
        items = [n for n in p.codebook.members(group) if n in names]
        if not items:
            continue
        yes, straight = rng.random(len(f)) < p["yes_saying_share"], rng.random(len(f)) < p["straight_line_share"]
        for item in items:
            if groups[group] == "scale":
                habits[item] = f[item].where(~straight, f[items[0]])
            elif "wish" in group or group == "promotion":
                habits[item] = f[item].where(~yes, "yes")
    return added(f, **habits)


def _contradictions(f: pd.DataFrame, p: Parameters, rng: np.random.Generator, names: list[str]) -> pd.DataFrame:
    """Each rule is broken by a share of the forms, independently."""
    broken = [rng.random(len(f)) < p["contradiction_share"] for _ in range(5)]
    forgets = rng.random(len(f)) < p["link_forgotten_share"]
    return added(
        f,
        earners_n=f["earners_n"].where(~broken[0], f["household_size_n"] + 1),
        dependants_6_11_n=f["dependants_6_11_n"] + 2 * broken[1],
        others_earnings_dh=f["others_earnings_dh"].where(~broken[2], f["other_income_dh"] + 1000),
        nights_month_n=f["nights_month_n"].where(~broken[3], 31 - f["nights_month_n"]),
        primary_n=f["primary_n"].where(~broken[4], f["children_n"] + 1),
        register_links_n=f["register_links_n"].where(~forgets, 1.0),
    )  # fmt: skip


def _partial_rankings(f: pd.DataFrame, p: Parameters, rng: np.random.Generator, names: list[str]) -> pd.DataFrame:
    """Some rank no further than the third."""
    short = rng.random(len(f)) < p["partial_ranking_share"]
    ranks = [n for n in names if n.startswith(("health_rank_", "priority_"))]
    return added(f, **{name: f[name].mask(short & (f[name] > 3)) for name in ranks})


def _copies(f: pd.DataFrame, p: Parameters, rng: np.random.Generator, names: list[str]) -> pd.DataFrame:
    """A few forms repeat the answers of one like them in what the routing hangs on (the key and old answers differ)."""
    place = rng.permutation(len(f))
    cell = f.groupby(GATES, dropna=False).ngroup().to_numpy()[place]
    order = np.argsort(cell, kind="stable")
    same = cell[order][1:] == cell[order][:-1]
    copied = same & (rng.random(len(same)) < p["copied_share"])
    to, of = place[order[1:][copied]], place[order[:-1][copied]]
    source = np.arange(len(f))
    source[to] = of
    return added(f, **f[names].iloc[source].set_axis(f.index))

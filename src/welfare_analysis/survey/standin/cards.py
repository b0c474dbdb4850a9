"""Choices on the cards: a utility linear in what the cards say, its price sensitivity shared with what people want."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..cards import STATUS_QUO
from .draws import Draws, added, asked
from .parameters import Parameters
from .wants import price_factor

# One step of each attribute, in which its effect is stated; what one pays weighs by income group.
STEP = {"price_dh": 1e5, "instalment_dh": 1e3, "size_m2": 10, "work_km": 10, "services_km": 10, "delivery_months": 12}
STEP |= {"rate_pct": 1, "term_months": 12, "amount_dh": 1e5, "insurance_dh": 100, "cost_dh": 100}
STEP |= {"time_min": 10, "headway_min": 10, "walk_min": 10}
PAID = ("price_dh", "instalment_dh", "rate_pct", "insurance_dh", "cost_dh")
BLOCKS = ("home", "loan", "commute")
Seen = np.ndarray | float
Rng = np.random.Generator
Habits = tuple[np.ndarray, np.ndarray, np.ndarray]  # lean to the offers, scale, and which attributes are looked at


def tastes(f: pd.DataFrame, d: Draws, version: str) -> pd.DataFrame:
    """Add what decides choices: constants by alternative (0 for the first), weight of what one pays, own attributes."""
    spread = 0.0 if version == "plain" else d.p["cost_taste_log_sd"]
    drawn: dict[str, np.ndarray] = {"at_work": d.x["active"].to_numpy()}  # the others have no way to work
    for block in BLOCKS:
        z = d.rng.normal(size=len(f))
        versions = d.p.codebook.designs.query("block == @block")["version"].astype(int).max()
        drawn[f"{block}_version"] = d.rng.integers(1, versions + 1, len(f)) * 1.0
        drawn[f"{block}_cost_taste"] = price_factor(f, d.p) * np.exp(spread * z)
        for name in d.p.codes(f"{block}_alternative")[1:]:
            drawn[f"{block}_{name}_constant"] = d.p[f"{block}_{name}_constant"] + d.slopes(f"{block}_{name}")
        for attribute, parts in STATUS_QUO.get(block, {}).items():
            drawn[f"{block}_own_{attribute}"] = np.sum([_paid(f, part) for part in parts], axis=0)
    return added(f, **drawn)


def _paid(f: pd.DataFrame, name: str) -> np.ndarray:
    """A column of what somebody has now; 0 where there is none of it."""
    gates = {"rent_dh": f["tenure"] == "tenant", "housing_deduction_dh": f["has_loan"] == "yes"}
    return (f[name].fillna(0.0) * gates.get(name, 1.0)).to_numpy()


def utilities(
    block: str, people: Mapping[str, Any], offers: pd.DataFrame, p: Parameters, version: str, attention: Seen = 1.0
) -> np.ndarray:
    """True utility of each alternative to each person, n x J: choices are logit in it, with scale one.

    Parameters
    ----------
    block : {"home", "loan", "commute"}
    people : frame or arrays by name (n rows)
        The truth, with the columns of `tastes`.
    offers : DataFrame (J rows)
        What is offered, a row an alternative by its code, a column an attribute; blank is nothing. The first is to go
        on as before: its attributes are the person's own where there are any.
    version : in "plain" linear; in the others what one pays counts as (x / step) ^ ``cost_curve``
    attention : array of 0 and 1 (n x attributes), optional
        Which attributes a person looks at.
    """
    taste = np.asarray(people[f"{block}_cost_taste"])
    weight = np.ones((len(taste), len(offers.columns))) * attention
    steps = offers.fillna(0.0).to_numpy(dtype=float) / [STEP[name] for name in offers]
    now = np.tile(steps[0], (len(taste), 1))
    curve = 1.0 if version == "plain" else p["cost_curve"]
    for k, name in enumerate(offers):
        if f"{block}_own_{name}" in people:
            now[:, k] = np.asarray(people[f"{block}_own_{name}"]) / STEP[name]
        if name in PAID:
            weight[:, k] *= taste
            steps[:, k], now[:, k] = steps[:, k] ** curve, now[:, k] ** curve
        if name == "work_km":
            weight[:, k] *= np.asarray(people["at_work"])
    weight *= [p[f"{block}_{name}_effect"] for name in offers]
    value = weight @ steps.T
    value[:, 0] = (weight * now).sum(axis=1)
    for j, name in enumerate(offers.index[1:], start=1):
        value[:, j] += np.asarray(people[f"{block}_{name}_constant"])
    return value


def choose(f: pd.DataFrame, p: Parameters, rng: Rng, version: str, strategic: np.ndarray | None = None) -> pd.DataFrame:
    """Choices and certainty of those who get cards, blank for the others.

    Without `strategic` the choices are those that people would make. With it (who overstates) they are as the rich or
    strategic version says them: the scale differs by person and falls from card to card, some attributes are not looked
    at, some people never go on as before, and the strategic lean to offers.
    """
    designs, chosen = p.codebook.designs, []
    for block in BLOCKS:
        attributes = [name for name in STEP if f"{block}_{name}_effect" in p.levels]
        shown = ["version", "card", *attributes]
        design = designs.loc[designs["block"] == block, ["alternative", *shown]].astype(dict.fromkeys(shown, float))
        inside = asked(f, p, f"{block}_version")
        part = f.filter(regex=f"^(at_work|{block}_(version|cost_taste|own_.*|.*_constant))$")[inside]
        habits = None if strategic is None else _habits(strategic[inside], attributes, p, rng, version)
        chosen.append(_answers(block, part, design, habits, p, rng, version).reindex(f.index))
    return pd.concat(chosen, axis=1)


def _answers(
    block: str, f: pd.DataFrame, design: pd.DataFrame, habits: Habits | None, p: Parameters, rng: Rng, version: str
) -> pd.DataFrame:
    codes, cards = np.array(p.codes(f"{block}_alternative"), dtype=object), sorted(set(design["card"]))
    noise, said = rng.gumbel(size=(len(cards), len(f), len(codes))), np.zeros((len(f), len(cards)), dtype=int)
    ahead, people = np.zeros(len(f)), {str(name): column.to_numpy() for name, column in f.items()}
    for (which, card), offers in design.groupby(["version", "card"]):
        rows, place = np.flatnonzero(people[f"{block}_version"] == which), cards.index(card)
        offers = offers.set_index("alternative").loc[codes].drop(columns=["version", "card"])
        part = {name: column[rows] for name, column in people.items()}
        value = utilities(block, part, offers, p, version, 1.0 if habits is None else habits[2][rows])
        if habits is not None:
            value[:, 1:] += habits[0][rows, None]
            value *= habits[1][rows, None] * (1 - p["card_fatigue"] * place)
        value += noise[place, rows]
        said[rows, place] = value.argmax(axis=1)
        ahead[rows] += np.diff(np.partition(value, -2, axis=1)[:, -2:], axis=1)[:, 0] / len(cards)
    sure = p["certainty_mean"] + p["certainty_margin_slope"] * (ahead - 1) + p["certainty_sd"] * rng.normal(size=len(f))
    columns = {f"{block}_card_{card:.0f}": codes[said[:, i]] for i, card in enumerate(cards)}
    return pd.DataFrame(columns | {f"{block}_certainty": sure.round().clip(0, 10)}, index=f.index)


def _habits(strategic: np.ndarray, attributes: list[str], p: Parameters, rng: Rng, version: str) -> Habits:
    """How people answer cards: lean to the offers, scale, and which attributes they look at."""
    n = len(strategic)
    lean = np.where(rng.random(n) < p["yes_saying_share"], 20.0, 0.0)
    lean += p["strategic_card_lift"] * strategic * (version == "strategic")
    scale = np.exp(rng.normal(0, p["card_scale_log_sd"], n))
    return lean, scale, (rng.random((n, len(attributes))) >= p["inattention_share"]).astype(float)

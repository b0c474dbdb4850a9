"""Who lives with whom, on what: true links between people of the register, dependants by age, earners, savings."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .conditions import yes_no
from .draws import Draws, added

ALIKE = ["command", "household_size_n", "children_n", "tenure"]  # what two spouses say of the same household
BANDS = ["0_5", "6_11", "12_17", "18_24"]


def household(f: pd.DataFrame, d: Draws) -> pd.DataFrame:
    """Add the household block; the parts of the other income add up to it, the ages of children to their number."""
    p, rng, n = d.p, d.rng, len(f)
    age, status, size = f["age"].to_numpy(), f["status"].to_numpy(), f["household_size_n"].to_numpy()
    married = d.x["married"].to_numpy() == 1
    home = links(f, d)
    linked = home.groupby(home).transform("size").to_numpy()
    kin = (size - 1 - married - f["children_n"].to_numpy()).astype(int)
    old = rng.binomial(kin, p["kin_old_share"]) * (status != "orphan")
    grown = rng.binomial(kin - old, p["kin_dependent_share"]) * (status != "orphan")
    couple = married & (status == "active") & (linked > 1)  # a spouse in the police tells the pay on the own form
    parts = _parts(f["other_income_dh"].to_numpy(), married & ~couple, kin > 0, d)
    more = rng.binomial((kin - 1).clip(0), p["second_earner_share"])
    earners = linked + (parts[:, 0] > 0) + (parts[:, 1] > 0) * (1 + more)
    years = np.where(age < p["retirement_age"], rng.integers(0, 4, n), age - p["retirement_age"])
    mourning = rng.gamma(2, p["survivor_years_mean"] / 2, n).clip(0, np.where(status == "widow", age - 20, age))
    wives = np.isin(status, ["active", "retired"]) & married & (f["sex"] == "m").to_numpy() | (status == "widow")
    children = _children(f, d)
    return added(
        f,
        household_id=home, retired_years_n=years, survivor_years_n=np.floor(mourning),
        guardian=d.code("guardian", p.codes("guardian")),
        earners_n=np.minimum(earners, size), register_links_n=linked * 1.0,
        forms_n=1.0 + d.yes("polygamous", wives),
        **{f"dependants_{band}_n": children[:, i] for i, band in enumerate(BANDS)},
        dependants_25_59_n=grown * 1.0, dependants_60_over_n=old * 1.0,
        spouse_earnings_dh=parts[:, 0], others_earnings_dh=parts[:, 1], regular_income_dh=parts[:, 2],
        savings_dh=d.yes("saves") * d.amount("savings_dh", 1000.0),
        transfers_dh=(d.yes("transfers") * d.amount("transfers_dh", 50.0)).clip(0, 20000),
        property_elsewhere=d.code("property", p.codes("property")),
    )  # fmt: skip


def links(f: pd.DataFrame, d: Draws) -> pd.Series:
    """Household of everybody: two spouses in the police, a member with a retired parent or a widow, and siblings.

    People are joined at random among those who agree on command and household, as existing answers do not change. What
    a household has is the mean of what its members say, which is what weight shares estimate (Lavallee 2007, ch. 2).
    """
    status, marital, size = f["status"], f["marital_status"], f["household_size_n"].to_numpy()
    at_work, p = status == "active", d.p
    spouse = at_work & (marital == "married")
    young = at_work & (marital == "single") & (f["tenure"] == "family") & (size > 1)
    parents = status.isin(["retired", "widow"]) & f["tenure"].isin(["owner", "tenant", "other"])
    home = np.arange(len(f))
    for one, two, keys, share in (
        (spouse & (f["sex"] == "f"), spouse & (f["sex"] == "m"), ALIKE, p["police_couple_share"]),
        (young, parents, ALIKE[:2], p["with_police_parent_share"]),
    ):
        left, right = _pairs(f[keys], one.to_numpy(), two.to_numpy(), share, d.rng)
        home[left] = right
    orphans = np.flatnonzero(status == "orphan")
    cell = f.iloc[orphans].groupby(["command", "rank", "household_size_n", "tenure"]).ngroup().to_numpy()
    two, three = p["two_orphans_share"], p["three_orphans_share"]
    together = d.rng.choice([1, 2, 3], len(f), p=[1 - two - three, two, three])[cell]  # one draw a cell
    order = pd.Series(cell).groupby(cell).cumcount().to_numpy() // np.minimum(together, size[orphans])
    home[orphans] = pd.Series(orphans).groupby([cell, order]).transform("min").to_numpy()
    return pd.Series(home, index=f.index).map("H{:06d}".format)


def _pairs(
    keys: pd.DataFrame, one: np.ndarray, two: np.ndarray, share: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two sets that are joined: a `share` of the first, each with a row of the second alike in all keys."""
    cell = keys.groupby(list(keys)).ngroup().to_numpy()
    sides = []
    for chosen in (one & (rng.random(len(one)) < share), two):
        rows = rng.permutation(np.flatnonzero(chosen))
        place = pd.Series(cell[rows]).groupby(cell[rows]).cumcount().to_numpy()
        sides.append(pd.DataFrame({"row": rows, "cell": cell[rows], "place": place}))
    joined = sides[0].merge(sides[1], on=["cell", "place"])
    return joined["row_x"].to_numpy(), joined["row_y"].to_numpy()


def _children(f: pd.DataFrame, d: Draws) -> np.ndarray:
    """Dependent children by band of age, n x 4: ages fall with a gap to the parent's."""
    row = np.repeat(np.arange(len(f)), f["children_n"].to_numpy(dtype=int))
    gap = d.p["marriage_age"] - 1 + d.rng.gamma(2, d.p["child_gap_years_mean"] / 2, len(row))
    band = np.searchsorted([6, 12, 18], f["age"].to_numpy()[row] - gap, side="right")
    return np.bincount(row * 4 + band, minlength=4 * len(f)).reshape(-1, 4).astype(float)


def _parts(total: np.ndarray, spouse: np.ndarray, kin: np.ndarray, d: Draws) -> np.ndarray:
    """Split the other income into earnings of the spouse, of others, and regular income: n x 3, adding up to it."""
    has = np.column_stack([d.yes("spouse_earns", spouse), d.yes("kin_earns", kin), d.yes("regular_income")])
    has[:, 2] |= ~has.any(axis=1)
    weight = has * d.rng.gamma(4, 1, has.shape)
    parts = np.floor(total[:, None] * weight / weight.sum(axis=1, keepdims=True) / 10) * 10
    parts[np.arange(len(parts)), weight.argmax(axis=1)] += total - parts.sum(axis=1)
    return parts


def work(f: pd.DataFrame, d: Draws) -> pd.DataFrame:
    """Add hours, nights, days away, the burden of work (one factor, one item asked the other way) and changes."""
    p, rng, n = d.p, d.rng, len(f)
    shift, days, age = f["shift"], f["commute_days_n"].fillna(5).to_numpy(), f["age"].to_numpy()
    active, married = d.x["active"].to_numpy() == 1, d.x["married"].to_numpy() == 1
    by = {q: shift.map({s: p[f"{q}_{s}_mean"] for s in p.codes("shift")}).fillna(1).to_numpy() for q in HOURS}
    hours = (by["hours"] + p["hours_day_slope"] * (days - 5) + rng.normal(0, p["hours_sd"], n)).round()
    nights = np.where(shift == "night", (days * 52 / 12).round(), rng.poisson(by["nights"])).clip(0, 31)
    strain = p["burden_hours_slope"] * (hours - hours[active].mean()) / 10 + p["burden_nights_slope"] * nights / 10
    strain = strain + rng.normal(size=n)
    strain = (strain - strain[active].mean()) / strain[active].std()
    burden = {q: d.scale(q, sign * strain, p.codes("agreement"), active) for q, sign in BURDENS.items()}
    change = {
        "marriage": d.yes("change_marriage", active & ~married), "transfer": d.yes("change_transfer", active),
        "retirement": (age >= p["retirement_age"] - 3) | d.yes("change_retirement", active),
        "child": d.yes("change_child", active & married & (age < 50)),
    }  # fmt: skip
    return added(
        f,
        weekly_hours_n=hours.clip(5 * days, 14 * days), nights_month_n=nights,
        away_days_n=d.count("away_days_n", active).clip(0, 31), **burden,
        **{f"change_{name}": yes_no(flag) for name, flag in change.items()},
    )  # fmt: skip


HOURS = ("hours", "nights")
BURDENS = {"burden_family_time": 1, "burden_errands": 1, "burden_rest": -1}

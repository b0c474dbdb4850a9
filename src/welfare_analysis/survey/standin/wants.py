"""Which home and which loan people want, and the loans that they have."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .conditions import yes_no
from .draws import Draws, added
from .parameters import Parameters


def price_factor(f: pd.DataFrame, p: Parameters) -> np.ndarray:
    """How much more than the middle those with a low own income mind a price, and how much less those with a high."""
    low, high = f["income_dh"] < p["income_low_dh"], f["income_dh"] >= p["income_high_dh"]
    return np.select([low, high], [p["price_low_factor"], p["price_high_factor"]], 1.0)


def home(f: pd.DataFrame, d: Draws) -> pd.DataFrame:
    """Add the size of the home, and kind, tenure, size and horizon of the one wanted.

    The utility of a kind falls with its price, by the coefficient of the cards, and with its distance to the budget.
    """
    p, n = d.p, len(f)
    wants, kinds = (f["wants_home"] == "yes").to_numpy(), p.codes("home_kind")
    price = np.array([p[f"home_kind_{k}_price_dh"] for k in kinds])
    gap = np.log(price / f["home_budget_dh"].to_numpy()[:, None])
    eta = p["home_price_dh_effect"] * price_factor(f, p)[:, None] * price / 1e5 - p["home_budget_fit"] * gap**2
    kind = d.code("home_kind", kinds, wants, eta)
    area = pd.Series(kind).map({k: p[f"home_kind_{k}_m2"] for k in kinds}).fillna(80).to_numpy()
    area = area * np.exp(d.slopes("home_m2") + d.rng.normal(0, p["home_m2_log_sd"], n))
    room = f["rooms_n"].to_numpy() * p["room_m2"] + p["kitchen_m2"]
    return added(
        f,
        dwelling_m2=(room * np.exp(d.rng.normal(0, p["dwelling_m2_log_sd"], n))).round().clip(6, 1000),
        services_km=(d.amount("services_km", 0.1)).clip(0.1, 100),
        home_kind=kind, home_m2=((area / 5).round() * 5).clip(30, 600),
        home_tenure=d.code("home_tenure", p.codes("home_tenure"), wants),
        home_horizon=d.code("home_horizon", p.codes("home_horizon"), wants),
    )  # fmt: skip


def loans(f: pd.DataFrame, d: Draws) -> pd.DataFrame:
    """Add kinds and lenders of running loans (never more than there are loans), and the loan wanted.

    Participation is a probit, its error correlated with that of the log amount: wants = 1(z'a + u > c),
    log amount = x'b + sd e, corr(u, e) = ``loan_errors_correlation`` (Heckman 1979); children and crowding stand in z
    only.
    """
    p, rng, n = d.p, d.rng, len(f)
    adult = (f["age"] >= 18).to_numpy()
    both, e = rng.normal(size=(2, n)), p["loan_errors_correlation"]
    chance = d.slopes("wants_loan") + both[0]
    wants = adult & (chance > np.quantile(chance[adult], 1 - p["wants_loan_share"]))
    purpose = d.code("loan_purpose", p.codes("loan_purpose"), wants)
    housing = np.isin(purpose, ["home", "building"])
    levels = ("median_dh", "log_sd", "months")
    median, sd, term = (np.where(housing, p[f"loan_housing_{q}"], p[f"loan_consumer_{q}"]) for q in levels)
    amount = median * np.exp(d.slopes("loan_amount_dh") + sd * (e * both[0] + np.sqrt(1 - e**2) * both[1]))
    term = (term * np.exp(rng.normal(0, p["loan_term_log_sd"], n)) / 12).round().clip(1, np.where(housing, 25, 10))
    share = p["loan_instalment_share"] * np.exp(rng.normal(0, p["loan_instalment_log_sd"], n))
    return added(
        f,
        **_running(f, d), wants_loan=yes_no(wants), loan_purpose=purpose,
        loan_amount_dh=((amount / 1000).round() * 1000).clip(1000, 3e6), loan_term_months=term * 12,
        loan_instalment_dh=((share * f["income_dh"].to_numpy() / 50).round() * 50).clip(100, 40000),
        loan_product=d.code("loan_product", p.codes("loan_product"), wants),
    )  # fmt: skip


def _running(f: pd.DataFrame, d: Draws) -> dict[str, np.ndarray]:
    """A housing loan where there is a deduction for it, at a bank; other kinds where there is one for consumption."""
    p, rng = d.p, d.rng
    housing = (f["housing_deduction_dh"] > 0).to_numpy()
    other = (f["loans_n"].to_numpy() - housing).clip(0).astype(int) * (f["consumer_deduction_dh"] > 0).to_numpy()
    kinds, sources = ["car", "equipment", "personal", "other"], p.members("running_source")
    many = np.minimum(1 + rng.binomial((other - 1).clip(0), p["running_other_kind_share"]), 4) * (other > 0)
    has = d.ranking("running_kind", kinds) <= many[:, None]
    where = d.worths("running_source", sources) + rng.gumbel(size=(len(f), len(sources)))
    where[:, sources.index("bank")] += np.where(housing, np.inf, 0)
    further = (f["loans_n"].to_numpy() - 1).clip(0).astype(int)
    lenders = np.minimum(1 + rng.binomial(further, p["running_other_source_share"]), len(sources))
    at = np.argsort(np.argsort(-where, axis=1), axis=1) < lenders[:, None]
    running = {"running_kind_housing": housing} | {f"running_kind_{k}": has[:, i] for i, k in enumerate(kinds)}
    running |= {f"running_source_{s}": at[:, i] for i, s in enumerate(sources)}
    return {name: yes_no(flag) for name, flag in running.items()}

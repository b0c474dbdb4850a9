"""Errors of the numbers on loans: steps from need to can pay, and loans, in populations whose true demand is known.

Who truly wants a consumer loan, at the true amount and term, would take each product by the true utilities, within true
means. The estimate comes from what was said on the form: in the rich and the strategic version not quite that.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from demand_errors import BOOK, PARAMETERS, against, studies

from welfare_analysis.demand import debts, loans
from welfare_analysis.demand.credit import Terms
from welfare_analysis.demand.funnel import funnel
from welfare_analysis.demand.loans import PRODUCTS
from welfare_analysis.demand.stated import times
from welfare_analysis.estimation import Estimate, joint, mean
from welfare_analysis.survey.cards import Block

FIRST_SEED = 50_000
HOUSING = Terms.named("housing_foundation")
SIZE = 30_000  # persons of a population: the bias is that of a larger one, the standard errors are not
STEPS = ["in_need", "wants", "eligible", "affordable"]


def true_utilities(market: loans.LoanMarket, version: str) -> np.ndarray:
    """Utility of no loan (0) and of each product to each person, at the person's own amount and term (n x 4)."""
    f, p, levels = market.frame, PARAMETERS, Block.of(BOOK, loans.BLOCK).levels
    curve = 1.0 if version == "plain" else p["cost_curve"]
    found = [np.zeros(len(f))]
    for product in PRODUCTS:
        amount, months = (
            column.clip(min(at), max(at)).fillna(float(np.median(at))).to_numpy()
            for column, at in (
                (market.amount, levels[product, "amount_dh"]),
                (market.months[product], levels[product, "term_months"]),
            )
        )
        insured = market.terms[product].insurance / 12 * amount / 100
        paid = p["loan_rate_pct_effect"] * (100 * market.rates[product].to_numpy()) ** curve
        paid = paid + p["loan_insurance_dh_effect"] * insured**curve
        value = f["loan_cost_taste"].to_numpy() * paid + f[f"loan_{product}_constant"].to_numpy()
        value = value + p["loan_amount_dh_effect"] * amount / 1e5 + p["loan_term_months_effect"] * months / 12
        found.append(value)
    return np.column_stack(found)


def chosen(u: np.ndarray, open_: np.ndarray) -> np.ndarray:
    """Probabilities among what is open, the last axis."""
    e = np.where(open_, np.exp(u - u.max(axis=-1, keepdims=True)), 0.0)
    return e / e.sum(axis=-1, keepdims=True)


def true_numbers(loan: loans.LoanMarket, version: str) -> pd.Series:
    """People left at each step, loans a year by product, all of them, the Foundation's volume, and housing loans."""
    steps = loan.steps
    left = steps[STEPS[1:]].fillna(False).astype(bool).cumprod(axis=1).sum().astype(float)
    wants = loan.wanted["consumer"].fillna(False).to_numpy(bool)
    allowed = (loan.eligible & loan.affordable).fillna(False).to_numpy(bool)[wants]
    years, nothing = loans.assumed("wish_years"), np.ones((wants.sum(), 1), dtype=bool)
    taken = chosen(true_utilities(loan, version)[wants], np.hstack([nothing, allowed]))[:, 1:]
    found = {"in_need": float((steps["in_need"].fillna(False) & loan.adult).sum())} | left.to_dict()
    found |= dict(zip(PRODUCTS, taken.sum(axis=0) / years, strict=True))
    found |= {"all": taken.sum() / years, "volume": taken[:, -1] @ loan.amount.to_numpy()[wants] / years}
    found |= {"housing": debts.housing_loans(loan, HOUSING)["files_within"].sum() / years}
    return pd.Series(found | {"wish_housing": float(loan.wanted["housing"].fillna(False).to_numpy(bool).sum())})


def numbers(loan: loans.LoanMarket) -> Estimate:
    """The same numbers as the page estimates them, before the bridge from stated to likely, which no truth is of."""
    need = funnel(loan.design, loan.steps[["in_need"]], where=loan.adult)
    left = funnel(loan.design, loan.steps[STEPS[1:]], where=loan.adult, reached=True)
    demand, homes = loan.demand(), loan.wishing("housing")
    table = debts.housing_loans(loan, HOUSING)["files_within"].rename("housing")
    lent = mean(loan.design, table, where=table.notna())
    housing = times(lent, loans.per_year(homes), lent.value.index)
    whole = joint({"need": need, "left": left, "loans": demand, "housing": housing, "wish": homes})
    index = list(whole.value.index)
    names = [*STEPS, *PRODUCTS, "all", "volume", "housing", "wish_housing"]
    slopes = np.zeros((len(names), len(index)))
    slopes[[0, 1, 2, 3], [0, 1, 2, 3]] = 1
    for place, product in enumerate(PRODUCTS, start=4):
        at = index.index(("loans", "files", product))
        slopes[place, at] = slopes[names.index("all"), at] = 1
    slopes[names.index("volume"), index.index(("loans", "dh", "foundation"))] = 1
    slopes[[-2, -1], [-2, -1]] = 1
    return whole.apply(lambda v: pd.Series(slopes @ v.to_numpy(), index=names), slopes)


def one_sample(version: str, seed: int, size: int | None = SIZE) -> pd.DataFrame:
    """What `against` says of the numbers of one population."""
    study, everybody = studies(version, seed, size)
    known = true_numbers(loans.market(everybody), version)
    return against(numbers(loans.market(study)), known).assign(version=version, seed=seed)

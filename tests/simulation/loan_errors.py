"""Errors of the numbers on loans: files and volume in generated populations, whose true demand is known.

Who truly wants a consumer loan, at the true amount and term, would take each product by the true utilities, within true
means. The estimate comes from what was said on the form: in the rich and the strategic version not quite that.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from demand_errors import BOOK, PARAMETERS

from welfare_analysis.demand import accounts, debts, housing, loans
from welfare_analysis.demand.credit import Terms
from welfare_analysis.demand.loans import PRODUCTS
from welfare_analysis.demand.stated import times
from welfare_analysis.estimation import Estimate, joint, mean
from welfare_analysis.study import Study
from welfare_analysis.survey.cards import Block
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import generate
from welfare_analysis.survey.standin.cards import utilities

VERSIONS = {"plain": 30, "rich": 15, "strategic": 15}
FIRST_SEED = 50_000
HOUSING = Terms.named("housing_foundation")
SIZE = 30_000  # persons of a population: the bias is that of a larger one, the standard errors are not


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


def true_numbers(loan: loans.LoanMarket, home: housing.HomeMarket, version: str) -> pd.Series:
    """Files a year by product, all of them, the Foundation's volume, who wants a loan, and files after a home."""
    wants = loan.wanted["consumer"].fillna(False).to_numpy(bool)
    allowed = (loan.eligible & loan.affordable).fillna(False).to_numpy(bool)[wants]
    nothing = np.ones((wants.sum(), 1), dtype=bool)
    u, years = true_utilities(loan, version)[wants], loans.assumed("wish_years")
    open_ = np.hstack([nothing, allowed])
    files = chosen(u, open_)[:, 1:]
    amount = loan.amount.to_numpy()[wants]
    kinds = BOOK.codes(f"{housing.BLOCK}_alternative")
    offers = home.offers.assign(instalment_dh=home.instalments).reindex(kinds)
    v = utilities(housing.BLOCK, home.frame, offers, PARAMETERS, version)[wants]
    may = (home.eligible & home.affordable).reindex(columns=kinds[1:]).fillna(False).to_numpy(bool)[wants]
    p = chosen(v, np.hstack([nothing, may]))
    monthly = np.hstack([0.0 * nothing, accounts.home_costs(home)[kinds[1:]].to_numpy()[wants]])
    left = loan.capacity.to_numpy(float)[wants, None] - monthly
    cost = np.hstack([0.0 * nothing, loan.instalments.to_numpy()[wants]])
    within = cost[:, None] <= left[:, :, None] + accounts.CENTIME
    within[:, :, 0] = True
    after = np.einsum("ih,ihj->ij", p, chosen(np.repeat(u[:, None], p.shape[1], axis=1), open_[:, None] & within))
    found = dict(zip(PRODUCTS, files.sum(axis=0) / years, strict=True))
    found |= {"all": files.sum() / years, "volume": files[:, -1] @ amount / years}
    lent = debts.housing_loans(loan, HOUSING)["files_within"].sum() / years
    found |= {"wish": float(wants.sum()), "after_home": after[:, 1:].sum() / years, "housing": lent}
    return pd.Series(found | {"wish_housing": float(loan.wanted["housing"].fillna(False).to_numpy(bool).sum())})


def numbers(loan: loans.LoanMarket, home: housing.HomeMarket) -> Estimate:
    """The same numbers as the page estimates them."""
    demand, wish, homes = loan.demand(), loan.number(), loan.number("housing")
    account = accounts.account(home, loan)
    drawn = account.drawn({"after": np.ones((len(account.capacity), 1))})
    after = times(drawn, loans.per_year(wish), drawn.value.index)
    table = debts.housing_loans(loan, HOUSING)["files_within"].rename("housing")
    lent = mean(loan.design, table, where=table.notna())
    housing_ = times(lent, loans.per_year(homes), lent.value.index)
    whole = joint({"alone": demand, "after": after, "wish": wish, "wish_housing": homes, "housing": housing_})
    names = [*PRODUCTS, "all", "volume", "wish", "after_home", "housing", "wish_housing"]
    slopes = np.zeros((len(names), len(whole.value)))
    for place, (part, *label) in enumerate(whole.value.index):
        taken = label[1] in PRODUCTS
        if part == "alone" and label[0] == "files" and taken:
            slopes[[names.index(label[1]), names.index("all")], place] = 1
        elif (part, *label) == ("alone", "dh", "foundation"):
            slopes[names.index("volume"), place] = 1
        elif part in names or (part == "after" and taken):
            slopes[names.index(part if part in names else "after_home"), place] = 1
    return whole.apply(lambda v: pd.Series(slopes @ v.to_numpy(), index=names), slopes)


def one_sample(version: str, seed: int, size: int | None = SIZE) -> pd.DataFrame:
    """A row a number: truth, estimate, se and whether the interval holds the truth."""
    world = generate(PARAMETERS, seed, version, size)
    truth, *files = (typed(f, BOOK) for f in (world.truth, world.answers, world.register, world.followup))
    study, everybody = Study.of(*files, BOOK), Study.of(truth, None, None, BOOK)
    known = true_numbers(loans.market(everybody), housing.market(everybody), version)
    found = numbers(loans.market(study), housing.market(study))
    bounds = found.interval()
    table = pd.DataFrame({"estimate": found.value, "se": found.se, "truth": known.reindex(found.value.index)})
    held = bounds["low"].le(table["truth"]) & table["truth"].le(bounds["high"])
    table = table.assign(held=held).rename_axis("number").reset_index()
    return table.assign(terms="agreement", version=version, seed=seed)

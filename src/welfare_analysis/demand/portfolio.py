r"""What an agreement is worth to a member and costs who gives it, and what the files become over five years.

A level loan L at the rate :math:`\rho`, paid by q a dirham a month over n months, is worth :math:`L q(\rho, n) a_n(m)`
at another rate m. The member who would else borrow at m gains

.. math:: G = L \, (1 - q(\rho, n) / q(m, n)), \qquad q(m, n) = 1 / a_n(m),

which is zero at the own rate, and is what the agreement costs the bank or the Foundation if m is the bank's own rate.
At the rate f of its funds the bank keeps :math:`L (a_n(f) / a_n(\rho) - 1)` before costs and losses. After s months of
n the share :math:`a_{n-s}(\rho) / a_n(\rho)` is outstanding.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..estimation import Estimate
from ..study import public
from ..survey.cards import annuity
from .credit import Terms
from .loans import LoanMarket, assumed

YEARS = 5


def gained(amount: pd.Series | float, months: pd.Series | float, own: Terms, other: Terms) -> pd.Series:
    """DH of today that a loan on ``own`` terms spares against the same loan at the rate of ``other``."""
    return amount * (1 - own.cost(months) / other.cost(months))


def outstanding(terms: Terms, months: float, after: float) -> float:
    """Share of a loan that is outstanding ``after`` months; 0 once it has run."""
    left = max(months - after, 0.0)
    return float(annuity(terms.rate, left) / annuity(terms.rate, months))


def kept(terms: Terms, months: pd.Series, funding: float) -> pd.Series:
    """What a bank keeps of a dirham lent at the rate of ``terms``, today's value at the rate of its funds."""
    return pd.Series(annuity(funding, months) / annuity(terms.rate, months) - 1, months.index)


def losses() -> pd.DataFrame:
    """The labelled scenarios of ``data/public/loan_losses.csv``: defaults a year, and how much of them is lost."""
    return public("loan_losses").set_index("scenario")


def path(terms: Terms, months: float, default: float, lost: float) -> pd.DataFrame:
    """What one dirham of new loans each year becomes, at the end of years 1 to `YEARS`.

    Loans are signed through the year, in its middle on average. Of what is outstanding a share ``default`` a year
    stops to pay, and ``lost`` of it is lost. ``lent`` (so far), ``outstanding``, ``lost`` (so far).
    """
    rows, lost_so_far, before = [], 0.0, 0.0
    for year in range(1, YEARS + 1):
        ages = 12 * (year - np.arange(1, year + 1)) + 6.0
        alive = [outstanding(terms, months, age) * (1 - default) ** (age / 12) for age in ages]
        now = float(sum(alive))
        lost_so_far += default * lost * (before + now) / 2
        rows.append((float(year), now, lost_so_far))
        before = now
    return pd.DataFrame(rows, columns=["lent", "outstanding", "lost"], index=range(1, YEARS + 1)).rename_axis("year")


def over_years(volume: Estimate, terms: Terms, months: float) -> dict[str, dict[str, Estimate]]:
    """A volume lent a year (one value, DH) over the years, by scenario of losses: estimates by year."""
    found: dict[str, dict[str, Estimate]] = {}
    for scenario, row in losses().iterrows():
        table = path(terms, months, row["default_share"], row["lost_share"])
        found[str(scenario)] = {str(column): _scaled(volume, parts.rename(None)) for column, parts in table.items()}
    return found


def _scaled(volume: Estimate, parts: pd.Series) -> Estimate:
    """One value times several known numbers."""
    return volume.apply(lambda v: parts * float(v.iloc[0]), parts.to_numpy()[:, None])


def per_file(market: LoanMarket) -> dict[str, pd.DataFrame]:
    """What a file brings, by person and product.

    ``gain_bank`` and ``gain_company``: what the member gains (`gained`) against the bank's own rate, and against that
    of a finance company; ``margin``: today's value to the bank at the rate of its funds less costs of managing, before
    losses.
    """
    own, company = market.instalments, market.at(dict.fromkeys(market.terms, Terms.named("consumer_company").rate))
    bank = own["conventional"]
    found = {
        "gain_bank": (1 - own.div(bank, axis=0)).mul(market.amount, axis=0),
        "gain_company": (1 - own / company.instalments).mul(market.amount, axis=0),
    }
    funding, running = assumed("funding_rate"), assumed("running_cost_share")
    margin = {}
    for p, terms in market.terms.items():
        months = market.months[p].clip(lower=1)
        mean_life = months / 24  # years of a dirham, half of the term: what is outstanding falls nearly in a line
        margin[p] = market.amount * (kept(terms, months, funding) - running * mean_life)
    return found | {"margin": pd.DataFrame(margin)}

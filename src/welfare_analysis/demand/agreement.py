r"""What an agreement with a bank brings and takes: what is kept less what is lost, to each party, over a year's loans.

A level loan L over n months at the rate :math:`\rho` pays :math:`L / a_n(\rho)` a month before VAT and insurance, with
:math:`a_n` the annuity. At the rate f of its funds the bank keeps, before losses and less its cost s of managing, a
year of what is outstanding (n / 24 years of a dirham: what is owed falls nearly in a line),

.. math:: M(\rho) = L \Bigl(\frac{a_n(f)}{a_n(\rho)} - 1 - \frac{s n}{24}\Bigr).

With the agreement (1) and without it (0: the same loan at the bank's rate :math:`\rho_0`), p the probabilities of the
Foundation's loan f and of the conventional one c, of which the bank of the agreement has the part k anyway,

.. math:: \text{kept} = (p^1_f - p^0_f) M(\rho_1) + k (p^1_c - p^0_c) M(\rho_0), \qquad
   \text{rebate} = p^0_f (M(\rho_0) - M(\rho_1)),

and the losses that are expected on what is lent more. Kept less the rebate and the losses is the bank's net. A member
gains the fall of the instalment, those who would not have come on the old terms half of it (the rule of half).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..estimation import Estimate, joint
from ..study import public
from ..survey.cards import annuity
from .credit import Terms
from .housing import assumed as of_programme
from .levers import Levers, lever
from .loans import PRODUCTS, LoanMarket, assumed, taken
from .stated import sums

OWN, OTHER = "foundation", "conventional"
NET = ("kept", "rebate", "losses", "bank", "members", "foundation")


def kept(rate: float | pd.Series, months: pd.Series, funding: float) -> pd.Series:
    """What a bank keeps of a dirham lent at a rate (one, or one a person), today's value at the rate of its funds."""
    return pd.Series(annuity(funding, months) / annuity(rate, months) - 1, months.index)


def margins(market: LoanMarket) -> pd.DataFrame:
    """DH of today that the bank of the agreement keeps before losses, by person and product: of its own loans."""
    funding, running, made = assumed("funding_rate"), assumed("running_cost_share"), {}
    part = {OWN: 1.0, OTHER: assumed("partner_share")}
    for p in PRODUCTS:
        months = market.months[p].clip(lower=1)
        made[p] = part.get(p, 0.0) * market.lent[p] * (kept(market.rates[p], months, funding) - running * months / 24)
    return pd.DataFrame(made)


def exposed(market: LoanMarket) -> pd.DataFrame:
    """DH-years that its bank has outstanding over the life of a loan, by person and product."""
    part = {OWN: 1.0, OTHER: assumed("partner_share")}
    return pd.DataFrame({p: part.get(p, 0.0) * market.lent[p] * market.months[p] / 24 for p in PRODUCTS})


def spared(market: LoanMarket, base: LoanMarket, taxed: bool = True) -> pd.DataFrame:
    """DH of today that the rate of ``market`` spares on the Foundation's loan against that of ``base``, by person.

    With VAT it is the member's; without, what a bank forgoes or the Foundation pays in its place.
    """
    months = market.months[OWN].clip(lower=1)
    monthly = {}
    for name, at in (("own", market), ("base", base)):
        terms = at.terms[OWN]
        monthly[name] = terms.cost(months) if taxed else 1 / annuity(terms.rate, months)
    fall = (monthly["base"] - monthly["own"]) * annuity(of_programme("discount_rate"), months)
    return pd.DataFrame({p: market.lent[p] * fall * (p == OWN) for p in PRODUCTS})


def net(market: LoanMarket) -> dict[str, Estimate]:
    """What the agreement of ``market`` brings each party, DH of today of a year's likely loans, by scenario of losses.

    By `NET`: what the bank keeps more, the rebate to those who would have come anyway, losses expected on what is lent
    more, the bank's net of the three, what members gain, and what the Foundation would pay if it bore the rebate on
    every loan of the agreement in the bank's place.
    """
    base = market.at({OWN: market.terms[OTHER].rate})
    own, old = margins(market), margins(base)
    with_ = {"margin": own, "exposed": exposed(market), "gain": spared(market, base),
             "paid": spared(market, base, taxed=False)}  # fmt: skip
    without = {"margin": old, "agreed": own, "exposed": exposed(base), "gain": with_["gain"]}
    made: dict[str, Estimate] = {}
    for side, at, many in (("with", market, with_), ("without", base, without)):
        forecast = at.likely(many)
        made |= {f"{side}_{name}": taken(forecast, name) for name in many}
        made |= {f"{side}_own_{name}": taken(forecast, name, (OWN,)) for name in many if name in ("margin", "agreed")}
    every, found = joint(made), {}

    def row(**weights: float) -> np.ndarray:
        return np.array([weights.get(name, 0.0) for name in made])

    keeps = row(with_margin=1, without_margin=-1, without_own_margin=1, without_own_agreed=-1)
    rebate = row(without_own_margin=1, without_own_agreed=-1)
    for scenario, loss in public("loan_losses").set_index("scenario").iterrows():
        rate = loss["default_share"] * loss["lost_share"]
        lost = row(with_exposed=rate, without_exposed=-rate)
        members = row(with_gain=0.5, without_gain=0.5)
        matrix = [keeps, rebate, lost, keeps - rebate - lost, members, row(with_paid=1)]
        found[str(scenario)] = sums(every, NET, matrix)
    return found


def levers(market: LoanMarket, offered: Mapping[str, LoanMarket] | None = None) -> Levers:
    """What each measure brings and costs (`levers.lever`) in a year's likely loans, and what members pay, DH of today.

    ``agreement``: the Foundation's loan at its rate for that of the banks; ``talks``: at the further cut; ``late``: a
    guarantee with which those in arrears are lent to, at the rate of the banks, that bears the high losses on them;
    ``agreement_late``: both. Or the markets that are ``offered`` in their place. The rebate goes to who takes the
    loan: what of it additional loans get is the transfer's complement, each loan of the agreement taken at its mean.
    """
    base = market.at({OWN: market.terms[OTHER].rate})
    high = public("loan_losses").set_index("scenario").loc["high"]
    late = market.frame.get("arrears", pd.Series("no", market.frame.index)).eq("yes").fillna(False)
    rate, discount = float(high["default_share"] * high["lost_share"]), of_programme("discount_rate")
    before, found, members = base.likely(), {}, {}
    usual = {
        "agreement": market,
        "talks": market.at({OWN: Terms.named("consumer_talks").rate}),
        "late": base.at(late=True),
        "agreement_late": market.at(late=True),
    }
    for name, at in (usual if offered is None else offered).items():
        risk = pd.DataFrame({p: at.lent[p] * at.months[p] / 24 * rate * late for p in PRODUCTS}) * at.late
        one = pd.DataFrame(1.0, at.frame.index, list(PRODUCTS))
        worth = pd.DataFrame({p: annuity(discount, at.months[p]) for p in PRODUCTS}, at.frame.index)
        paid = at.instalments.replace(np.inf, np.nan) * worth
        rebate = spared(at, base, taxed=False)
        after = at.likely({"files": one, "rebate": rebate, "cost": rebate + risk, "paid": paid})
        units, own = taken(after), taken(after, products=(OWN,))
        cost, given = taken(after, "cost"), taken(after, "rebate")
        every = joint({"before": taken(before), "after": units, "given": given, "own": own})
        found[name] = lever(taken(before), units, cost, every.apply(_anyway))
        members[name] = taken(after, "paid")
    return found, members


def _anyway(values: pd.Series) -> pd.Series:
    """What of the rebate goes to loans that would have come without it."""
    before, after, given, own = values.to_numpy()
    part = (after - before) / own if own > 0 else 0.0
    return pd.Series({"transfer": given * (1 - np.clip(part, 0.0, 1.0))})

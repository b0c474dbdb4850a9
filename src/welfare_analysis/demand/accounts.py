r"""One account a member: a home and a consumer loan are drawn together and never pass the limit.

Taken alone, each forecast gives a person the whole capacity A. Here one product is drawn first (a home, as the larger
and the one that lasts), and the loan from what its instalment :math:`m_h` leaves, by enumeration of the states h:

.. math:: P(j) = \sum_h P(h)\, P(j \mid h), \qquad P(j \mid h) \propto 1[c_j \le A - m_h]\, e^{V_j},

so that in no state do both pass :math:`\min(40\,\%, net - 1,500)` less running deductions. The expected instalment
:math:`\sum_h P(h) m_h` in place of the states would let loans through that in some state pass the limit. Tastes for
homes and for loans are taken as independent given what is known of a person: cards on homes and on loans went to
different people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from ..estimation import Design, Estimate, joint
from ..estimation.choice import ChoiceFit
from ..estimation.choice.forecast import forecast
from ..estimation.choice.population import Model, Target, modelled, target
from ..estimation.domains import Domains
from . import credit, housing, loans, stated

CENTIME = 0.005  # DH; what rounding may add to an instalment


@dataclass(frozen=True, eq=False)
class Side:
    """One of two products, before n persons: utilities, what is open, what each alternative costs a month.

    ``model`` and ``to`` are the fit and the cases (all alternatives before each person, the first costs nothing),
    ``open`` (n x J) what a person may get and can carry alone, ``monthly`` (n x J) its instalment in DH.
    """

    model: Model
    to: Target
    open: np.ndarray
    monthly: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        """Rows of the design (n,), as the cases have them."""
        return self.to.cases.person

    @property
    def names(self) -> list[str]:
        """The alternatives."""
        return [str(a) for a in self.to.cases.alternatives]

    @cached_property
    def x(self) -> np.ndarray:
        """Attributes (n x J x p)."""
        return self.to.cases.x.reshape(*self.open.shape, -1)

    def probabilities(self, theta: np.ndarray, left: np.ndarray | None = None) -> np.ndarray:
        """Choice probabilities (n x J), or with ``left`` (n x H) of the account in each of H states (n x H x J)."""
        v = np.log(np.maximum(self.model.predict(self.to, theta)[0], 1e-300)).reshape(self.open.shape)
        there = self.open
        if left is not None:
            v, within = v[:, None], self.monthly[:, None] <= left[:, :, None] + CENTIME
            within[:, :, 0] = True
            there = self.open[:, None] & within
        e = np.where(there, np.exp(v - v.max(axis=-1, keepdims=True)), 0.0)
        return e / e.sum(axis=-1, keepdims=True)


def home_costs(market: housing.HomeMarket) -> pd.DataFrame:
    """What each home costs a month (n x alternatives), DH; of one that is bought the loan that savings do not spare."""
    terms, frame = market.terms, market.frame
    cash = frame["savings_dh"].astype(float) + terms.grant_dh
    cost = terms.cost(credit.months_left(frame, terms).to_numpy())
    price, monthly = market.offers["price_dh"].fillna(0.0), {}
    for kind in market.offers.index:
        lent = ((1 + terms.fees) * float(price[kind]) - cash).clip(lower=0.0)
        rent = pd.Series(float(market.instalments[kind]), frame.index)
        monthly[kind] = (lent * cost).fillna(0.0) if kind in housing.BOUGHT else rent
    return pd.DataFrame(monthly, index=frame.index)


def homes(market: housing.HomeMarket, who: pd.Series) -> Side:
    """Homes before the persons of ``who``."""
    allowed = (market.eligible & market.affordable)[who].fillna(False).astype(bool)
    offers = market.offers.assign(instalment_dh=market.instalments)
    long = stated.offered(market.frame[who], market.codebook, housing.BLOCK, market.people, offers)
    return _side(market.fit(), market.design, long, allowed, home_costs(market)[who])


def consumer(market: loans.LoanMarket, who: pd.Series) -> Side:
    """Consumer loans before the persons of ``who``, at their own amounts."""
    allowed = (market.eligible & market.affordable)[who].fillna(False).astype(bool)
    table = market.instalments[who].replace(np.inf, np.nan)
    return _side(market.fit(), market.design, market.put(who), allowed, table)


def _side(fit: ChoiceFit, design: Design, long: pd.DataFrame, allowed: pd.DataFrame, monthly: pd.DataFrame) -> Side:
    """Rows of ``allowed`` and ``monthly`` are the persons of ``long``, in its order."""
    model = modelled(fit)
    to = target(model, design, long, {}, "row", None)
    _, *kinds = map(str, to.cases.alternatives)
    open_, cost = (table.reindex(columns=kinds).fillna(0).to_numpy() for table in (allowed, monthly))
    nothing = np.zeros((len(cost), 1))
    return Side(model, to, np.hstack([nothing == 0, open_.astype(bool)]), np.hstack([nothing, cost.astype(float)]))


@dataclass(frozen=True, eq=False)
class Account:
    """Two products that are drawn on one account: the first from the whole capacity, the second from what it leaves.

    ``capacity`` (n,) is the further instalment a month that the rule allows, DH.
    """

    first: Side
    second: Side
    capacity: np.ndarray

    @cached_property
    def left(self) -> np.ndarray:
        """What each state of the first leaves (n x H), DH a month."""
        return self.capacity[:, None] - self.first.monthly

    def states(self) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities of the first (n x H), and of the second in each of its states (n x H x J)."""
        first, second = self.first, self.second
        return first.probabilities(first.model.theta), second.probabilities(second.model.theta, self.left)

    def drawn(self, quantities: Mapping[str, np.ndarray], alone: bool = False) -> Estimate:
        """What the second product brings a person, by (quantity, alternative); ``alone`` as if there were no first.

        ``quantities`` are by person and alternative (n x J). Both models' errors are in the estimate: the part of the
        people with each model's coefficients is made with the other held fixed, and the people counted once.
        """
        p, q = self.states()
        if alone:
            p, q = np.ones((len(p), 1)), self.second.probabilities(self.second.model.theta)[:, None]
        chance, n = np.einsum("ih,ihj->ij", p, q), self.second.to.cases.design.n
        values = np.zeros((n, len(quantities) * chance.shape[1]))
        values[self.second.rows] = np.hstack([chance * v for v in quantities.values()])
        names = [(quantity, kind) for quantity in quantities for kind in self.second.names]

        def made(side: Side, slopes: Slopes | None) -> Estimate:
            def by_parameter(model: Model, to: Target, parts: Domains) -> np.ndarray:
                w = to.cases.design.weights[to.cases.person]
                shape = (len(names), len(model.theta))
                return np.zeros(shape) if slopes is None else np.vstack(
                    [slopes(p, q, w[:, None] * v) for v in quantities.values()]
                )  # fmt: skip

            measure = values, np.ones((n, 1))
            columns = ["quantity", "alternative"]
            return forecast(side.model, side.to, lambda _: measure, names, columns, None, None, by_parameter)

        parts = {"second": made(self.second, self._by_second)}
        if alone:
            return parts["second"]
        parts |= {"first": made(self.first, self._by_first), "people": made(self.second, None)}
        k, index = len(names), parts["second"].value.index
        slopes = sparse.hstack([sparse.eye_array(k), sparse.eye_array(k), -sparse.eye_array(k)])
        value = parts["second"].value.to_numpy()
        return joint(parts).apply(lambda _: pd.Series(value, index=index), slopes)

    def _by_second(self, p: np.ndarray, q: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Derivative (J x p) by the second's coefficients: of P(j | h) it is P(j | h)(x_j - mean of x in h)."""
        x, each = self.second.x, v[:, None] * p[:, :, None] * q
        centre = np.einsum("ihj,ijp->ihp", q, x)
        return np.einsum("ihj,ijp->jp", each, x) - np.einsum("ihj,ihp->jp", each, centre)

    def _by_first(self, p: np.ndarray, q: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Derivative (J x p) by the first's coefficients."""
        x, each = self.first.x, v[:, None] * p[:, :, None] * q
        centre = np.einsum("ih,ihp->ip", p, x)
        return np.einsum("ihj,ihp->jp", each, x) - np.einsum("ihj,ip->jp", each, centre)

    def simulated(self, rng: np.random.Generator) -> pd.DataFrame:
        """One draw of everybody's products: places of the two alternatives and both instalments a month."""
        p, q = self.states()
        rows = np.arange(len(p))
        state = _drawn(p, rng)
        taken = _drawn(q[rows, state], rng)
        first, second = self.first.monthly[rows, state], self.second.monthly[rows, taken]
        return pd.DataFrame({"first": state, "second": taken, "first_dh": first, "second_dh": second})


Slopes = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def _drawn(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A place of each row, with the probabilities of the row."""
    return (p.cumsum(axis=1) < rng.random((len(p), 1)) * p.sum(axis=1, keepdims=True)).sum(axis=1)


def account(home: housing.HomeMarket, loan: loans.LoanMarket, order: tuple[str, str] = ("home", "loan")) -> Account:
    """Those who want a consumer loan and of whom both can be computed, on one account of the member's means."""
    who = home.computed & loan.computed
    sides = {"home": homes(home, who), "loan": consumer(loan, who)}
    return Account(sides[order[0]], sides[order[1]], loan.capacity[who].to_numpy(float))

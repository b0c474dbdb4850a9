r"""Take-up and amount of loans, consumer and housing apart: three models of the same answers.

Who wants a loan is asked of everybody, the amount a of those who do. With z and x what is known of a person,

* two parts: :math:`P(\text{wants}) = \Phi(z'\gamma)`, :math:`\log a = x'\beta + \sigma\varepsilon`, independent;
* Heckman (1979): the same with :math:`\mathrm{corr}(u, \varepsilon) = \rho`; children and crowding stand in z alone;
* Tobit (1958): one cause of both, :math:`a = \max(0, x'\beta + \sigma\varepsilon)`, so that :math:`\beta / \sigma` is
  the probit's :math:`\gamma`.

Those who want a loan of the other kind tell their wish and no amount in all three: the kind is taken not to depend on
the errors. All are compared by the likelihood of persons left out, a density a dirham. `rounded` is Heckman's model of
amounts as told, which lie within half of the round figure that they are multiples of (`budgets`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from ..estimation import Design, heckman, interval_regression, joint, linear, probit, wald
from ..estimation.linear_models import log_normal
from ..estimation.regression import Regression
from ..estimation.selection import selection_kernel
from ..estimation.tests import Test
from .budgets import rounding
from .loans import BLOCK, HOUSING
from .stated import persons

KINDS = ("consumer", "housing")
OUTCOME = ("log_income", "decade", "active", "tenant")
ALONE = ("crowded", "children")
WISH = (*OUTCOME, "wants_home", "indebted", *ALONE)
UNIT_DH = 1e5  # of the Tobit
MODELS = ("two_part", "heckman", "tobit")


def told(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Columns of the models of one kind of loan.

    ``wants`` any loan (0 or 1), ``log_amount`` and its bounds ``low`` and ``high`` where one of this kind is wanted,
    ``least`` and ``most``: what is known of the Tobit's latent amount, in `UNIT_DH`.
    """
    wants = frame["wants_loan"].map({"yes": 1.0, "no": 0.0}).astype(float)
    purpose, adult = frame["loan_purpose"], (frame["age"] >= 18).fillna(False).astype(bool)
    own = (purpose.isin(HOUSING) == (kind == "housing")) & purpose.notna() & (wants == 1)
    amount = frame["loan_amount_dh"].where((frame["loan_amount_dh"] > 0) & own).astype(float)
    none = pd.Series(np.nan, index=frame.index)
    flags = {name: frame.get(c, none).eq("yes").fillna(False).astype(float) for name, c in
             (("wants_home", "wants_home"), ("indebted", "has_loan"))}  # fmt: skip
    known = persons(frame, BLOCK).assign(**flags, children=frame.get("children_n", none).fillna(0).astype(float))
    step = rounding(amount)
    latent = {"least": amount / UNIT_DH, "most": amount / UNIT_DH}
    latent["least"] = latent["least"].mask(wants == 0, -np.inf).mask(amount.isna() & (wants == 1), 0.0)
    latent["most"] = latent["most"].mask(wants == 0, 0.0).mask(amount.isna() & (wants == 1), np.inf)
    return known.assign(
        wants=wants.where(adult), log_amount=np.log(amount), amount=amount, low=np.log(amount - step / 2),
        high=np.log(amount + step / 2), **{name: column.where(adult) for name, column in latent.items()},
    )  # fmt: skip


def formula(left: str, columns: tuple[str, ...]) -> str:
    """``left ~ a + b``."""
    return f"{left} ~ {' + '.join(columns)}"


def take_up(design: Design, columns: pd.DataFrame, where: pd.Series | None = None) -> Regression:
    """Probit of the wish for a loan: the first of two parts."""
    return probit(design, columns, formula("wants", WISH), where)


def amounts(design: Design, columns: pd.DataFrame, where: pd.Series | None = None) -> Regression:
    """Least squares of the log amount of those who tell one: the second of two parts."""
    return linear(design, columns, formula("log_amount", OUTCOME), where)


def selected(design: Design, columns: pd.DataFrame, where: pd.Series | None = None) -> Regression:
    """Heckman's model; those who want the other kind of loan tell the selection alone."""
    return heckman(design, columns, formula("log_amount", OUTCOME), formula("wants", WISH), "ml", where, "selected")


def censored(design: Design, columns: pd.DataFrame, where: pd.Series | None = None) -> Regression:
    """Tobit of the amount, nothing where no loan is wanted, above nothing where one of the other kind is."""
    return interval_regression(design, columns, formula("", WISH), "least", "most", where)


def rounded(design: Design, columns: pd.DataFrame) -> Regression:
    """Heckman's model of a log amount known to within the round figure that it was told in."""
    wish, bounds = formula("wants", WISH), ("low", "high")
    return heckman(design, columns, formula("", OUTCOME), wish, unseen="selected", bounds=bounds)


def fits(design: Design, columns: pd.DataFrame, where: pd.Series | None = None) -> dict[str, Regression]:
    """Both parts, Heckman's model and the Tobit, by name."""
    made = {"take_up": take_up, "amounts": amounts, "heckman": selected, "tobit": censored}
    return {name: make(design, columns, where) for name, make in made.items()}


def proportional(fits: Mapping[str, Regression], names: tuple[str, ...] = WISH) -> Test:
    r"""Wald test that the ``tobit``'s :math:`\beta / \sigma` is the probit ``take_up``'s :math:`\gamma`, by ``names``.

    A Tobit has one cause of taking part and of the amount; where this fails the two differ (Lin and Schmidt 1984, in
    the form of Hausman 1978: both estimates are of the same people, so their covariance is known).
    """
    pair = joint({name: fits[name] for name in ("tobit", "take_up")})
    at = [pair.value.index.get_indexer([(m, c) for c in names]) for m in ("tobit", "take_up")]
    place = pair.value.index.get_loc(("tobit", "sigma"))
    return wald(pair.apply(partial(_gaps, at=at, sigma=place)))


def _gaps(values: pd.Series, at: list[np.ndarray], sigma: int) -> pd.Series:
    x = values.to_numpy()
    return pd.Series(x[at[0]] / x[sigma] - x[at[1]])


def excluded(design: Design, columns: pd.DataFrame) -> Test:
    """Wald test that crowding does not move the amount, with children left to tell the two equations apart.

    In a regression of those who want a loan both would seem to, as they move the wish and errors are correlated.
    """
    outcome = formula("log_amount", (*OUTCOME, ALONE[0]))
    fit = heckman(design, columns, outcome, formula("wants", WISH), unseen="selected")
    return wald(fit.apply(lambda v: v[[ALONE[0]]]))


def scores(fits: Mapping[str, Regression], columns: pd.DataFrame) -> pd.DataFrame:
    """Log-likelihood of each row by model (rows x `MODELS`); NA where wish or features are missing.

    Wish and amount as a probability and a density a dirham; of who wants the other kind the wish alone.
    """
    one = np.ones((len(columns), 1))
    x, z = (np.hstack([one, columns[list(names)].to_numpy(float)]) for names in (OUTCOME, WISH))
    wants, amount = columns["wants"].to_numpy(), columns["amount"].to_numpy()
    told = ~np.isnan(amount)
    turned = np.where(wants == 1, 1.0, -1.0)
    log, logs = np.log(np.where(told, amount, 1.0)), {}
    first, second = fits["take_up"], fits["amounts"]
    residual = second.frame.loc[second.rows, "log_amount"] - _linear(second, second.frame.loc[second.rows], OUTCOME)
    spread = np.sqrt(np.average(residual**2, weights=second.design.weights[second.rows]))
    own = stats.norm.logpdf(log, x @ _values(second, OUTCOME), spread) - log
    logs["two_part"] = log_normal(turned * (z @ _values(first, WISH)))[0] + np.where(told, own, 0.0)
    full = fits["heckman"]
    eta = z @ _values(full, WISH, "selection: ") * np.where(told | (wants == 0), 1.0, -1.0)
    fixed = (np.full(len(x), value) for value in (np.log(full.value["sigma"]), np.arctanh(full.value["rho"])))
    logs["heckman"] = selection_kernel(told, log)(x @ _values(full, OUTCOME), eta, *fixed)[0] - np.where(told, log, 0.0)
    one_cause, sigma = z @ _values(fits["tobit"], WISH), fits["tobit"].value["sigma"]
    density = stats.norm.logpdf(np.where(told, amount, 0.0) / UNIT_DH, one_cause, sigma) - np.log(UNIT_DH)
    logs["tobit"] = np.where(told, density, log_normal(turned * one_cause / sigma)[0])
    return pd.DataFrame(logs, index=columns.index)[list(MODELS)].mul(np.where(np.isnan(wants), np.nan, 1.0), axis=0)


def _values(fit: Regression, names: tuple[str, ...], prefix: str = "") -> np.ndarray:
    return fit.value[[f"{prefix}{name}" for name in ("Intercept", *names)]].to_numpy()


def _linear(fit: Regression, columns: pd.DataFrame, names: tuple[str, ...]) -> pd.Series:
    return fit.value["Intercept"] + columns[list(names)] @ fit.value[list(names)]


def hold_out(design: Design, columns: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Weighted mean log-likelihood of persons whom a model did not see, by model, and how many these are.

    Fitted to a random half; of each model also the mean difference to ``two_part`` and its standard error, over
    persons (Vuong 1989, with weights).
    """
    half = pd.Series(rng.random(len(columns)) < 0.5, index=columns.index)
    found = scores(fits(design, columns, half), columns)[~half].dropna()
    w = pd.Series(design.weights, columns.index)[found.index].to_numpy()
    gaps = found.sub(found["two_part"], axis=0)
    level, gap = (w @ found.to_numpy() / w.sum(), w @ gaps.to_numpy() / w.sum())
    se = np.sqrt((w[:, None] ** 2 * (gaps.to_numpy() - gap) ** 2).sum(axis=0)) / w.sum()
    return pd.DataFrame({"score": level, "gap": gap, "se": se, "persons": len(found)}, index=list(found))

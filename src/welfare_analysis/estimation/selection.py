r"""Heckman's model of an outcome that is seen for a part only (Heckman 1979).

Selection :math:`s = 1[z'\gamma + u > 0]`, outcome :math:`y = x'\beta + \sigma\varepsilon` seen where s = 1,
:math:`\mathrm{corr}(u, \varepsilon) = \rho`. Two steps: probit, then least squares on x and the inverse Mills ratio
:math:`\lambda = \phi(z'\gamma)/\Phi(z'\gamma)`, whose coefficient is :math:`\rho\sigma`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..errors import WelfareError
from .columns import one_of, positive
from .counts import EXPONENT
from .design import Design
from .fit import Likelihood, maximise
from .formulas import Cases, cases
from .linear_models import log_normal, probit_kernel, share_likelihood, yes_or_no
from .regression import Kernel, Regression, Shown, blocks, fitted, least_squares, likelihood, regression, scores
from .rerun import rerun

ALONE = "No column is in the selection alone: only the shape of the normal law tells selection from outcome."
FISHER: Shown = (np.tanh, lambda zeta: 1 - np.tanh(zeta) ** 2)


@rerun
def heckman(
    design: Design, frame: pd.DataFrame, outcome: str, selection: str, method: str = "ml", where: Any = None
) -> Regression:
    """Selection and outcome.

    Parameters
    ----------
    design, frame, where
        As for `linear`.
    outcome : str
        ``"y ~ columns"``; y and the columns need not be known where it is not selected.
    selection : str
        ``"s ~ columns"``, s yes or no.
    method : {"ml", "two-step"}
        Maximum likelihood, or Heckman's two steps, which suppose less and tell less; these have no likelihood (nan).

    Returns
    -------
    Regression
        ``value``: the outcome's coefficients, ``"selection: ..."``, with two steps ``inverse Mills``, then ``sigma``
        and ``rho``. The influence of two steps is stacked (Newey and McFadden 1994, section 6): it holds the error of
        the first in the second. Predictions are of the outcome of everybody, selected or not. ``notes`` says where no
        column is in the selection alone. The null has constants and a rho of 0.

    Raises
    ------
    WelfareError
        As for `linear` and `logistic`.
    """
    one_of(method, ("ml", "two-step"), "heckman")
    chosen = cases(design, frame, selection, where)
    seen = yes_or_no(chosen) == 1
    mask = np.zeros(design.n, dtype=bool)
    mask[chosen.rows[seen]] = True
    if not mask.any():
        raise WelfareError("nobody is selected", where=chosen.label, got=0, expected="some rows with the outcome")
    part = cases(design, frame, outcome, mask)
    chosen = chosen.at(~seen | np.isin(chosen.rows, part.rows))
    positive(chosen.w, chosen.label)
    only = set(chosen.names) - set(part.names)
    labels = [*part.names, *(f"selection: {name}" for name in chosen.names)]
    more: dict[str, Any] = {
        "specs": (part.spec,),
        "outcomes": (part.label,),
        "notes": () if only else (ALONE,),
        "expected": lambda theta, x: (x @ theta[: x.shape[1]])[:, None],
    }
    s = np.isin(chosen.rows, part.rows)
    picked = s.astype(float)
    if s.all():
        raise WelfareError("everybody is selected", where=chosen.label, got=len(s), expected="some rows without")
    gamma, first = maximise(
        np.zeros(chosen.x.shape[1]),
        likelihood(probit_kernel(picked), blocks(chosen.x), chosen.w),
        labels[len(part.names) :],
        chosen.label,
    )
    steps = _two_steps(chosen, part, picked, gamma, first)
    if method == "two-step":
        names = [*labels, "inverse Mills", "sigma", "rho"]
        return regression(chosen, names, *steps, q=len(part.names) + 1, **more)
    x, y, q = np.zeros((len(s), part.x.shape[1])), np.zeros(len(s)), len(labels)
    x[s], y[s] = part.x, part.numbers()
    one = np.ones((len(s), 1))
    sigma, rho = steps[0][-2:]
    start = np.concatenate([steps[0][:q], [np.log(sigma), np.arctanh(np.clip(rho, -0.8, 0.8))]])
    kernel, null = selection_kernel(s, y), _null(picked, part, chosen.w)
    more["scales"] = {"sigma": EXPONENT, "rho": FISHER}
    return fitted(chosen, labels, kernel, blocks(x, chosen.x, one, one), start, null, **more)


def _null(picked: np.ndarray, part: Cases, w: np.ndarray) -> float:
    """Log-likelihood of constants with a rho of 0: a share, and a normal law."""
    variance = np.cov(part.numbers(), aweights=part.w, ddof=0)
    normal = -part.w.sum() / 2 * (np.log(2 * np.pi * variance) + 1)
    return float(normal + share_likelihood(w, picked))


def _two_steps(
    chosen: Cases, part: Cases, picked: np.ndarray, gamma: np.ndarray, first: Likelihood
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, moments (cases x p) and minus the derivative of their weighted sum (p x p)."""
    q, r, s = part.x.shape[1], len(gamma), np.isin(chosen.rows, part.rows)
    z, w, y = chosen.x[s], part.w, part.numbers()
    eta = z @ gamma
    mills = log_normal(eta)[1]
    slope = -mills * (mills + eta)
    x = np.column_stack([part.x, mills])
    lengths = np.sqrt((x**2).sum(axis=0))
    if np.linalg.cond(x / lengths) > 1e10:
        hint = "Put a column into the selection that the outcome does not have."
        raise WelfareError("the inverse Mills ratio is collinear", where=part.label, got=part.names, hint=hint)
    beta = least_squares(x, y, w)
    e, size, b = y - x @ beta, w.sum(), beta[-1]
    variance = w @ (e**2 - b**2 * slope) / size
    sigma = np.sqrt(variance)
    value = np.concatenate([beta[:-1], gamma, [b, sigma, b / sigma]])
    own, probit = np.append(np.arange(q), q + r), np.arange(q, q + r)
    at_sigma, at_rho = q + r + 1, q + r + 2
    score, information = np.zeros((len(s), len(value))), np.zeros((len(value), len(value)))
    score[:, probit] = scores(probit_kernel(picked), blocks(chosen.x), gamma)
    score[np.ix_(s, own)] = x * e[:, None]
    score[s, at_sigma] = e**2 - b**2 * slope - variance
    weighted = x * w[:, None]
    information[np.ix_(probit, probit)] = first.information
    information[np.ix_(own, own)] = weighted.T @ x
    information[np.ix_(own, probit)] = (weighted * (b * slope)[:, None]).T @ z
    information[q + r, probit] -= (w * e * slope) @ z
    bend = slope * (2 * mills + eta) + mills
    information[at_sigma, probit] = (2 * w * e * b * slope - b**2 * w * bend) @ z
    information[at_sigma, q + r], information[at_sigma, at_sigma] = 2 * b * (w @ slope), 2 * sigma * size
    information[at_rho, [q + r, at_sigma, at_rho]] = size * np.array([-1, b / sigma, sigma])
    return value, score, information


def selection_kernel(s: np.ndarray, y: np.ndarray) -> Kernel:
    r"""The kernel in (outcome, selection, log sigma, atanh rho).

    Selected: the density of :math:`r = (y - x'\beta)/\sigma` and :math:`\Phi(a)`,
    :math:`a = z'\gamma \cosh\zeta + r \sinh\zeta` with :math:`\rho = \tanh\zeta`; others :math:`\Phi(-z'\gamma)`.
    """

    def kernel(
        mean: np.ndarray, eta: np.ndarray, tau: np.ndarray, zeta: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        scale, cosh, sinh = np.exp(-tau), np.cosh(zeta), np.sinh(zeta)
        r = np.where(s, (y - mean) * scale, 0.0)
        a = np.where(s, eta * cosh + r * sinh, -eta)
        value, mills = log_normal(a)
        value = value + np.where(s, -(r**2) / 2 - tau - np.log(2 * np.pi) / 2, 0.0)
        none = np.zeros_like(r)
        turn = eta * sinh + r * cosh
        slope = np.where(s, [-scale * sinh, cosh, -r * sinh, turn], [none, none - 1, none, none])
        bend = np.array(
            [
                [none, none, scale * sinh, -scale * cosh],
                [none, none, none, sinh],
                [scale * sinh, none, r * sinh, -r * cosh],
                [-scale * cosh, sinh, -r * cosh, a],
            ]
        )
        own = np.array([r * scale, none, r**2 - 1, none])
        curve = np.zeros_like(bend)
        curve[0, 0], curve[2, 2] = -(scale**2), -2 * r**2
        curve[0, 2] = curve[2, 0] = -2 * r * scale
        second = -mills * (mills + a) * slope[:, None] * slope[None] + np.where(s, mills * bend + curve, 0.0)
        return value, mills * slope + np.where(s, own, 0.0), second

    return kernel

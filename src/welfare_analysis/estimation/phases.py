r"""Two phases: units drawn from drawn units, in classes.

For a first phase with the terms :math:`c_g T_g^2` and a second phase that is a simple random sample in each class,
:math:`\hat V_1` of result 9.3.1 of Särndal, Swensson and Wretman (1992) divides each product of two units by their
joint probability in phase 2. In one class that is :math:`\pi_a \pi_{kl|a}^{-1}` times the product of the weights; so
each term of the first phase is seen by the observed units and corrected in the cells of group and class, and in the
single rows. :math:`\hat V_2` has the terms of the second phase.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import WelfareError
from .stages import Sampling, Term, cross, simplify

if TYPE_CHECKING:
    from .design import Design


def two_phases(phase1: Design, phase2: Design) -> tuple[np.ndarray, Sampling]:
    """Weights of the observed units and the terms of their variance; see `Design.two_phase`."""
    rows = _rows(phase1, phase2)
    classes = phase2.sampling.strata
    rate, joint = _rates(phase1, phase2)
    n, own = len(rows), np.zeros(len(rows))
    terms: list[Term] = []
    for term in phase1.sampling.terms:
        seen = term.at(rows)
        c = seen.coefficients[seen.codes]
        cells, first = cross(seen.codes, classes)
        terms += [seen, Term(cells, (c * (joint[classes] - 1))[first])]
        own += c * (rate[classes] - joint[classes])
    terms += [Term(np.arange(n), own), *phase2.sampling.terms]
    spread = sum((t.coefficients[t.codes] for t in terms if len(t.coefficients) == n), np.zeros(n))
    sampling = Sampling(simplify(terms, n), np.arange(n), phase1.sampling.strata[rows], np.abs(spread) > 0)
    return phase1.weights[rows] * phase2.weights, sampling


def _rows(phase1: Design, phase2: Design) -> np.ndarray:
    """Where the rows of ``phase2`` are in ``phase1``."""
    if phase1.residuals is not None or phase2.residuals is not None:
        raise WelfareError("a phase is calibrated already", where="two_phase", hint="Calibrate the result.")
    if any(d.model or any(t.mix is not None for t in d.sampling.terms) for d in (phase1, phase2)):
        what = "a phase is of replicate weights, or of the superpopulation"
        raise WelfareError(what, where="two_phase", expected="strata, PSUs and counts")
    if phase1.index.has_duplicates or phase2.index.has_duplicates:
        raise WelfareError("a row occurs twice", where="two_phase", expected="an index that names each row")
    rows = phase1.index.get_indexer(phase2.index)
    if (rows < 0).any():
        raise WelfareError(
            "rows of phase 2 are not in phase 1",
            where="two_phase",
            got=int((rows < 0).sum()),
            expected="0 rows",
            hint="Give both designs weights with the same index.",
        )
    return rows


def _rates(phase1: Design, phase2: Design) -> tuple[np.ndarray, np.ndarray]:
    r"""Of each class the sampling rate :math:`\pi_a` and the ratio :math:`\pi_a^2 / \pi_{kl|a}` of two of its units."""
    classes = phase2.sampling.strata
    drawn = np.bincount(classes)
    rate = drawn / np.bincount(classes, weights=phase2.weights)
    size = drawn / rate
    if not np.isclose(size.sum(), phase1.n, rtol=1e-9):
        what = "the weights of phase 2 do not add up to the units of phase 1"
        hint = "Use weights = fpc / n in each class, with fpc the count of phase-1 units in it."
        raise WelfareError(what, where="two_phase", got=float(size.sum()), expected=f"{phase1.n}", hint=hint)
    pair = np.divide(rate * (drawn - 1), size - 1, out=np.ones(len(size)), where=size - 1 > 1e-9)
    joint = np.where(rate < 1 - 1e-12, rate**2 / np.where(pair > 0, pair, np.nan), 1.0)
    if np.isnan(joint).any():
        what = "one unit stands for a class of several"
        got = int(np.isnan(joint).sum())
        expected = "two observed units a class, or all of it"
        raise WelfareError(what, where="two_phase", got=got, expected=expected, hint="Merge classes.")
    simple = np.divide((1 - rate) * drawn, drawn - 1, out=np.zeros(len(size)), where=drawn > 1)
    coefficients = phase2.sampling.terms[0].coefficients  # of single rows: zero for clusters, larger without fpc
    if not (
        np.allclose(coefficients, simple[classes], rtol=1e-6, atol=1e-9)
        and np.allclose(phase2.weights * rate[classes], 1.0, rtol=1e-6)
    ):
        what = "phase 2 is not a simple random sample in each class"
        expected = "a row a unit, with weights = fpc / n in each class"
        hint = "fpc is the count of phase-1 units in the class; weights do not differ in it."
        raise WelfareError(what, where="two_phase", expected=expected, hint=hint)
    return rate, joint

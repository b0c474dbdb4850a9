r"""Stated and revealed choices in one model, with a scale for each source.

In source s the utility is :math:`\mu_s (x'\beta + o)`, with :math:`\mu = 1` in the reference source: what differs
between sources is how much chance there is in the answers, not the tastes (Ben-Akiva and Morikawa 1990; Train 2009,
section 7.2). That is a tree
where each row is a nest whose inclusive value, its utility, is multiplied by the scale (Hensher and Bradley 1993).
Constants that differ by source are interactions, ``C(alternative):C(source)``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ...errors import WelfareError
from ..design import Design
from ..fit import Likelihood
from ..rerun import rerun
from .data import Cases, choices
from .logit import fitted, means, pilot, result, softmax, spread
from .nested import Tree, TreeFit, climbed


@rerun
def pooled_logit(
    design: Design | None,
    long: pd.DataFrame,
    formula: str,
    case: str,
    alternative: str,
    source: str,
    reference: Any,
    person: str | None = None,
    offset: str | None = None,
) -> TreeFit:
    """Fit one utility to choices of several sources, with a scale for each source but the reference.

    Parameters
    ----------
    design, long, formula, case, alternative, person, offset
        As for `choices`. One row of the design may have cases of several sources.
    source : str
        Column of ``long``: from where the case is, for instance stated or revealed.
    reference : label
        The source of scale 1: the revealed choices, whose market shares are to be forecast.

    Raises
    ------
    WelfareError
        As for `choices` and `maximise`; a case of two sources; a reference that is no source; one source only.
    """
    cases = choices(design, long, formula, case, alternative, person, offset)
    if source not in long.columns or long[source].isna().any():
        raise WelfareError("sources are missing", where=source, expected="a column with a value in each row")
    return _fitted(cases, long[source].to_numpy(), source, reference)


def _fitted(cases: Cases, sources: np.ndarray, source: str, reference: Any) -> TreeFit:
    """The pooled logit, given the source of each row of the caller's frame."""
    label = sources[cases.order]
    own = label[cases.start]
    if (label != own[cases.case]).any():
        got = f"case {cases.labels[cases.case[int(np.argmax(label != own[cases.case]))]]}"
        raise WelfareError("a case has two sources", where=source, got=got, expected="one source a case")
    others = [name for name in pd.unique(own) if name != reference]
    if not others or len(others) == len(pd.unique(own)):
        expected = "the reference and another source"
        raise WelfareError("the sources do not fit", where=source, got=list(pd.unique(own)), expected=expected)
    parameter = np.select([label == name for name in others], range(len(others)), -1)
    rows = np.arange(len(label))
    names = [f"scale[{name}]" for name in others]
    tree = Tree(cases, rows, rows, cases.start, parameter, names, divided=False)

    def again(part: Cases) -> TreeFit:
        return _fitted(part, sources, source, reference)

    start = pilot(cases, again, lambda: np.append(fitted(cases).value, np.ones(len(others))))
    theta, at, scores = climbed(tree, [start], "pooled_logit", scaled)
    return result(TreeFit, cases, [*cases.names, *names], theta, at, scores, tree=tree, again=again)


def scaled(tree: Tree, theta: np.ndarray) -> tuple[Likelihood, np.ndarray]:
    r"""As `nested.evaluated` where each row is a nest: a softmax of :math:`\mu u`, with :math:`f' = (\mu x, u)`.

    The only second derivative of :math:`\mu (x'\beta + o)` is x, by the scale and the coefficients.
    """
    cases, x, p, q = tree.cases, tree.x, tree.x.shape[1], len(tree.names)
    u, scale, w = x @ theta[:p] + cases.offset, np.append(theta[p:], 1.0)[tree.parameter], cases.weights
    chance, logsum = softmax(scale * u, tree.top)
    of_case, own = scale[tree.top], tree.own[tree.top]
    mean, level = means(x, chance, tree.top), np.add.reduceat(chance * u, tree.top)
    above = u - np.repeat(level, cases.sizes)
    scores = np.hstack([of_case[:, None] * (x[cases.chosen] - mean), above[cases.chosen, None] * own])
    weight = chance * np.repeat(w, cases.sizes)
    info = np.zeros((p + q, p + q))
    info[:p, :p] = spread(x, mean, weight * scale**2, tree.top)
    info[p:, p:] = np.diag((weight * above**2) @ tree.own)
    cross = weight * (1 + scale * above)
    cross[cases.chosen] -= w
    info[p:, :p] = (tree.own * cross[:, None]).T @ x
    info[:p, p:] = info[p:, :p].T
    return Likelihood(float(w @ ((scale * u)[cases.chosen] - logsum)), w @ scores, info), scores

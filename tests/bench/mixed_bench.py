"""Mixed logit: the Electricity panel (361 people, 4,308 choices), and 80,000 made-up choosers.

Electricity is a whole fit on the same 600 Halton draws from the same start; ours ends with the exact information and
the covariance of the design. The large case is one evaluation: ours of log-likelihood, gradient and information, with
512 draws that it makes anew; xlogit's of log-likelihood and gradient, with 500 in ten parts of 8,000 choosers one after
the other, its draws ready. Ours has all cores (NUMBA_NUM_THREADS); what xlogit does in NumPy has one, but for what BLAS
shares out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from timing import Case

from welfare_analysis.estimation.choice import logit, mixed_logit
from welfare_analysis.estimation.choice.simulation import Panel, net

ELECTRICITY = Path(__file__).parents[2] / "data" / "reference" / "electricity.csv.gz"
NAMES = ["pf", "cl", "loc", "wk", "tod", "seas"]
PERSONS, ALTERNATIVES, ATTRIBUTES, DRAWS = 80_000, 5, 10, 512
PART, THEIRS = 8_000, 500
THEM = "xlogit, 500 draws, ten parts of 8,000, no information"


def contracts() -> tuple[Callable[[], object], Callable[[], object] | None]:
    """Our fit to Electricity, and xlogit's."""
    try:
        from xlogit import MixedLogit
    except ImportError:
        return lambda: None, None
    long = pd.read_csv(ELECTRICITY)
    model = {"formula": f"choice ~ {' + '.join(NAMES)}", "case": "chid", "alternative": "alt", "person": "id"}
    start = np.append(logit(None, long, **model).value, np.full(6, 0.1))
    generator = MixedLogit()
    generator._rvdist = ["n"] * 6
    halton = generator._generate_draws(361, 600)

    def ours() -> object:
        return mixed_logit(None, long, **model, random=dict.fromkeys(NAMES, "normal"), normals=halton, starts=start).se

    def theirs() -> None:
        MixedLogit().fit(
            X=long[NAMES],
            y=long["choice"],
            varnames=NAMES,
            alts=long["alt"],
            ids=long["chid"],
            panels=long["id"],
            randvars=dict.fromkeys(NAMES, "n"),
            n_draws=600,
            init_coeff=start,
            verbose=0,
        )

    return ours, theirs


def evaluation() -> Callable[[], object]:
    """One evaluation of ours for 80,000 choosers."""
    from welfare_analysis.estimation.choice.kernel import compiled

    rng = np.random.default_rng(0)
    rows, cases = np.arange(PERSONS + 1) * (ALTERNATIVES - 1), np.arange(PERSONS + 1)
    x = rng.normal(size=(rows[-1], ATTRIBUTES))
    draws = net(ATTRIBUTES, DRAWS, PERSONS, rng)
    panel = Panel(x, rows, cases, cases[:-1], np.zeros(ATTRIBUTES, bool), draws)
    mean, sd = np.full(ATTRIBUTES, 0.3), np.full(ATTRIBUTES, 0.2)
    return lambda: compiled(panel, mean, sd, np.empty(0), np.ones(PERSONS))


def peer() -> Callable[[], object] | None:
    """The same of xlogit, in ten parts."""
    try:
        from xlogit import MixedLogit
    except ImportError:
        return None
    rng = np.random.default_rng(0)
    model = MixedLogit()
    model._rvidx, model._rvdist = np.ones(ATTRIBUTES, bool), ["n"] * ATTRIBUTES
    x = rng.normal(size=(PART, ALTERNATIVES - 1, ATTRIBUTES))
    draws = rng.normal(size=(PART, ATTRIBUTES, THEIRS))
    theta = np.append(np.full(ATTRIBUTES, 0.3), np.full(ATTRIBUTES, 0.2))

    def run() -> None:
        for _ in range(PERSONS // PART):
            model._loglik_gradient(theta, x, None, draws, None, None, None, None, PART)

    return run


def cases() -> list[Case]:
    """Electricity, and 80,000 choosers, beside xlogit."""
    ours, theirs = contracts()
    large = f"mixed logit {PERSONS:,} x {ALTERNATIVES} x {ATTRIBUTES} x {DRAWS}, one evaluation"
    return [
        Case("mixed logit Electricity, 600 draws, fit", ours, {"xlogit": theirs}, {"xlogit": 15}),
        Case(large, evaluation(), {THEM: peer()}, {THEM: 8}),
    ]

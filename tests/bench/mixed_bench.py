"""Mixed logit: the Electricity panel (361 people, 4,308 choices), and 80,000 made-up choosers.

Electricity is a whole fit on the same 600 Halton draws from the same start; ours ends with the exact information and
the covariance of the design. The large case is one evaluation of log-likelihood and gradient: ours with 512 draws that
it makes anew, in single precision as on the way to a maximum, and in double as at its end; xlogit, in double, with 500
in ten parts of 8,000 choosers one after the other, its draws ready. The arithmetic limit is what the evaluation cannot
do without: two matrix products of utilities and gradients, at the speed of a large product, and the exponentials, at
the speed of ours in cache; in the same precision and on the same threads. Ours has all cores (NUMBA_NUM_THREADS);
what xlogit does in NumPy has one, but for what BLAS shares out.
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


def evaluation(bits: int) -> Callable[[], object]:
    """One evaluation of ours for 80,000 choosers, in a precision of 32 or 64 bits."""
    from welfare_analysis.estimation.choice.kernel import compiled

    rng = np.random.default_rng(0)
    rows, cases = np.arange(PERSONS + 1) * (ALTERNATIVES - 1), np.arange(PERSONS + 1)
    x = rng.normal(size=(rows[-1], ATTRIBUTES))
    draws = net(ATTRIBUTES, DRAWS, PERSONS, rng)
    panel = Panel(x, np.zeros(len(x)), rows, cases, cases[:-1], np.zeros(ATTRIBUTES, bool), draws)
    mean, sd = np.full(ATTRIBUTES, 0.3), np.full(ATTRIBUTES, 0.2)
    return lambda: compiled(panel, mean, sd, np.empty(0), bits=bits)


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


def limit(bits: int) -> Callable[[], object]:
    """The multiplications and the exponentials of one evaluation, at the best speed that is had here."""
    from concurrent.futures import ThreadPoolExecutor

    from numba import config, njit

    from welfare_analysis.estimation.choice.lanes import BLOCK, REALS, exp

    pairs = PERSONS * DRAWS * (ALTERNATIVES - 1)
    side, kind, parts = 1024, REALS[bits].kind, 64
    a, b = np.random.default_rng(0).normal(size=(2, side, side)).astype(kind)
    products = round(2 * pairs * ATTRIBUTES / side**3)

    @njit(fastmath={"contract"}, nogil=True)
    def exponentials(x: np.ndarray, y: np.ndarray) -> None:
        for _block in range(pairs // BLOCK // parts):
            for r in range(BLOCK):
                y[r] = exp(x[r])
            x[0] += y[0] * y[1]

    def run() -> None:
        with ThreadPoolExecutor(config.NUMBA_NUM_THREADS) as threads:
            list(threads.map(lambda _: a @ b, range(products)))
            list(threads.map(lambda _: exponentials(np.full(BLOCK, -9, kind), np.empty(BLOCK, kind)), range(parts)))

    return run


def cases() -> list[Case]:
    """Electricity beside xlogit; 80,000 choosers beside xlogit and the arithmetic limit."""
    ours, theirs = contracts()
    large = f"mixed logit {PERSONS:,} x {ALTERNATIVES} x {ATTRIBUTES} x {DRAWS}, one evaluation"
    them, least = "xlogit, 500 draws, ten parts of 8,000", "arithmetic limit"
    return [
        Case("mixed logit Electricity, 600 draws, fit", ours, {"xlogit": theirs}, {"xlogit": 15}),
        *(
            Case(f"{large}, {bits} bits", evaluation(bits), {them: peer(), least: limit(bits)}, goals)
            for bits, goals in ((32, {them: 20, least: 0.33}), (64, {least: 0.33}))
        ),
    ]

r"""Simulated log-likelihood of a mixed logit with its derivatives, compiled.

For a unit u (a person over all her cases) and draw r, with :math:`P_{ur} = \prod_c 1 / (1 + \sum_j e^{V_{cjr}})`, j
over the alternatives not chosen and V the utility less that of the chosen, the simulated probability is the mean of
:math:`P_{ur}` over r. With :math:`\omega_{ur} = P_{ur} / \sum_r P_{ur}`, the score :math:`s_u` is the sum over r of
:math:`\omega_{ur} \partial \ln P_{ur}`, and the information :math:`s_u s_u' - \sum_r \omega_{ur} (\partial^2 \ln P_{ur}
+ \partial \ln P_{ur} \, \partial \ln P_{ur}')` (Train 2009, sections 6.6-6.7, 10.3).

A block of draws of one unit stays in a core's cache from the normals to the sums; nothing of the size units x draws is
stored. Units are independent and summed in one order, so the number of threads changes no digit. The only liberty of
the compiler is the fused multiply-add, which rounds once in place of twice.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import config, njit

from .simulation import Panel

BLOCK = 128  # draws that are in work at a time
BOUND = 600.0  # utilities are held within it: there a probability is 0 or 1 to 260 digits
TASKS = 64  # parts of the units, whatever the number of threads
fused = njit(fastmath={"contract"}, error_model="numpy", nogil=True, cache=True)


def compiled(
    panel: Panel, mean: np.ndarray, sd: np.ndarray, fixed: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-likelihoods (U,) of units, scores (U, T): means (K,), fixed coefficients, sd (K,); and the information.

    The information (T, T) is the sum over units times ``weights`` (U,).
    """
    draws, p, U = panel.draws, panel.x.shape[1], len(panel.cases) - 1
    T = p + len(sd)
    value, score = np.empty(U), np.empty((U, T))
    ends = np.linspace(0, U, min(TASKS, U) + 1).astype(int)
    curves = np.zeros((len(ends) - 1, T, T))
    known = panel.x[:, len(mean) :] @ fixed
    choices = (np.ascontiguousarray(panel.x), known, mean, sd, panel.log, panel.rows, panel.cases)
    numbers = (draws.net, draws.shift, draws.given, draws.count)

    def task(part: int) -> None:
        _units(ends[part], ends[part + 1], choices, numbers, weights, value, score, curves[part])

    with ThreadPoolExecutor(config.NUMBA_NUM_THREADS) as threads:  # type: ignore[attr-defined]
        list(threads.map(task, range(len(curves))))
    curve = curves.sum(axis=0)
    return value, score, curve + np.triu(curve, 1).T + np.tril(curve, -1).T + (score * weights[:, None]).T @ score


@fused
def _exponential(x):
    """Replace x (n,) by exp(x)."""
    for r in range(len(x)):
        x[r] = np.exp(min(max(x[r], -BOUND), BOUND))


@fused
def _draw(z, beta, slope, u, block, mean, sd, log, numbers):
    """A block of normals z (K, n) of unit u, its coefficients, and their derivatives by the means."""
    net, shift, given, _ = numbers
    for k in range(len(mean)):
        for r in range(z.shape[1]):
            z[k, r] = given[u, k, block + r] if len(given) else net[k, (block + r) ^ shift[u, k]]
            beta[k, r] = mean[k] + sd[k] * z[k, r]
            slope[k, r] = 1.0
        if log[k]:
            _exponential(beta[k])
            slope[k] = beta[k]


@fused
def _add(out, factor, row):
    """Add a row of numbers times a factor."""
    for r in range(len(out)):
        out[r] += factor * row[r]


@fused
def _multiply(out, row):
    """Multiply by a row of numbers."""
    for r in range(len(out)):
        out[r] *= row[r]


@fused
def _shares(share, ends, logs, total):
    """Exponentials of utilities (rows, n) become shares of their cases; ``logs`` (n,): of all choices of a unit."""
    logs[:] = 0.0
    for c in range(len(ends) - 1):
        total[:] = 1.0
        for row in range(ends[c], ends[c + 1]):
            _add(total, 1.0, share[row])
        for r in range(len(total)):
            logs[r] -= np.log(total[r])
            total[r] = 1.0 / total[r]
        for row in range(ends[c], ends[c + 1]):
            _multiply(share[row], total)


@fused
def _spread(h, share, x, ends, average):
    """Take from h (pairs, n), the mean products of attributes, the products of their means in each case."""
    for c in range(len(ends) - 1):
        average[:] = 0.0
        pair = 0
        for k in range(x.shape[1]):
            for row in range(ends[c], ends[c + 1]):
                _add(average[k], x[row, k], share[row])
        for k in range(x.shape[1]):
            one = average[k]
            for m in range(k, x.shape[1]):
                out, other = h[pair], average[m]
                for r in range(len(out)):
                    out[r] -= one[r] * other[r]
                pair += 1


@fused
def _weigh(moments, likely, g, h, slope, z, log):
    """Minus the derivatives of P by parameters, by draw, and how they go with the normals, in rows of ``moments``.

    They are ``likely`` itself, that times the gradient (p) and the second derivative (pairs), and this times normals.
    """
    p, pair = len(g), 0
    moments[0] = likely
    for k in range(p):
        one, by, out = g[k], slope[k], moments[1 + k]
        for r in range(len(out)):
            out[r] = one[r] * by[r] * likely[r]
        for m in range(k, p):
            own, other, by_m, normal = h[pair], g[m], slope[m], z[m]
            out, tilted = moments[1 + p + pair], moments[1 + p + len(h) + pair]
            for r in range(len(out)):
                out[r] = (own[r] - one[r] * other[r]) * (by[r] * by_m[r]) * likely[r]
            if k == m and k < len(log) and log[k]:
                _add(out, 1.0, moments[1 + k])
            for r in range(len(out)):
                tilted[r] = out[r] * normal[r]
            pair += 1


@fused
def _parameters(sums, bend, products, p, K):
    """Sort ``products``, the sums over draws of `_weigh`'s rows times normals and 1: one place of each pair."""
    pair, pairs = 1 + p, p * (p + 1) // 2
    sums[: 1 + p] += products[: 1 + p, p]
    for k in range(p):
        if k < K:
            sums[1 + p + k] += products[1 + k, k]
        for m in range(k, p):
            bend[k, m] += products[pair, p]
            if m < K:
                bend[k, p + m] += products[pairs + pair, p]
                bend[p + k, p + m] += products[pairs + pair, k]
            if k < K and k < m:
                bend[p + k, m] += products[pair, k]
            pair += 1


@fused
def _units(first, last, choices, numbers, weights, value, score, curve):
    """Units from the first to before the last; curve (T, T) is a sum over them."""
    (x, known, mean, sd, log, rows, cases), count = choices, numbers[-1]
    K, p, n = len(mean), x.shape[1], BLOCK
    sums, bend, pairs = np.empty(1 + p + K), np.empty((p + K, p + K)), p * (p + 1) // 2
    z, beta, slope = np.zeros((p + 1, n)), np.zeros((K, n)), np.ones((p, n))
    z[p] = 1.0  # beside the normals (K), which fixed coefficients have none of
    logs, total, average = np.empty(n), np.empty(n), np.empty((p, n))
    g, h, moments = np.empty((p, n)), np.empty((pairs, n)), np.empty((1 + p + 2 * pairs, n))
    for u in range(first, last):
        ends = rows[cases[u] : cases[u + 1] + 1]
        own, of = x[ends[0] : ends[-1]], known[ends[0] : ends[-1]]
        ends = ends - ends[0]
        by, both, pair = np.ascontiguousarray(own.T), np.empty((pairs, len(own))), 0
        for k in range(p):
            for m in range(k, p):
                both[pair] = by[k] * by[m]
                pair += 1
        varied, share = np.ascontiguousarray(own[:, :K]), np.empty((len(own), n))
        best = -np.inf  # log-probability of the likeliest draw so far: sums are in parts of its probability
        sums[:] = 0.0
        bend[:] = 0.0
        for block in range(0, count, n):
            _draw(z[:K, : count - block], beta, slope, u, block, mean, sd, log, numbers)
            np.dot(varied, beta, share)
            for row in range(len(own)):
                share[row] += of[row]
            _exponential(share.reshape(-1))
            _shares(share, ends, logs, total)
            logs[max(0, count - block) :] = -np.inf
            top = logs.max()
            if top > best:
                sums *= np.exp(best - top)
                bend *= np.exp(best - top)
                best = top
            np.dot(by, share, g)
            np.dot(both, share, h)
            _spread(h, share, own, ends, average)
            _weigh(moments, np.exp(logs - best), g, h, slope, z, log)
            _parameters(sums, bend, np.dot(moments, z.T), p, K)
        value[u] = np.log(sums[0] / count) + best
        score[u] = -sums[1:] / sums[0]
        curve += bend * (weights[u] / sums[0])

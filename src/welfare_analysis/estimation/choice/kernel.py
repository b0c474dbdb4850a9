r"""Simulated log-likelihood of a mixed logit with its derivatives: one fused compiled kernel beside its NumPy version.

For a unit u (a person over all her cases) and draw r, with :math:`P_{ur} = \prod_c 1 / (1 + \sum_j e^{V_{cjr}})`, j
over the alternatives not chosen and V the utility less that of the chosen, the simulated probability is the mean of
:math:`P_{ur}` over r. With :math:`\omega_{ur} = P_{ur} / \sum_r P_{ur}`, the score :math:`s_u` is the sum over r of
:math:`\omega_{ur} \partial \ln P_{ur}`, and the information :math:`s_u s_u' - \sum_r \omega_{ur} (\partial^2 \ln P_{ur}
+ \partial \ln P_{ur} \, \partial \ln P_{ur}')` (Train 2009, sections 6.6-6.7, 10.3).

`compiled` keeps a block of draws of one unit in a core's cache from the normals to the sums; nothing of the size
units x draws is stored. Units are independent and summed in one order, so the number of threads changes no digit. The
only liberty of the compiler is the fused multiply-add, which rounds once in place of twice. Computed is in double
precision, or, on the way to a maximum, in single. Utilities are held to :math:`\pm 600` (single: 60), where a
probability is 0 or 1 to 260 (26) digits.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import config, njit
from scipy import sparse

from .lanes import BLOCK, REALS, copy_eight, dot, exp
from .simulation import SHIFTS, Panel

TASKS = 64  # parts of the units, whatever the number of threads
fused = njit(fastmath={"contract"}, error_model="numpy", cache=True)


def compiled(
    panel: Panel,
    mean: np.ndarray,
    sd: np.ndarray,
    fixed: np.ndarray,
    weights: np.ndarray | None = None,
    bits: int = 64,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-likelihoods (U,) of units, scores (U, T): means (K,), fixed coefficients, sd (K,); and the information.

    The information (T, T) is the sum over units times ``weights`` (U,); without them it is empty, and costs nothing.
    """
    real, draws, (D, p), U = REALS[bits], panel.draws, panel.x.shape, len(panel.cases) - 1
    T = p + len(sd)
    value, score = np.empty(U), np.empty((U, T))
    ends = np.linspace(0, U, min(TASKS, U) + 1).astype(int)
    curves = np.zeros((len(ends) - 1, T, T))
    known = np.append(panel.offset + panel.x[:, len(mean) :] @ fixed, 0.0)
    x = np.zeros((D + 1, p + p % 2), real.kind)  # rows and columns go in pairs
    x[:D, :p] = panel.x
    at = (known.astype(real.kind), mean.astype(real.kind), sd.astype(real.kind))
    sizes = (p, draws.count, *(int(np.diff(ends).max(initial=1)) for ends in (panel.rows, panel.rows[panel.cases])))
    choices = (x, *at, panel.log, panel.rows, panel.cases)
    numbers = (draws.table.astype(real.kind), draws.shift, draws.given)
    step = real.kind(2.0**real.scale)
    given = (choices, numbers, sizes, step, np.empty(0) if weights is None else weights, value, score)

    def task(part: int) -> None:
        _units(ends[part], ends[part + 1], *given, curves[part])

    with ThreadPoolExecutor(config.NUMBA_NUM_THREADS) as threads:  # type: ignore[attr-defined]
        list(threads.map(task, range(len(curves))))
    if weights is None:
        return value, score, np.empty((0, 0))
    curve = curves.sum(axis=0)
    return value, score, curve + np.triu(curve, 1).T + np.tril(curve, -1).T + (score * weights[:, None]).T @ score


def plain(
    panel: Panel, mean: np.ndarray, sd: np.ndarray, fixed: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same in NumPy, with all draws in memory: what `compiled` is tested against."""
    p, K, bound, z = panel.x.shape[1], len(mean), REALS[64].bound, panel.draws.normals()
    beta = mean[:, None] + sd[:, None] * z
    beta[:, panel.log] = np.exp(beta[:, panel.log])
    case, unit = (np.repeat(np.arange(len(ends) - 1), np.diff(ends)) for ends in (panel.rows, panel.cases))
    by_case, by_unit = (
        sparse.csr_array((np.ones(len(of)), (of, np.arange(len(of)))), (len(ends) - 1, len(of)))
        for of, ends in ((case, panel.rows), (unit, panel.cases))
    )
    known = panel.offset + panel.x[:, K:] @ fixed
    e = np.exp(np.clip(known[:, None] + np.einsum("dk,dkr->dr", panel.x[:, :K], beta[unit[case]]), -bound, bound))
    total = 1 + by_case @ e
    logs = -(by_unit @ np.log(total))
    top = logs.max(axis=1, keepdims=True)
    likely = np.exp(logs - top)
    sums = likely.sum(axis=1, keepdims=True)
    share, omega = e / total[case], likely / sums

    by = np.zeros((len(top), p + K, p, z.shape[2]))  # derivative of the coefficients by the parameters
    by[:, range(p), range(p)] = 1
    by[:, range(K), range(K)] = np.where(panel.log[:, None], beta, 1)
    by[:, range(p, p + K), range(K)] = by[:, range(K), range(K)] * z
    averages = [by_case @ (column[:, None] * share) for column in panel.x.T]
    gradient = -np.einsum("utkr,kur->utr", by, np.array([by_unit @ average for average in averages]))
    curve = np.zeros((p + K, p + K))
    for k, one in enumerate(averages):
        for m, other in enumerate(averages):
            spread = by_unit @ (by_case @ ((panel.x[:, k] * panel.x[:, m])[:, None] * share) - one * other)
            curve += np.einsum("utr,usr,ur,u->ts", by[:, :, k], by[:, :, m], spread * omega, weights)
        if k < K and panel.log[k]:
            bend = (by_unit @ one) * omega / beta[:, k]
            curve += np.einsum("utr,usr,ur,u->ts", by[:, :, k], by[:, :, k], bend, weights)
    curve -= np.einsum("utr,usr,ur,u->ts", gradient, gradient, omega, weights)
    score = np.einsum("utr,ur->ut", gradient, omega)
    return top[:, 0] + np.log(sums[:, 0] / z.shape[2]), score, curve + (score * weights[:, None]).T @ score


@fused
def _add_products(out, i, weights, row, first, n, inputs):
    """out[i] and out[i + 1] += n columns, from the first on, of weights[row] and weights[row + 1], times inputs."""
    for k in range(0, n - 3, 4):
        at = first + k
        a, b, c, d = weights[row, at], weights[row, at + 1], weights[row, at + 2], weights[row, at + 3]
        e, f, g, h = weights[row + 1, at], weights[row + 1, at + 1], weights[row + 1, at + 2], weights[row + 1, at + 3]
        for r in range(BLOCK):
            s, t, y, z = inputs[k, r], inputs[k + 1, r], inputs[k + 2, r], inputs[k + 3, r]
            out[i, r] += (a * s + b * t) + (c * y + d * z)
            out[i + 1, r] += (e * s + f * t) + (g * y + h * z)
    for k in range(n - n % 4, n - 1, 2):
        at = first + k
        a, b, c, d = weights[row, at], weights[row, at + 1], weights[row + 1, at], weights[row + 1, at + 1]
        for r in range(BLOCK):
            y, z = inputs[k, r], inputs[k + 1, r]
            out[i, r] += a * y + b * z
            out[i + 1, r] += c * y + d * z
    if n % 2:
        a, b = weights[row, first + n - 1], weights[row + 1, first + n - 1]
        for r in range(BLOCK):
            out[i, r] += a * inputs[n - 1, r]
            out[i + 1, r] += b * inputs[n - 1, r]


@fused
def _draw(flat, z, beta, u, block, mean, sd, log, table, shift, given, count):
    """A block of normals z (K, BLOCK) of unit u, read from the shifted net or as given, and its coefficients."""
    for k in range(len(mean)):
        if len(given):
            for r in range(min(BLOCK, count - block)):
                z[k, r] = given[u, k, block + r]
        else:
            low = shift[u, k] % SHIFTS
            at = (k * SHIFTS + low) * count
            for r in range(0, BLOCK, SHIFTS):
                copy_eight(flat, k * BLOCK + r, table, at + ((block + r) ^ (shift[u, k] - low)))
        m, s = mean[k], sd[k]
        for r in range(BLOCK):
            beta[k, r] = m + s * z[k, r]
        if log[k]:
            for r in range(BLOCK):
                beta[k, r] = exp(beta[k, r])


@fused
def _case(v, total, likely, g, x, known, row, n, beta, p):
    """Multiply ``likely`` by the probability of the choice, and add the expected differences to g."""
    one = v.dtype.type(1)
    for j in range(n + n % 2):
        base = known[row + j]
        for r in range(BLOCK):
            v[j, r] = base
    for j in range(0, n, 2):
        _add_products(v, j, x, row + j, 0, len(beta), beta)
    for r in range(BLOCK):
        total[r] = one
    for j in range(n):
        for r in range(BLOCK):
            e = exp(v[j, r])
            v[j, r] = e
            total[r] += e
    for r in range(BLOCK):
        chosen = one / total[r]
        total[r] = chosen
        likely[0, r] *= chosen
    for j in range(n):
        for r in range(BLOCK):
            v[j, r] *= total[r]
    for k in range(0, p, 2):
        _add_products(g, k, x.T, k, row, n, v)


@fused
def _multiply(products, x, first, end, p):
    """Products of each pair of attributes, in rows, of the alternatives of a unit."""
    pair = 0
    for k in range(p):
        for m in range(k, p):
            for row in range(first, end):
                products[pair, row - first] = x[row, k] * x[row, m]
            pair += 1


@fused
def _spread(h, g, mean, products, first, n, v, p):
    """Add to g the ``mean`` attributes (p, BLOCK) of a case; to h their covariances, products having means by v."""
    for pair in range(0, len(h) - 1, 2):
        _add_products(h, pair, products, pair, first, n, v)
    pair = 0
    for k in range(p):
        for r in range(BLOCK):
            g[k, r] += mean[k, r]
        for m in range(k, p):
            for r in range(BLOCK):
                h[pair, r] -= mean[k, r] * mean[m, r]
            pair += 1


@fused
def _rescale(likely, spare, step):
    """Multiply by the step until the largest is above its inverse; how often."""
    times, low = 0, likely.dtype.type(1) / step
    while True:
        for r in range(BLOCK):
            spare[r] = likely[0, r]
        half = BLOCK // 2
        while half:
            for r in range(half):
                spare[r] = max(spare[r], spare[r + half])
            half //= 2
        if not 0 < spare[0] < low:
            return times
        for r in range(BLOCK):
            likely[0, r] *= step
        times += 1


@fused
def _bend(bend, h, g, spare, likely, beta, z, log, p):
    """Add sums over draws of ``likely`` times minus the second derivative of P, in parts of P, by parameters.

    Of each symmetric pair one place is filled.
    """
    K, pair = len(beta), 0
    for k in range(p):
        for m in range(k, p):
            for r in range(BLOCK):
                spare[0, r] = (h[pair, r] - g[k, r] * g[m, r]) * likely[0, r]
            pair += 1
            if m < K and log[m]:
                for r in range(BLOCK):
                    spare[0, r] *= beta[m, r]
            if k == m and k < K and log[k]:
                for r in range(BLOCK):
                    spare[0, r] += g[k, r] * likely[0, r]
            if k < K and log[k]:
                for r in range(BLOCK):
                    spare[0, r] *= beta[k, r]
            bend[k, m] += dot(spare, 0, z, K)
            if m < K:
                bend[k, p + m] += dot(spare, 0, z, m)
            if k < K:
                for r in range(BLOCK):
                    spare[0, r] *= z[k, r]
                if k < m:
                    bend[p + k, m] += dot(spare, 0, z, K)
                if m < K:
                    bend[p + k, p + m] += dot(spare, 0, z, m)


@fused
def _weigh(sums, likely, g, beta, z, log, p):
    """Add to sums (1 + p + K,): ``likely``; times g, the gradient by coefficients; times z, that by sd."""
    K = len(beta)
    sums[0] += dot(likely, 0, z, K)
    for k in range(p):
        if k < K and log[k]:
            for r in range(BLOCK):
                g[k, r] *= beta[k, r]
        sums[1 + k] += dot(likely, 0, g, k)
        if k < K:
            for r in range(BLOCK):
                g[k, r] *= likely[0, r]
            sums[1 + p + k] += dot(g, k, z, k)


@njit(fastmath={"contract"}, error_model="numpy", nogil=True, cache=True)
def _units(first, last, choices, draws, sizes, step, weights, value, score, curve):
    """Units from the first to before the last, in buffers that they share; curve (T, T) is a sum over them."""
    (x, known, mean, sd, log, rows, cases), (table, shift, given) = choices, draws
    K, (p, count, widest, most), real = len(mean), sizes, x.dtype
    pairs, curved = p * (p + 1) // 2 if len(weights) else 0, len(weights) > 0
    flat, beta, g = np.ones((K + 1) * BLOCK, real), np.empty((K, BLOCK), real), np.empty((p + 1, BLOCK), real)
    z, v, sums = flat.reshape(K + 1, BLOCK), np.empty((widest + 1, BLOCK), real), np.empty(1 + p + K)
    likely, total, mean_of = np.empty((1, BLOCK), real), np.empty(BLOCK, real), np.empty((p + 1, BLOCK), real)
    h, products = np.empty((pairs + 1, BLOCK), real), np.empty((pairs + 1, most), real)
    bend, spare = np.empty((p + K, p + K)), np.empty((1, BLOCK), real)
    products[:] = 0
    for u in range(first, last):
        sums[:] = 0
        bend[:] = 0
        if curved:
            _multiply(products, x, rows[cases[u]], rows[cases[u + 1]], p)
        scaled = -1  # steps in sums; -1: nothing is there yet
        for block in range(0, count, BLOCK):
            _draw(flat, z, beta, u, block, mean, sd, log, table, shift, given, count)
            g[:] = 0
            h[:] = 0
            likely[:] = 1
            likely[0, max(0, count - block) :] = 0
            times = 0
            for c in range(cases[u], cases[u + 1]):
                row, n = rows[c], rows[c + 1] - rows[c]
                if curved:
                    mean_of[:] = 0
                    _case(v, total, likely, mean_of, x, known, row, n, beta, p)
                    _spread(h, g, mean_of, products, row - rows[cases[u]], n, v, p)
                else:
                    _case(v, total, likely, g, x, known, row, n, beta, p)
                if cases[u + 1] - cases[u] > 1:
                    times += _rescale(likely, total, step)
            if times > scaled >= 0:
                likely *= step ** (scaled - times)
            elif scaled > times:
                sums *= np.float64(step) ** (times - scaled)
                bend *= np.float64(step) ** (times - scaled)
            scaled = times if scaled < 0 else min(scaled, times)
            if curved:
                _bend(bend, h, g, spare, likely, beta, z, log, p)
            _weigh(sums, likely, g, beta, z, log, p)
        value[u] = np.log(sums[0] / count) - scaled * np.log(np.float64(step))
        score[u] = -sums[1:] / sums[0]
        if curved:
            curve += bend * (weights[u] / sums[0])

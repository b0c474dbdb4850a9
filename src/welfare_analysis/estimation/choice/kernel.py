r"""Simulated log-likelihood of a mixed logit and its scores: one fused compiled kernel beside its NumPy version.

For a unit u (a person over all her cases) and draw r, with :math:`P_{ur} = \prod_c 1 / (1 + \sum_j e^{V_{cjr}})`, j
over the alternatives not chosen and V the utility less that of the chosen, the simulated probability is the mean of
:math:`P_{ur}` over r, and its log's gradient the mean of :math:`\partial \ln P_{ur}` weighted by :math:`P_{ur}`
(Train 2009, sections 6.6-6.7, 10.3). `compiled` keeps a block of draws of one unit in a core's cache from the normals
to the sums; nothing of the size units x draws is stored. All is float64. Units are independent and summed in one order,
so the number of threads changes no digit. The only liberty of the compiler is the fused multiply-add, which rounds once
in place of twice. Its exponential errs by 1e-14 at most, and utilities are held to :math:`\pm 600`, where a
probability is 0 or 1 to 260 digits.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, prange, types
from numba.extending import intrinsic
from scipy import sparse

from .simulation import SHIFTS, Panel

BLOCK = 128  # draws that are in work at a time
CHUNK = 16  # units that share buffers: a task of a thread
BOUND = 600.0
SCALE = 100  # probabilities of long panels are kept times powers of 2**100
ROUND = 1.5 * 2.0**52  # adding it rounds a number below 2**51 to an integer, in the last bits
fused = njit(fastmath={"contract"}, cache=True)


def compiled(panel: Panel, mean: np.ndarray, sd: np.ndarray, fixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log-likelihoods (U,) of units, and scores (U, K + F + K): means (K,), fixed coefficients (F,), sd (K,)."""
    (D, p), U, draws = panel.x.shape, len(panel.cases) - 1, panel.draws
    value, score = np.empty(U), np.empty((U, p + len(sd)))
    known = np.append(panel.offset + panel.x[:, len(mean) :] @ fixed, 0.0)
    x = np.zeros((D + 1, p + p % 2))  # rows and columns go in pairs
    x[:D, :p] = panel.x
    sizes = (p, draws.count, int(np.diff(panel.rows).max(initial=1)))
    choices = (x, np.ascontiguousarray(x.T), known, mean, sd, panel.log, panel.rows, panel.cases)
    _units(*choices, draws.table, draws.shift, draws.given, sizes, value, score)
    return value, score


def plain(panel: Panel, mean: np.ndarray, sd: np.ndarray, fixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same in NumPy, with all draws in memory: what `compiled` is tested against."""
    K, z = len(mean), panel.draws.normals()
    beta = mean[:, None] + sd[:, None] * z
    beta[:, panel.log] = np.exp(beta[:, panel.log])
    case, unit = (np.repeat(np.arange(len(ends) - 1), np.diff(ends)) for ends in (panel.rows, panel.cases))
    by_case, by_unit = (
        sparse.csr_array((np.ones(len(of)), (of, np.arange(len(of)))), (len(ends) - 1, len(of)))
        for of, ends in ((case, panel.rows), (unit, panel.cases))
    )
    known = panel.offset + panel.x[:, K:] @ fixed
    e = np.exp(np.clip(known[:, None] + np.einsum("dk,dkr->dr", panel.x[:, :K], beta[unit[case]]), -BOUND, BOUND))
    total = 1 + by_case @ e
    logs = -(by_unit @ np.log(total))
    top = logs.max(axis=1, keepdims=True)
    likely = np.exp(logs - top)
    share, rows = e / total[case], by_unit @ by_case
    gradient = -np.stack([rows @ (column[:, None] * share) for column in panel.x.T], axis=1)
    gradient[:, :K][:, panel.log] *= beta[:, panel.log]
    gradient = np.concatenate([gradient, gradient[:, :K] * z], axis=1)
    sums = likely.sum(axis=1, keepdims=True)
    return top[:, 0] + np.log(sums[:, 0] / z.shape[2]), np.einsum("ukr,ur->uk", gradient, likely) / sums


@intrinsic
def _power(typingctx, t):
    """2**n from t = n + ROUND: the last bits of t, with the bias added, become the exponent."""

    def generate(context, builder, signature, args):
        bits = ir.IntType(64)
        n = builder.add(builder.bitcast(args[0], bits), ir.Constant(bits, 1023))
        return builder.bitcast(builder.shl(n, ir.Constant(bits, 52)), ir.DoubleType())

    return types.float64(types.float64), generate


@intrinsic
def _copy_eight(typingctx, target, i, source, j):
    """target[i : i + 8] = source[j : j + 8] of flat arrays, as one vector, in an eighth of the time."""

    def generate(context, builder, signature, args):
        vector = ir.VectorType(ir.DoubleType(), 8).as_pointer()
        to, start, of, first = args
        places = ((signature.args[0], to, start), (signature.args[2], of, first))
        here, there = (
            builder.bitcast(builder.gep(context.make_array(kind)(context, builder, array).data, [at]), vector)
            for kind, array, at in places
        )
        builder.store(builder.load(there, align=8), here, align=8)
        return context.get_dummy_value()

    return types.void(target, types.intp, source, types.intp), generate


@njit(inline="always")
def _exp(x):
    """exp(x) = 2**n exp(r), |r| <= ln(2) / 2, by 11 terms of its series: vectorised by the compiler, unlike libm's."""
    t = min(max(x, -BOUND), BOUND) * 1.4426950408889634 + ROUND
    n = t - ROUND
    r = min(max(x, -BOUND), BOUND) - n * 0.6931471803691238 - n * 1.9082149292705877e-10  # ln 2 in two parts
    p = ((1 / 39916800 * r + 1 / 3628800) * r + 1 / 362880) * r + 1 / 40320
    p = (((p * r + 1 / 5040) * r + 1 / 720) * r + 1 / 120) * r + 1 / 24
    return ((((p * r + 1 / 6) * r + 0.5) * r + 1) * r + 1) * _power(t)  # type: ignore[call-arg]


@fused
def _add_products(out, i, weights, row, first, n, inputs):
    """out[i] and out[i + 1] += n columns, from the first on, of weights[row] and weights[row + 1], times inputs."""
    for k in range(first, first + n - 1, 2):
        a, b, c, d = weights[row, k], weights[row, k + 1], weights[row + 1, k], weights[row + 1, k + 1]
        for r in range(BLOCK):
            y, z = inputs[k - first, r], inputs[k - first + 1, r]
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
                _copy_eight(flat, k * BLOCK + r, table, at + ((block + r) ^ (shift[u, k] - low)))  # type: ignore[call-arg]
        m, s = mean[k], sd[k]
        for r in range(BLOCK):
            beta[k, r] = m + s * z[k, r]
        if log[k]:
            for r in range(BLOCK):
                beta[k, r] = _exp(beta[k, r])


@fused
def _case(v, total, likely, g, x, columns, known, row, n, beta, p):
    """Multiply ``likely`` by the probability of the choice, and add the expected differences to g."""
    for j in range(n + n % 2):
        base = known[row + j]
        for r in range(BLOCK):
            v[j, r] = base
    for j in range(0, n, 2):
        _add_products(v, j, x, row + j, 0, len(beta), beta)
    for r in range(BLOCK):
        total[r] = 1.0
    for j in range(n):
        for r in range(BLOCK):
            e = _exp(v[j, r])
            v[j, r] = e
            total[r] += e
    for r in range(BLOCK):
        chosen = 1 / total[r]
        total[r] = chosen
        likely[r] *= chosen
    for j in range(n):
        for r in range(BLOCK):
            v[j, r] *= total[r]
    for k in range(0, p, 2):
        _add_products(g, k, columns, k, row, n, v)


@fused
def _rescale(likely, spare):
    """Multiply by 2**SCALE until the largest is above 2**-SCALE; how often."""
    times = 0
    while True:
        for r in range(BLOCK):
            spare[r] = likely[r]
        half = BLOCK // 2
        while half:
            for r in range(half):
                spare[r] = max(spare[r], spare[r + half])
            half //= 2
        if not 0 < spare[0] < 2.0**-SCALE:
            return times
        for r in range(BLOCK):
            likely[r] *= 2.0**SCALE
        times += 1


@fused
def _weigh(sums, likely, g, beta, z, log, p):
    """Add to sums (1 + p + K, BLOCK): ``likely``; times g, the gradient by coefficients; times z, that by sd."""
    for r in range(BLOCK):
        sums[0, r] += likely[r]
    for k in range(len(beta), p):
        for r in range(BLOCK):
            sums[1 + k, r] += g[k, r] * likely[r]
    for k in range(len(beta)):
        if log[k]:
            for r in range(BLOCK):
                g[k, r] *= beta[k, r]
        for r in range(BLOCK):
            part = g[k, r] * likely[r]
            sums[1 + k, r] += part
            sums[1 + p + k, r] += part * z[k, r]


@fused
def _folded(a):
    """Sum of a block by halves, in place: vectorised, in one order."""
    half = len(a) // 2
    while half:
        for r in range(half):
            a[r] += a[r + half]
        half //= 2
    return a[0]


@njit(parallel=True, fastmath={"contract"}, cache=True)
def _units(x, columns, known, mean, sd, log, rows, cases, table, shift, given, sizes, value, score):
    K, (p, count, widest) = len(mean), sizes
    for chunk in prange((len(value) + CHUNK - 1) // CHUNK):
        flat, beta, g = np.zeros(K * BLOCK), np.empty((K, BLOCK)), np.empty((p + 1, BLOCK))
        z, v, sums = flat.reshape(K, BLOCK), np.empty((widest + 1, BLOCK)), np.empty((1 + p + K, BLOCK))
        likely, total = np.empty(BLOCK), np.empty(BLOCK)
        for u in range(chunk * CHUNK, min(len(value), (chunk + 1) * CHUNK)):
            sums[:] = 0
            scaled = -1  # powers of 2**SCALE in sums; -1: nothing is there yet
            for block in range(0, count, BLOCK):
                _draw(flat, z, beta, u, block, mean, sd, log, table, shift, given, count)
                g[:] = 0
                likely[:] = 1
                likely[max(0, count - block) :] = 0
                times = 0
                for c in range(cases[u], cases[u + 1]):
                    _case(v, total, likely, g, x, columns, known, rows[c], rows[c + 1] - rows[c], beta, p)
                    if cases[u + 1] - cases[u] > 1:
                        times += _rescale(likely, total)
                if times > scaled >= 0:
                    likely *= 2.0 ** (SCALE * (scaled - times))
                elif scaled > times:
                    sums *= 2.0 ** (SCALE * (times - scaled))
                scaled = times if scaled < 0 else min(scaled, times)
                _weigh(sums, likely, g, beta, z, log, p)
            probability = _folded(sums[0])
            value[u] = np.log(probability / count) - scaled * SCALE * np.log(2.0)
            for k in range(p + K):
                score[u, k] = -_folded(sums[1 + k]) / probability

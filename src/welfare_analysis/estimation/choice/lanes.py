"""What the compiler is told of vectors of either precision: the exponential, sums of products, copies."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import extending, types

BLOCK = 128  # numbers in a row: draws that are in work at a time
LANES = 32  # of them, that are summed at a time
LOG2E = 1.4426950408889634
intrinsic: Callable[..., Any] = extending.intrinsic


class Real(NamedTuple):
    """A floating-point type: digits and bias of the exponent, terms of exp's series, ln 2 in two parts.

    Utilities are held within the bound; probabilities of long panels are kept times powers of 2**scale.
    """

    kind: Any
    digits: int
    bias: int
    terms: int
    ln2: tuple[float, float]
    bound: float
    scale: int


REALS = {
    32: Real(np.float32, 23, 127, 8, (0.693359375, -2.12194440e-4), 60.0, 30),
    64: Real(np.float64, 52, 1023, 12, (0.6931471803691238, 1.9082149292705877e-10), 600.0, 100),
}


@intrinsic
def exp(typingctx, x):
    """exp(x) = 2**n exp(r), |r| <= ln(2) / 2, by terms of its series: vectorised by the compiler, unlike libm's.

    Adding 1.5 * 2**digits rounds to an integer n, in the last bits, which with the bias become the exponent of 2**n.
    """

    def generate(context, builder, signature, args):
        bits = x.bitwidth
        real, kind, integer = REALS[bits], args[0].type, ir.IntType(bits)

        def number(a):
            return ir.Constant(kind, float(real.kind(a)))

        def plus(a, b, c):
            return builder.fadd(builder.fmul(a, b, flags=("contract",)), c, flags=("contract",))

        r, rounder = args[0], number(1.5 * 2.0**real.digits)
        for sign, bound in (("<", number(real.bound)), (">", number(-real.bound))):
            r = builder.select(builder.fcmp_ordered(sign, r, bound), r, bound)
        t = plus(r, number(LOG2E), rounder)
        n = builder.fsub(t, rounder)
        for part in real.ln2:
            r = plus(n, number(-part), r)
        series = number(1 / math.factorial(real.terms))
        for k in reversed(range(real.terms)):
            series = plus(series, r, number(1 / math.factorial(k)))
        biased = builder.add(builder.bitcast(t, integer), ir.Constant(integer, real.bias))
        power = builder.bitcast(builder.shl(biased, ir.Constant(integer, real.digits)), kind)
        return builder.fmul(series, power)

    return x(x), generate


def _vector(context, builder, kind, array, place, width):
    """Pointer to ``width`` numbers in a row of an array in C order, from a place on."""
    vector = ir.VectorType(context.get_data_type(kind.dtype), width).as_pointer()
    return builder.bitcast(builder.gep(context.make_array(kind)(context, builder, array).data, [place]), vector)


@intrinsic
def copy_eight(typingctx, target, i, source, j):
    """target[i : i + 8] = source[j : j + 8] of flat arrays, as one vector, in an eighth of the time."""

    def generate(context, builder, signature, args):
        there = _vector(context, builder, source, args[2], args[3], 8)
        here = _vector(context, builder, target, args[0], args[1], 8)
        builder.store(builder.load(there, align=4), here, align=4)
        return context.get_dummy_value()

    return types.void(target, types.intp, source, types.intp), generate


@intrinsic
def dot(typingctx, a, i, b, j):
    """Sum of a[i] * b[j] over a block: by lanes, which are added by halves, in one order."""

    def generate(context, builder, signature, args):
        def lanes(kind, array, row, low):
            place = builder.add(builder.mul(row, ir.Constant(row.type, BLOCK)), ir.Constant(row.type, low))
            return builder.load(_vector(context, builder, kind, array, place, LANES), align=4)

        width, total = LANES, None
        for low in range(0, BLOCK, LANES):
            one, other = lanes(a, args[0], args[1], low), lanes(b, args[2], args[3], low)
            part = builder.fmul(one, other, flags=("contract",))
            total = part if total is None else builder.fadd(total, part, flags=("contract",))
        while width > 1:
            width //= 2
            halves = (
                ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(low, low + width))) for low in (0, width)
            )
            total = builder.fadd(*(builder.shuffle_vector(total, total, half) for half in halves))
        return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))

    return a.dtype(a, types.intp, b, types.intp), generate

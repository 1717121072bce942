# SPDX-License-Identifier: BSD-3-Clause
"""Polynomials and cosines in fixed-point integers of any precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest


@dataclass(frozen=True, slots=True)
class Polynomial:
    """Σ_i c_i v^i with c_i = coefficients[i] / 2^bits."""

    coefficients: tuple[int, ...]
    bits: int

    @classmethod
    def integers(cls, coefficients: Sequence[int], bits: int) -> Polynomial:
        """Return the polynomial with integer coefficients."""
        return cls(tuple(c << bits for c in coefficients), bits)

    @classmethod
    def product(cls, factors: Sequence[Polynomial]) -> Polynomial:
        """Multiply factors of similar degree pairwise: Karatsuba wants equal lengths."""
        queue = sorted(factors, key=lambda f: len(f.coefficients))
        while len(queue) > 1:
            queue = [a * b for a, b in zip(queue[::2], queue[1::2], strict=False)] + queue[len(queue) & ~1 :]
        return queue[0]

    def scaled(self, factor: int) -> Polynomial:
        """Return factor × self."""
        return Polynomial(tuple(factor * c for c in self.coefficients), self.bits)

    def __add__(self, other: Polynomial) -> Polynomial:
        pairs = zip_longest(self.coefficients, other.coefficients, fillvalue=0)
        return Polynomial(tuple(a + b for a, b in pairs), self.bits)

    def __mul__(self, other: Polynomial) -> Polynomial:
        raw = _convolve(self.coefficients, other.coefficients)
        half = 1 << (self.bits - 1)
        return Polynomial(tuple((c + half) >> self.bits for c in raw), self.bits)


def _convolve(a: tuple[int, ...], b: tuple[int, ...]) -> list[int]:
    """Multiply polynomials by one product of big integers (Kronecker substitution v = 2^slot)."""
    largest = max(map(abs, a)).bit_length() + max(map(abs, b)).bit_length()
    width = (largest + min(len(a), len(b)).bit_length() + 2) // 8 + 1  # bytes a slot, sign included
    product = _pack(a, width) * _pack(b, width)
    length = len(a) + len(b) - 1
    bias = 1 << (8 * width - 1)
    lifted = product + _pack((bias,) * length, width)  # every slot ≥ 0: no borrow between slots
    data = lifted.to_bytes(width * length, "little")
    return [int.from_bytes(data[i : i + width], "little") - bias for i in range(0, width * length, width)]


def _pack(coefficients: tuple[int, ...], width: int) -> int:
    positive = b"".join((c if c > 0 else 0).to_bytes(width, "little") for c in coefficients)
    negative = b"".join((-c if c < 0 else 0).to_bytes(width, "little") for c in coefficients)
    return int.from_bytes(positive, "little") - int.from_bytes(negative, "little")


def cosines(n: int, bits: int) -> list[int]:
    """Return cos(πk/n) · 2^bits for k = 0 … n, to a unit of the last place."""
    scale = bits + 32 + 2 * n.bit_length()  # the recurrence below loses 2 log2 n bits
    angle = _pi(scale) // n
    first = term = 1 << scale
    sign, k = -1, 2
    while term:
        term = ((term * angle >> scale) * angle >> scale) // (k * (k - 1))
        first += sign * term
        sign, k = -sign, k + 2
    values = [1 << scale, first]
    for _ in range(n - 1):
        values.append((2 * first * values[-1] >> scale) - values[-2])
    return [c >> (scale - bits) for c in values]


def _pi(bits: int) -> int:
    """Return π · 2^bits by Machin's formula, π/4 = 4 arctan(1/5) - arctan(1/239)."""
    guard = 16
    return (16 * _arctan_inverse(5, bits + guard) - 4 * _arctan_inverse(239, bits + guard)) >> guard


def _arctan_inverse(x: int, bits: int) -> int:
    """Return arctan(1/x) · 2^bits."""
    power = (1 << bits) // x
    total, sign, k = power, -1, 3
    while power:
        power //= x * x
        total += sign * (power // k)
        sign, k = -sign, k + 2
    return total

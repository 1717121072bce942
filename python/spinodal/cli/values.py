# SPDX-License-Identifier: BSD-3-Clause
"""Values on the command line: ranges of temperatures, lattices, counts. Errors name the value and the bound."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

MOST_TEMPERATURES = 1000


def temperatures(text: str) -> list[float]:
    """Parse temperatures: ``1.5:3.5:0.1`` (both ends included), ``2.0,2.269,2.5``, or any mixture with commas.

    Returns
    -------
    list of float
        Distinct, increasing.

    Raises
    ------
    argparse.ArgumentTypeError
        For anything else, for a temperature ≤ 0, and for more than 1000 of them.
    """
    found: list[float] = []
    for part in text.split(","):
        found.extend(_range(part) if ":" in part else [_number(part, "temperature")])
        if len(found) > MOST_TEMPERATURES:
            raise argparse.ArgumentTypeError(f"at most {MOST_TEMPERATURES} temperatures; {text!r} has more")
    for t in found:
        if t <= 0:
            raise argparse.ArgumentTypeError(f"temperature must be > 0; got {t:g}")
    return sorted(set(found))


def _range(text: str) -> list[float]:
    parts = text.split(":")
    if len(parts) != 3:
        raise argparse.ArgumentTypeError(f"a range of temperatures is start:stop:step; got {text!r}")
    start, stop, step = (_number(p, "temperature") for p in parts)
    if step <= 0 or stop < start:
        raise argparse.ArgumentTypeError(f"start:stop:step needs step > 0 and stop >= start; got {text!r}")
    count = math.floor((stop - start) / step * (1 + 1e-12) + 1e-9) + 1
    if count > MOST_TEMPERATURES:
        raise argparse.ArgumentTypeError(f"at most {MOST_TEMPERATURES} temperatures; {text!r} has {count}")
    # Decimal steps: 1.5 + 8 * 0.1 is to be 2.3, not 2.3000000000000003.
    return [round(start + i * step, 12) for i in range(count)]


def _number(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{name} must be a number; got {text!r}") from None
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{name} must be finite; got {text!r}")
    return value


def finite(text: str) -> float:
    """Parse a finite number."""
    return _number(text, "value")


def positive(text: str) -> float:
    """Parse a finite number > 0."""
    value = _number(text, "value")
    if value <= 0:
        raise argparse.ArgumentTypeError(f"must be > 0; got {value:g}")
    return value


def lattices(text: str) -> list[tuple[int, ...]]:
    """Parse lattices: ``64`` is 64 × 64, ``24x40`` a rectangle, ``16x16x16`` a cube; several with commas.

    Raises
    ------
    argparse.ArgumentTypeError
        For anything else, for a length < 2, and for a lattice given twice.
    """
    found = [_lattice(part) for part in text.split(",")]
    if len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"every lattice may be given once; got {text!r}")
    return found


def _lattice(text: str) -> tuple[int, ...]:
    try:
        lengths = tuple(int(part) for part in text.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"a lattice is 64, 24x40 or 16x16x16; got {text!r}") from None
    if len(lengths) == 1:
        lengths *= 2
    if len(lengths) > 3 or min(lengths) < 2:
        raise argparse.ArgumentTypeError(f"a lattice has two or three lengths >= 2; got {text!r}")
    return lengths


def at_least(bound: int) -> Callable[[str], int]:
    """Return a parser of integers ≥ ``bound``."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be an integer; got {text!r}") from None
        if value < bound:
            raise argparse.ArgumentTypeError(f"must be >= {bound}; got {value}")
        return value

    return parse

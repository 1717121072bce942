# SPDX-License-Identifier: BSD-3-Clause
"""How the particle kernels take their arguments: converted once, checked once, at the edge."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from spinodal.backends.protocol import Reals
from spinodal.kernels.arguments import as_array

Shift = Literal["truncated", "energy", "force"]
SHIFTS = ("truncated", "energy", "force")
Precision = Literal["double", "mixed"]
MAX_LENGTH = 1e9
_SPHERE = {2: 2 * math.pi, 3: 4 * math.pi}


def read_positions(positions: Any, name: str = "positions") -> Reals:
    """Return positions (n_systems, n_particles, dim) to be read: a view of C-contiguous float64, else a conversion."""
    array = as_array(positions)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} must be real numbers; got {array.dtype}")
    if array.ndim < 2 or array.shape[-1] not in (2, 3):
        raise ValueError(f"{name} must have shape (…, n_particles, 2 or 3); got {array.shape}")
    if array.size == 0:
        raise ValueError(f"at least one system of one particle is needed; got shape {array.shape}")
    values = np.ascontiguousarray(array, dtype=np.float64).reshape(-1, *array.shape[-2:])
    # One pass: a NaN fails both comparisons.
    if not (values.min() >= -MAX_LENGTH and values.max() <= MAX_LENGTH):
        wrong = np.argwhere(~(np.abs(values) <= MAX_LENGTH))[0]
        raise ValueError(
            f"{name} must be finite and at most {MAX_LENGTH:g} from 0; particle {wrong[1]} of system {wrong[0]} "
            f"has {values[tuple(wrong)]}"
        )
    return values


def in_place_particles(name: str, array: Reals, shape: tuple[int, ...] | None = None) -> Reals:
    """Return a view (n_systems, n_particles, dim) of an array that a kernel may change; never a copy."""
    if not isinstance(array, np.ndarray) or array.dtype != np.float64 or not array.flags.c_contiguous:
        raise TypeError(f"{name} are changed in place and must be a C-contiguous float64 array")
    if not array.flags.writeable:
        raise TypeError(f"{name} are changed in place but the array is read-only")
    if shape is not None and array.shape != shape:
        raise ValueError(f"{name} must have the shape of the positions, {shape}; got {array.shape}")
    return read_positions(array, name)


def one_a_system(name: str, values: npt.ArrayLike, leading: tuple[int, ...]) -> Reals:
    """Return one finite number above 0 for each system."""
    array = np.asarray(values, dtype=np.float64)
    try:
        numbers = np.array(np.broadcast_to(array, leading)).reshape(-1)
    except ValueError:
        raise ValueError(f"{name} of shape {array.shape} does not broadcast to the systems' shape {leading}") from None
    wrong = numbers[~(np.isfinite(numbers) & (numbers > 0))]
    if len(wrong):
        raise ValueError(f"{name} must be finite and > 0; got {wrong[0]}")
    return numbers


def read_box(box: Any, dim: int, periodic: bool) -> Reals:
    """Return one length an axis; free particles have no box, and get lengths of 1."""
    if not periodic:
        return np.ones(dim)
    if box is None:
        raise ValueError("periodic particles need a box: one length, or one an axis (periodic=False for a cluster)")
    lengths = np.asarray(box, dtype=np.float64)
    if lengths.shape not in ((), (dim,)):
        raise ValueError(f"box must be one length or {dim} of them; got shape {lengths.shape}")
    lengths = np.array(np.broadcast_to(lengths, (dim,)))
    wrong = lengths[~((lengths > 0) & (lengths <= MAX_LENGTH))]
    if len(wrong):
        raise ValueError(f"box lengths must be > 0 and <= {MAX_LENGTH:g}; got {wrong[0]}")
    return lengths


def check_potential(
    epsilon: float, sigma: float, cutoff: float, shift: str, softening: float, box: Reals | None
) -> None:
    """Refuse parameters without a meaning; ``box`` is None for free particles."""
    for name, value in (("epsilon", epsilon), ("sigma", sigma)):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be finite and > 0; got {value}")
    if not (math.isfinite(softening) and softening >= 0):
        raise ValueError(f"softening must be finite and >= 0; got {softening}")
    if shift not in SHIFTS:
        raise ValueError(f"shift={shift!r} is unknown; choose one of: {', '.join(SHIFTS)}")
    if not cutoff > 0:
        raise ValueError(f"cutoff must be > 0; got {cutoff}")
    if math.isinf(cutoff) and (box is not None or shift != "truncated"):
        raise ValueError("an infinite cutoff is for free particles and shift='truncated'")
    if box is not None and cutoff > 8 * box.min():
        raise ValueError(f"cutoff must be <= 8 box lengths; got {cutoff} and a length of {box.min()}")


def check_precision(precision: str) -> None:
    """Refuse an unknown precision."""
    if precision not in ("double", "mixed"):
        raise ValueError(f"precision={precision!r} is unknown; choose one of: double, mixed")


def check_confinement(confinement: float, periodic: bool) -> None:
    """Refuse springs without a meaning."""
    if not (math.isfinite(confinement) and confinement >= 0) or (periodic and confinement != 0):
        raise ValueError(f"confinement must be finite and >= 0, and 0 in a periodic box; got {confinement}")


def tail_corrections(
    density: float, cutoff: float, epsilon: float = 1.0, sigma: float = 1.0, dim: int = 3
) -> tuple[float, float]:
    r"""Return what is missing beyond the cutoff, at g(r) = 1: energy and virial a particle.

    .. math::
        U/N = \tfrac{1}{2} \rho \int_{r_c}^\infty u(r)\, dS, \qquad
        W/N = -\tfrac{1}{2} \rho \int_{r_c}^\infty r u'(r)\, dS,
        \qquad dS = 4\pi r^2 dr \text{ or } 2\pi r\, dr

    The pressure's is ρ W / (N dim).

    References
    ----------
    Allen and Tildesley, Computer Simulation of Liquids, 2nd ed. (2017), eqs. 2.144 and 2.145.
    """
    if dim not in (2, 3):
        raise ValueError(f"dim must be 2 or 3; got {dim}")
    repulsive = sigma**12 * cutoff ** (dim - 12) / (12 - dim)
    attractive = sigma**6 * cutoff ** (dim - 6) / (6 - dim)
    factor = 0.5 * density * _SPHERE[dim]
    return factor * 4 * epsilon * (repulsive - attractive), factor * 24 * epsilon * (2 * repulsive - attractive)


def check_tail(periodic: bool, shift: str, softening: float) -> None:
    """Refuse a tail correction of what has none."""
    if not periodic or shift != "truncated" or softening != 0:
        raise ValueError(
            "tail=True corrects a periodic fluid's truncated potential: it needs periodic=True, shift='truncated' and "
            f"softening=0; got periodic={periodic}, shift={shift!r}, softening={softening}"
        )


def per_system(values: Reals, positions: Any) -> Any:
    """Give one number a system the leading shape of the positions: a number for one system."""
    return values.reshape(np.shape(positions)[:-2])[()]

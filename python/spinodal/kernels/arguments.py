# SPDX-License-Identifier: BSD-3-Clause
"""How the raw kernels take their arguments: converted once, checked once, at the edge."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from spinodal.backends import Backend, resolve
from spinodal.backends.protocol import Reals, Spins
from spinodal.threads import resolve_n_threads

STREAMS = ("ars7", "ars5", "philox10")
"""Named counter streams: ``ars7`` is the default, ``ars5`` the fast one."""

MAX_STEP = 2**40

StreamName = Literal["ars7", "ars5", "philox10"]
BackendName = Literal["cpp", "numba"]


def as_array(spins: Any) -> npt.NDArray[Any]:
    """View foreign tensors without a copy; convert sequences."""
    if isinstance(spins, np.ndarray) or not hasattr(spins, "__dlpack__"):
        return np.asarray(spins)
    try:
        return np.from_dlpack(spins)
    except (BufferError, RuntimeError) as error:
        raise TypeError(f"spins cannot be viewed by NumPy without a copy: {error}") from error


def flatten_chains(spins: Spins, ndim: int) -> Spins:
    """View the leading axes as one axis of chains, after a check of the shape."""
    if ndim not in (2, 3):
        raise ValueError(f"ndim must be 2 or 3; got {ndim}")
    if spins.ndim < ndim:
        raise ValueError(f"spins need at least {ndim} axes for ndim={ndim}; got shape {spins.shape}")
    lattice = spins.shape[-ndim:]
    if min(lattice) < 2:
        raise ValueError(f"every lattice length must be >= 2; got {lattice}")
    if lattice[-1] > 2**20:
        raise ValueError(f"the last lattice length must be <= {2**20}; got {lattice[-1]}")
    chains = spins.reshape(-1, *lattice)
    if len(chains) == 0:
        raise ValueError(f"at least one chain is needed; got shape {spins.shape}")
    return chains


def in_place_spins(spins: Any, ndim: int) -> Spins:
    """Return a view (n_chains, *lattice) of spins that a kernel may change; never a copy."""
    array = as_array(spins)
    if not isinstance(spins, np.ndarray) and not hasattr(spins, "__dlpack__"):
        raise TypeError(f"spins are changed in place: pass an int8 array, not {type(spins).__name__}")
    if array.dtype != np.int8:
        raise TypeError(f"spins are changed in place and must be int8; got {array.dtype}")
    if not array.flags.c_contiguous:
        raise TypeError(f"spins are changed in place and must be C-contiguous; got strides {array.strides}")
    if not array.flags.writeable:
        raise TypeError("spins are changed in place but the array is read-only")
    return flatten_chains(array, ndim)


def read_spins(spins: Any, ndim: int) -> Spins:
    """Return spins (n_chains, *lattice) to be read: a view of C-contiguous int8, else an exact conversion."""
    array = as_array(spins)
    if array.dtype != np.int8:
        wrong = np.flatnonzero((array != 1) & (array != -1))
        if len(wrong):
            raise ValueError(f"spins must be -1 or +1; flat index {wrong[0]} holds {array.reshape(-1)[wrong[0]]}")
        array = array.astype(np.int8)
    return flatten_chains(np.ascontiguousarray(array), ndim)


def output(out: npt.NDArray[Any] | None, shape: tuple[int, ...], dtype: type, name: str = "out") -> npt.NDArray[Any]:
    """Return ``out`` after a check, or a new array."""
    if out is None:
        return np.empty(shape, dtype=dtype)
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{name} must be a writeable C-contiguous {np.dtype(dtype)} array; got {type(out).__name__}")
    if out.shape != shape or out.dtype != dtype or not out.flags.c_contiguous or not out.flags.writeable:
        raise TypeError(
            f"{name} must be a writeable C-contiguous {np.dtype(dtype)} array of shape {shape}; "
            f"got {out.dtype} {out.shape}"
        )
    return out


def measure(
    spins: Any,
    out: npt.NDArray[Any] | None,
    dtype: type,
    ndim: int,
    measure: Callable[[Backend, Spins, npt.NDArray[Any], int], None],
    n_threads: int | None,
    backend: BackendName | None,
) -> npt.NDArray[Any]:
    """Fill one number a chain."""
    chains = read_spins(spins, ndim)
    result = output(out, np.shape(spins)[:-ndim], dtype)
    measure(resolve(backend), chains, result.reshape(-1), resolve_n_threads(n_threads))
    return result


def prepare(
    chains: Spins, spins: Any, beta: Any, J: float, h: float, ndim: int, stream: str, backend: str | None
) -> tuple[Backend, Reals]:
    """Return the backend and one inverse temperature a chain, after a check of all parameters."""
    check_coupling(J, h)
    check_stream(stream)
    leading = np.shape(spins)[:-ndim]
    values = np.asarray(beta, dtype=np.float64)
    try:
        betas = np.ascontiguousarray(np.broadcast_to(values, leading), dtype=np.float64).reshape(-1)
    except ValueError:
        raise ValueError(f"beta of shape {values.shape} does not broadcast to the chains' shape {leading}") from None
    wrong = np.flatnonzero(~(np.isfinite(betas) & (betas >= 0)))
    if len(wrong):
        raise ValueError(f"beta must be finite and >= 0; chain {wrong[0]} has {betas[wrong[0]]}")
    return resolve(backend), betas


def check_even(lattice: tuple[int, ...]) -> None:
    """Refuse odd lengths: their periodic lattice has no two-colouring."""
    for length in lattice:
        if length % 2:
            raise ValueError(
                f"a periodic checkerboard update needs even lengths; got {length} in {lattice} "
                "(wolff_step and swendsen_wang_sweep take odd lengths, and sweeps with layout='replicas' or 'lanes')"
            )


def check_coupling(J: float, h: float) -> None:
    """Refuse non-finite energies."""
    for name, value in (("J", J), ("h", h)):
        if not math.isfinite(value):
            raise ValueError(f"{name} must be finite; got {value}")


def check_stream(stream: str) -> None:
    """Refuse an unknown stream."""
    if stream not in STREAMS:
        raise ValueError(f"stream={stream!r} is unknown; choose one of: {', '.join(STREAMS)}")


def check_integer(name: str, value: int) -> None:
    """Refuse what is not an integer, by the argument's name."""
    if not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer; got {value!r}")


def check_randomness(seed: int, step: int, n_steps: int, first_chain: int, n_chains: int, name: str) -> None:
    """Refuse what does not fit a counter."""
    for argument, value in (("seed", seed), (name, step), (f"n_{name}s", n_steps), ("first_chain", first_chain)):
        check_integer(argument, value)
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed must be in [0, 2**64); got {seed}")
    if n_steps < 0:
        raise ValueError(f"n_{name}s must be >= 0; got {n_steps}")
    if step < 0 or step + n_steps > MAX_STEP:
        raise ValueError(f"{name} must be >= 0 and {name} + n_{name}s <= 2**40; got {step} + {n_steps}")
    if first_chain < 0 or first_chain + n_chains > 2**32:
        raise ValueError(f"first_chain must be >= 0 and first_chain + n_chains <= 2**32; got {first_chain}")


def slices(
    engine: Backend, chains: npt.NDArray[Any], first: int, n_steps: int, *, cost: float = 1.0
) -> Iterator[tuple[int, int]]:
    """Cut a call into native calls of some 50 ms: Python answers signals only between them."""
    at_once = max(1, int(engine.updates_per_call / (cost * chains.size)))
    for start in range(first, first + n_steps, at_once):
        yield start, min(at_once, first + n_steps - start)

# SPDX-License-Identifier: BSD-3-Clause
"""The random streams themselves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spinodal.backends import resolve
from spinodal.kernels.arguments import BackendName, StreamName, check_randomness, check_stream


def stream_blocks(
    stream: StreamName, seed: int, counters: npt.ArrayLike, *, backend: BackendName | None = None
) -> npt.NDArray[np.uint32]:
    """Return a stream's 128-bit blocks, uint32 (n, 4), at counters (n, 4)."""
    check_stream(stream)
    check_randomness(seed, 0, 0, 0, 1, "sweep")
    words = np.ascontiguousarray(counters, dtype=np.uint32)
    if words.ndim != 2 or words.shape[1] != 4:
        raise ValueError(f"counters must have shape (n, 4); got {words.shape}")
    return resolve(backend).stream_blocks(stream, seed, words)

# SPDX-License-Identifier: BSD-3-Clause
"""A toy whose state is bits alone, as that of a bit-packed kernel: nobody gets its array."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from run.toy import ToyHeatBath, ToyState
from spinodal.files.packing import PackedSpins
from spinodal.samplers.protocol import Array, Key


@dataclass
class SealedState:
    bits: Array
    steps: Array
    lattice: tuple[int, ...]
    measured: dict[str, Array]

    @property
    def draws(self) -> Array:
        raise AssertionError("the array was asked for")

    @property
    def packed_draws(self) -> PackedSpins:
        return PackedSpins(self.bits, self.lattice)

    def arrays(self) -> dict[str, Array]:
        return {"bits": self.bits, "steps": self.steps}


@dataclass(frozen=True)
class SealedHeatBath(ToyHeatBath):
    """The draws of `ToyHeatBath`, from states of bits."""

    def _seal(self, state: ToyState) -> SealedState:
        spins = state.spins
        bits = np.packbits(spins.reshape(len(spins), -1) > 0, axis=1)
        measured = {"energy": self.system.energy(spins), "magnetization": self.system.magnetization(spins)}
        return SealedState(bits, state.steps, self.system.shape, measured)

    def state_from(self, draws: Array) -> Any:
        return self._seal(super().state_from(draws))

    def restore(self, arrays: Mapping[str, Array]) -> Any:
        return self._seal(self._open(arrays["bits"], arrays["steps"]))

    def _open(self, bits: Array, steps: Array) -> ToyState:
        up = np.unpackbits(bits, axis=1, count=math.prod(self.system.shape)).astype(np.int8)
        return ToyState((2 * up - 1).reshape(len(bits), *self.system.shape), steps)

    def step(self, key: Key, state: Any, n_steps: int = 1, *, n_threads: int | None = None) -> Any:
        opened, info = super().step(key, self._open(state.bits, state.steps), n_steps, n_threads=n_threads)
        return self._seal(opened), info

# SPDX-License-Identifier: BSD-3-Clause
"""Independent draws of a Gaussian field, exact in one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal import kernels
from spinodal.backends import resolve
from spinodal.backends.protocol import Reals
from spinodal.kernels.arguments import StreamName, check_stream
from spinodal.samplers.chains import Chains
from spinodal.samplers.protocol import Array, Info, Key
from spinodal.systems.gaussian_fields import GaussianField

_BLOCK = 16  # chains filtered together: products of dense matrices round differently for another number of them


@dataclass
class FieldState:
    """Fields of all chains, and their energies."""

    fields: Reals
    energy: Reals

    @property
    def draws(self) -> Reals:
        """Configurations, float64 (n_chains, N)."""
        return self.fields

    @property
    def measured(self) -> Mapping[str, Array]:
        """What ``run`` need not measure again."""
        return {"energy": self.energy}

    def arrays(self) -> dict[str, Array]:
        """Return what a resume needs."""
        return {"fields": self.fields, "energy": self.energy}


class GaussianSampler(Chains):
    r"""Independent draws x = √T C^½ z of a Gaussian field at a temperature, z normal.

    A step replaces every configuration by a new, independent one, so that ``run`` needs no burn-in, and without
    ``n_steps`` takes one draw a chain. The law is exact to the tolerance of the field's filter.

    Parameters
    ----------
    field : GaussianField
        For example ``GraphProcess(laplacian).stationary()``.
    temperature : float or array of shape (n_chains,)
        The law is exp(−E/T), E = x·Ax/q: covariance T q (2A)^{−1}.
    stream : {"ars7", "ars5", "philox10"}

    Notes
    -----
    The numbers z are named by seed, step and chain, and blocks of chains are filtered whole: no bit depends on how
    chains are divided. Chains start from x = 0, which is no draw.
    """

    draws_independently = True

    def __init__(
        self, field: GaussianField, temperature: float | npt.ArrayLike = 1.0, *, stream: StreamName = "ars7"
    ) -> None:
        if not isinstance(field, GaussianField):
            raise TypeError(
                f"field must be a GaussianField; got {type(field).__name__} (GraphProcess.stationary makes one)"
            )
        check_stream(stream)
        super().__init__(temperature)
        self.system = field
        self.stream: StreamName = stream

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        engine = resolve(self.system.engine.backend)
        return {
            "method": "GaussianSampler",
            "filter": self.system.engine.method,
            "tol": self.system.engine.tol,
            "stream": self.stream,
            "backend": engine.name,
            "instruction_set": engine.isa,
        }

    def init(self, key: Key, n_chains: int) -> FieldState:
        """Return fields of zeros."""
        self.chain_temperatures(n_chains)
        return FieldState(np.zeros((n_chains, *self.system.shape)), np.zeros(n_chains))

    def state_from(self, draws: npt.ArrayLike) -> FieldState:
        """Return the state of chains at given configurations, which the next step forgets."""
        fields = np.array(draws, dtype=np.float64, order="C")
        if fields.ndim != 2 or fields.shape[1:] != self.system.shape:
            raise ValueError(f"configurations must have shape (n_chains, {self.system.shape[0]}); got {fields.shape}")
        if not np.isfinite(fields).all():
            raise ValueError("configurations must be finite")
        return FieldState(fields, np.asarray(self.system.energy(fields)))

    def restore(self, arrays: Mapping[str, Array]) -> FieldState:
        """Rebuild a state from its arrays."""
        return FieldState(np.array(arrays["fields"], np.float64), np.array(arrays["energy"], np.float64))

    def step(
        self, key: Key, state: FieldState, n_steps: int = 1, *, n_threads: int | None = None
    ) -> tuple[FieldState, Info]:
        """Replace all configurations: by those of the last of the ``n_steps`` steps, as none depends on another."""
        if n_steps < 0:
            raise ValueError(f"n_steps must be >= 0; got {n_steps}")
        if n_steps == 0:
            return state, {}
        key, n_chains = key.at(key.step + n_steps - 1), len(state.fields)
        scale = np.sqrt(self.chain_temperatures(n_chains))
        fields, energy = np.empty((n_chains, *self.system.shape)), np.empty(n_chains)
        first, last = key.first_chain, key.first_chain + n_chains
        for number in range(first // _BLOCK, -(-last // _BLOCK)):
            chains = np.arange(number * _BLOCK, (number + 1) * _BLOCK)
            wanted = chains[(chains >= first) & (chains < last)]
            drawn, energies = self._block(key, number, n_threads)
            fields[wanted - first], energy[wanted - first] = drawn[wanted % _BLOCK], energies[wanted % _BLOCK]
        return FieldState(fields * scale[:, None], energy * scale**2), {}

    def _block(self, key: Key, number: int, n_threads: int | None) -> tuple[Reals, Reals]:
        """Return the draws at temperature 1 of one whole block of chains, and their energies."""
        (n,) = self.system.shape
        noise = kernels.maxwell_velocities(
            (_BLOCK, (n + 1) // 2, 2), 1.0, seed=key.seed, step=key.step, first_chain=number * _BLOCK,
            stream=self.stream, n_threads=n_threads, backend=self.system.engine.backend,
        )  # fmt: skip
        columns = np.ascontiguousarray(noise.reshape(_BLOCK, -1)[:, :n].T)
        drawn = np.ascontiguousarray(self.system.sqrt_covariance(columns, n_threads=n_threads).T)
        return drawn, np.asarray(self.system.energy(drawn, n_threads=n_threads))


__all__ = ["FieldState", "GaussianSampler"]

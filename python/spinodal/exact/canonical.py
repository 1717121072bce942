# SPDX-License-Identifier: BSD-3-Clause
"""Canonical averages over a finite list of energy levels with exact multiplicities."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from ._validation import FloatArray, Value, like, temperatures


class Canonical(ABC):
    """Averages at any temperature over levels E_k of multiplicity g_k.

    Every method takes a temperature (float, or float64 array of any shape; finite and > 0, else
    ValueError) and returns a float, or an array of that shape.
    """

    @property
    @abstractmethod
    def energies(self) -> FloatArray:
        """Energy of each level, shape (n_levels,), total over the lattice."""

    @property
    @abstractmethod
    def log_multiplicities(self) -> FloatArray:
        """Natural logarithm of the number of states of each level, shape (n_levels,)."""

    @property
    @abstractmethod
    def n_sites(self) -> int:
        """Number of spins N."""

    def probabilities(self, temperature: float | FloatArray) -> FloatArray:
        """Return the Boltzmann probability of each level, shape (*temperature.shape, n_levels)."""
        t = temperatures(temperature)
        weight = self._log_weights(t)
        weight = np.exp(weight - weight.max(axis=-1, keepdims=True))
        return np.asarray(weight / weight.sum(axis=-1, keepdims=True))

    def log_z(self, temperature: Value) -> Value:
        """Return log Σ_k g_k exp(-E_k/T)."""
        t = temperatures(temperature)
        weight = self._log_weights(t)
        top = weight.max(axis=-1)
        excess = np.log(np.exp(weight - top[..., None]).sum(axis=-1))
        return like(temperature, top + excess - self._ground() / t)

    def free_energy_per_site(self, temperature: Value) -> Value:
        """Return -T log Z / N."""
        t = temperatures(temperature)
        return like(temperature, -t * np.asarray(self.log_z(t)) / self.n_sites)

    def energy(self, temperature: Value) -> Value:
        """Return ⟨E⟩, total over the lattice."""
        excess = self.energies - self._ground()
        return like(temperature, self._ground() + self.probabilities(temperature) @ excess)

    def energy_per_site(self, temperature: Value) -> Value:
        """Return ⟨E⟩/N."""
        return like(temperature, np.asarray(self.energy(temperature)) / self.n_sites)

    def heat_capacity(self, temperature: Value) -> Value:
        """Return the heat capacity per site, (⟨E²⟩ - ⟨E⟩²)/(N T²)."""
        t = temperatures(temperature)
        excess = self.energies - self._ground()
        p = self.probabilities(t)
        # Σ p (E - ⟨E⟩)² has no cancellation, ⟨E²⟩ - ⟨E⟩² would lose every digit at low T.
        spread = excess - (p @ excess)[..., None]
        return like(temperature, (p * (spread / t[..., None]) ** 2).sum(axis=-1) / self.n_sites)

    def _ground(self) -> float:
        return float(self.energies.min())

    def _log_weights(self, t: FloatArray) -> FloatArray:
        return np.asarray(self.log_multiplicities - (self.energies - self._ground()) / t[..., None])

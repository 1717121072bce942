# SPDX-License-Identifier: BSD-3-Clause
"""Estimates along a temperature axis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spinodal.analysis.arrays import FloatArray
from spinodal.analysis.estimates import Estimate


@dataclass(frozen=True)
class Curve:
    """Estimates along a temperature axis; ``curve[i]`` and iteration give ``Estimate``.

    Attributes
    ----------
    temperature, mean, stderr, ess : float64 arrays, shape (n,)
        ``ess`` is Kish's effective number of independent draws behind each point.
    reasons : tuple of str
        Why a point is unreliable; empty where it is not.
    n : int
        Number of draws, over all temperatures.
    """

    temperature: FloatArray
    mean: FloatArray
    stderr: FloatArray
    ess: FloatArray
    reasons: tuple[str, ...]
    n: int

    @property
    def reliable(self) -> npt.NDArray[np.bool_]:
        """Whether each point can be trusted, shape (n,)."""
        return np.array([not r for r in self.reasons])

    def __len__(self) -> int:
        return self.temperature.size

    def __getitem__(self, index: int) -> Estimate:
        values = float(self.mean[index]), float(self.stderr[index])
        return Estimate(*values, ess=float(self.ess[index]), n=self.n).failing(self.reasons[index])

    def __iter__(self) -> Iterator[Estimate]:
        """Yield the estimate at each temperature."""
        return (self[i] for i in range(len(self)))

# SPDX-License-Identifier: BSD-3-Clause
r"""The dual variable v, in which both phases of the square lattice are one expansion.

With K = |J|/T and S = sinh 2K the solvable square lattice knows K only through

    v = tanh K          above Tc  (weight of a bond in a closed polygon)
    v = exp(-2K)        below Tc  (weight of a broken bond in a domain wall)

and v ≤ v_c = √2 - 1 in both. The partition function factorises as

    Z = (2 cosh² K)^N · W(v)   above Tc,      Z = exp(2KN) · W(v)   below Tc,

so that only log W, a sum of small positive terms, needs care. Its transfer-matrix modes are

    Λ(θ) = (A + R)/2,   A = (1 + v²)² - B cos θ,   B = 2v(1 - v²),   R² = A² - B²
    exp(-γ(θ)) = v(1 - v²)/Λ(θ)

where γ is Onsager's γ: cosh γ = cosh 2K coth 2K - cos θ. Written with

    A - B = (1 - 2v - v²)² + 2B sin²(θ/2),    A + B = (1 + v²)² + 2B sin²(θ/2)

nothing cancels at the critical point. Derivatives are D = d/d log v throughout.

References
----------
Kramers and Wannier (1941), doi:10.1103/PhysRev.60.252.
Onsager (1944), doi:10.1103/PhysRev.65.117.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ._jets import Jet
from ._validation import FloatArray

#: sinh 2K = 1 there.
CRITICAL_COUPLING = float(0.5 * np.arcsinh(1.0))


@dataclass(frozen=True, slots=True)
class DualVariable:
    """The variable v of each coupling K, with the phase it belongs to.

    Attributes
    ----------
    coupling : float64 array
        K = |J|/T ≥ 0.
    ordered : bool array
        True where v = exp(-2K).
    log_v, v : float64 arrays
    """

    coupling: FloatArray
    ordered: npt.NDArray[np.bool_]
    log_v: FloatArray
    v: FloatArray

    @classmethod
    def of(cls, coupling: FloatArray) -> DualVariable:
        """Return the dual variable of K ≥ 0."""
        ordered = coupling > CRITICAL_COUPLING
        # W is even in v or O(v²): at v = 1e-100 it is 1 to all digits, and v² is still a number.
        disordered = np.maximum(np.tanh(np.where(ordered, 1.0, coupling)), 1e-100)
        log_v = np.where(ordered, -2 * coupling, np.log(disordered))
        return cls(coupling, ordered, log_v, np.exp(log_v))

    def log_partition(self, log_w: Jet, n_sites: int) -> Jet:
        """Return log Z and its derivatives by K, from log W and its derivatives by log v."""
        k, y = self.coupling, self.v**2
        hot_k, hot_v = np.where(self.ordered, 0.0, k), np.where(self.ordered, 1.0, self.v)
        hot = Jet(
            log_w.value + n_sites * (np.log(2.0) + 2 * _log_cosh(hot_k)),
            np.where(k < 1e-100, 0.0, log_w.first * (1 - y) / hot_v) + 2 * n_sites * np.tanh(hot_k),
            (1 - y) * (((1 - y) * log_w.second - (1 + y) * log_w.first) / hot_v**2 + 2 * n_sites),
        )
        cold_value = log_w.value + 2 * n_sites * k
        return Jet(
            np.where(self.ordered, cold_value, hot.value),
            np.where(self.ordered, 2 * n_sites - 2 * log_w.first, hot.first),
            np.where(self.ordered, 4 * log_w.second, hot.second),
        )


def _log_cosh(k: FloatArray) -> FloatArray:
    return np.asarray(np.log1p(2 * np.sinh(k / 2) ** 2))


def log_mode(v: FloatArray, sin2_half: FloatArray) -> FloatArray:
    """Return log Λ(θ), given sin²(θ/2)."""
    lower, upper = _factors(v, sin2_half)
    # (A + R)/2 with A = ((A - B) + (A + B))/2
    return np.asarray(np.log((np.sqrt(lower) + np.sqrt(upper)) ** 2 / 4))


def gamma_mode(log_v: FloatArray, sin2_half: FloatArray) -> Jet:
    """Return γ(θ) > 0 with its derivatives by log v, given sin²(θ/2) (broadcast against log_v)."""
    v = np.exp(log_v)
    y = v**2
    lower, upper = _factors(v, sin2_half)
    b_slope = 2 * v - 6 * v * y
    lower_slope = -4 * v * (1 + v) * (1 - 2 * v - y) + 2 * b_slope * sin2_half
    upper_slope = 4 * y * (1 + y) + 2 * b_slope * sin2_half
    r = np.sqrt(lower) * np.sqrt(upper)
    log_r_slope = 0.5 * (lower_slope / lower + upper_slope / upper)
    numerator = (1 + y) * (1 - 2 * v - y) * (1 + 2 * v - y) / (1 - y)
    numerator_slope = -4 * y * (2 + 5 * y - 4 * y**2 + y**3) / (1 - y) ** 2
    value = log_mode(v, sin2_half) - log_v - np.log1p(-y)
    return Jet(value, -numerator / r, (numerator * log_r_slope - numerator_slope) / r)


def _factors(v: FloatArray, sin2_half: FloatArray) -> tuple[FloatArray, FloatArray]:
    shift = 4 * v * (1 - v) * (1 + v) * sin2_half
    return (1 - 2 * v - v**2) ** 2 + shift, (1 + v**2) ** 2 + shift

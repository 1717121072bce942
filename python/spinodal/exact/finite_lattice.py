# SPDX-License-Identifier: BSD-3-Clause
r"""Kaufman's exact partition function of the square-lattice Ising model on a torus, at h = 0.

With n modes θ, m sites along the other axis and x_θ = exp(-m γ(θ)) (see :mod:`._duality`),
Kaufman's four products pair up without a minus sign:

    W = Π_o Λ^(m/2) √(1 - x²) · cosh Y_o  +  Π_e Λ^(m/2) √(1 - x²) · {cosh | sinh} Y_e

    Y = Σ_θ atanh x_θ,   o: θ = (2l + 1)π/n,   e: θ = 2πl/n

with cosh below Tc and sinh above. The mode θ = 0, soft at Tc, is taken out of e in closed form:

    Λ_0 = (1 - v)²,   x_0 = (v(1 + v)/(1 - v))^m,
    √(1 - x_0²) {cosh | sinh}(Y' + atanh x_0) = {cosh Y' + x_0 sinh Y' | sinh Y' + x_0 cosh Y'}

Antiferromagnets (v < 0) follow from Λ(-v, θ) = Λ(v, θ + π), W being a polynomial in v: both
lengths even change nothing; n odd and m even swap the two sets, so that in the names above

    W = Π_o … sinh Y_o  +  Π_e … {sinh | cosh} Y_e        (J < 0, n odd, m even)

and both lengths odd put a minus sign between them, which no floating-point sum survives at low
temperature: that case is summed over the exact density of states instead.

References
----------
Kaufman (1949), doi:10.1103/PhysRev.76.1232.
Ferdinand and Fisher (1969), doi:10.1103/PhysRev.185.832.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

import numpy as np

from . import _jets, _polygons
from ._duality import DualVariable, gamma_mode, log_mode
from ._jets import Jet
from ._validation import FloatArray, Size, Value, finite, lattice_shape, like, reduced_coupling, temperatures
from .spectrum import density_of_states

_BLOCK = 1 << 19  # modes × temperatures worked on at once


@dataclass(frozen=True, slots=True)
class KaufmanSolution(Generic[Value]):
    """Exact equilibrium averages of an Ly × Lx torus; floats, or arrays of the temperature's shape.

    Attributes
    ----------
    shape : tuple of int
    temperature : float or float64 array
        Units of J; k_B = 1.
    log_z : float or float64 array
        Natural logarithm of the partition function.
    energy, energy_per_site : float or float64 array
        ⟨E⟩ and ⟨E⟩/N.
    free_energy_per_site : float or float64 array
        -T log Z / N.
    heat_capacity_per_site : float or float64 array
        (⟨E²⟩ - ⟨E⟩²)/(N T²).
    """

    shape: tuple[int, ...]
    temperature: Value
    log_z: Value
    energy: Value
    energy_per_site: Value
    free_energy_per_site: Value
    heat_capacity_per_site: Value


def kaufman(size: Size, temperature: Value, J: float = 1.0) -> KaufmanSolution[Value]:
    """Solve the periodic Ly × Lx Ising model exactly, without a field.

    The energy is E = -J Σ_i Σ_axis s_i s_{i+e}: along a length of 2 the two neighbours of a site
    are the same site, and the bond counts twice.

    Parameters
    ----------
    size : int or (int, int)
        L for L × L, or (Ly, Lx); each ≥ 2. Cost grows with the shorter length.
    temperature : float or float64 array
        Any shape, each finite and > 0.
    J : float
        Either sign. For J < 0 with two odd lengths N is at most 1024 (a sum over the exact
        :func:`density_of_states`, which takes its time at the first call for a shape).

    Returns
    -------
    KaufmanSolution
        For T ≤ 1000 |J| relative accuracy 1e-12 of every field, but for two cases of the heat capacity:
        at Tc the rounding of the temperature itself leaves about L · 1e-15, and for J < 0 with
        one odd length the error grows to about 1e-15 · exp(2|J|/T) of its (vanishing) value.

    Raises
    ------
    ValueError
        For a length < 2, a temperature ≤ 0, a non-finite J, or J < 0 on a large odd × odd lattice.

    References
    ----------
    Kaufman (1949), doi:10.1103/PhysRev.76.1232.
    """
    shape = lattice_shape(size, (2,))
    coupling_energy = finite("J", J)
    t = temperatures(temperature)
    coupling = reduced_coupling(coupling_energy, t)
    n_sites = shape[0] * shape[1]
    odd = [length % 2 for length in shape]
    if coupling_energy < 0 and all(odd):
        levels = density_of_states(shape, coupling_energy)
        log_z, energy, heat = levels.log_z(t), levels.energy(t), levels.heat_capacity(t)
    else:
        frustrated = coupling_energy < 0 and any(odd)
        n, m = sorted(shape, key=lambda length: (length % 2 == 0 if frustrated else 0, length))
        jet = log_partition(n, m, coupling.ravel(), frustrated=frustrated)
        log_z = jet.value.reshape(t.shape)
        energy = 0.0 - abs(coupling_energy) * jet.first.reshape(t.shape)
        heat = coupling**2 * jet.second.reshape(t.shape) / n_sites
    fields = (t, log_z, energy, energy / n_sites, -t * log_z / n_sites, heat)
    return KaufmanSolution(shape, *(like(temperature, field) for field in fields))


def log_partition(n: int, m: int, coupling: FloatArray, *, frustrated: bool = False) -> Jet:
    """Return log Z of the n × m torus and its first two derivatives by K = |J|/T, shape (n_T,).

    ``n`` is the axis of the modes. ``frustrated`` means J < 0, and then n must be odd and m even.
    """
    block = max(1, _BLOCK // n)
    parts = [_block(n, m, coupling[i : i + block], frustrated) for i in range(0, coupling.size, block)]
    if not parts:
        return Jet(*(np.zeros(0) for _ in range(3)))
    return Jet(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("value", "first", "second")))


def _block(n: int, m: int, coupling: FloatArray, frustrated: bool) -> Jet:
    dual = DualVariable.of(coupling)
    mean, half = _products(n, m, dual)
    odd_set, even_set = _ring(n, odd=True), _ring(n, odd=False)
    soft = _soft_mode(m, dual.v, dual.log_v)
    factor_odd = _odd_factor(m, dual, odd_set, frustrated)
    factor_even = _even_factor(m, dual, even_set, soft, frustrated)
    log_w = mean + _log_add_apart(half, factor_odd, factor_even)
    return dual.log_partition(log_w, n * m)


def _ring(n: int, odd: bool) -> tuple[FloatArray, FloatArray]:
    """Return sin²(θ/2) and the multiplicity of the modes of a set, each pair ±θ once, θ = 0 left out."""
    numerators = np.arange(1, n + 1, 2) if odd else np.arange(2, n + 1, 2)
    multiplicity = np.where(numerators == n, 1.0, 2.0)
    return np.sin(np.pi * numerators / (2 * n)) ** 2, multiplicity


def _products(n: int, m: int, dual: DualVariable) -> tuple[Jet, Jet]:
    """Return half the sum and half the difference of log Π Λ^(m/2) over the odd and even set.

    θ = 0 is included. The powers of v that differ between the sets cancel in the sum before any rounding.
    """
    small = dual.v <= _polygons.SMALL
    modes = [_sum_modes(n, dual, odd).scaled(0.5 * m) for odd in (True, False)]
    rings = [_polygons.ring_coefficients(n, odd) for odd in (True, False)]
    pair = []
    for sign in (1.0, -1.0):
        series = _polygons.mean_log_mode(dual.v, (rings[0] + sign * rings[1]) / 2).scaled(0.5 * n * m)
        pair.append(_jets.where(small, series, (modes[0] + modes[1].scaled(sign)).scaled(0.5)))
    return pair[0], pair[1]


def _sum_modes(n: int, dual: DualVariable, odd: bool) -> Jet:
    """Return Σ log Λ over a set, mode by mode."""
    sin2, multiplicity = _ring(n, odd)
    gamma = gamma_mode(dual.log_v, sin2[:, None])
    y = dual.v**2
    b = Jet(np.zeros_like(y), (1 - 3 * y) / (1 - y), -4 * y / (1 - y) ** 2)  # derivatives of log B
    modes = Jet(log_mode(dual.v, sin2[:, None]), gamma.first + b.first, gamma.second + b.second)
    total = modes.total(multiplicity)
    if odd:
        return total
    v = dual.v
    return total + Jet(2 * np.log1p(-v), -2 * v / (1 - v), -2 * v / (1 - v) ** 2)


def _soft_mode(m: int, v: FloatArray, log_v: FloatArray) -> Jet:
    """Return log x_0 = m log(v (1 + v)/(1 - v)), which is ≤ 0 and 0 at Tc."""
    y = v**2
    value = np.minimum(log_v + np.log1p(v) - np.log1p(-v), 0.0)
    return Jet(value, 1 + 2 * v / (1 - y), 2 * v * (1 + y) / (1 - y) ** 2).scaled(m)


def _log_x(m: int, dual: DualVariable, sin2: FloatArray) -> Jet:
    return gamma_mode(dual.log_v, sin2[:, None]).scaled(-m)


def _odd_factor(m: int, dual: DualVariable, ring: tuple[FloatArray, FloatArray], frustrated: bool) -> Jet:
    """Return log of √Π(1 - x²) cosh Y over the odd set (sinh for the frustrated antiferromagnet)."""
    sin2, multiplicity = ring
    x = _log_x(m, dual, sin2)
    y = _jets.log_atanh_exp(x).log_total(multiplicity)
    factor = _jets.half_log_one_minus_square(x).total(multiplicity) + _jets.log_cosh_exp(y)
    return factor + _jets.log_tanh_exp(y) if frustrated else factor


def _even_factor(m: int, dual: DualVariable, ring: tuple[FloatArray, FloatArray], soft: Jet, frustrated: bool) -> Jet:
    """Return the same of the even set, its soft mode in closed form; cosh below Tc, sinh above."""
    sin2, multiplicity = ring
    x = _log_x(m, dual, sin2)
    y = _jets.log_atanh_exp(x).log_total(multiplicity)
    tanh = _jets.log_tanh_exp(y)
    common = _jets.half_log_one_minus_square(x).total(multiplicity) + _jets.log_cosh_exp(y)
    cosh = common + _jets.softplus(soft + tanh)
    sinh = common + _jets.log_add(soft, tanh)
    return _jets.where(dual.ordered != frustrated, cosh, sinh)


def _log_add_apart(half: Jet, odd: Jet, even: Jet) -> Jet:
    """Return log(exp(half + odd) + exp(-half + even)).

    The share of ``half`` is a tanh: where both sectors weigh the same (T → 0) it drops out
    exactly, instead of leaving the rounding error of its large derivatives.
    """
    gap = half.scaled(2.0) + odd - even
    tilt = np.tanh(gap.value / 2)
    p, q = np.exp(-np.logaddexp(0.0, -gap.value)), np.exp(-np.logaddexp(0.0, gap.value))
    return Jet(
        np.logaddexp(half.value + odd.value, even.value - half.value),
        tilt * half.first + p * odd.first + q * even.first,
        tilt * half.second + p * odd.second + q * even.second + p * q * gap.first**2,
    )

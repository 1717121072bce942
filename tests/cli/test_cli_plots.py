# SPDX-License-Identifier: BSD-3-Clause
"""Pictures: drawn where they are asked for, with error bars, without touching matplotlib's state."""

import math
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import special

import spinodal as sp
from cli.small_samples import metropolis_samples
from spinodal import plots
from spinodal.plots.decay import _bessel_k
from spinodal.report.figures import to_svg

THERMAL = (
    plots.plot_energy,
    plots.plot_heat_capacity,
    plots.plot_magnetization,
    plots.plot_susceptibility,
    plots.plot_binder,
)


@pytest.mark.parametrize("plot", THERMAL)
def test_thermal(plot, small, medium):
    """Error bars of every point, for each size, and labels."""
    settings = dict(matplotlib.rcParams)
    ax = plot([small, medium])
    assert len(ax.containers) == 2
    for bars, samples in zip(ax.containers, (small, medium), strict=True):
        assert bars.has_yerr
        assert bars.lines[0].get_xdata().tolist() == samples.temperatures.tolist()
    labels = ax.get_legend_handles_labels()[1]
    assert {"L = 8", "L = 12"} <= set(labels)
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert dict(matplotlib.rcParams) == settings


def test_points_are_the_estimates(small):
    ax = plots.plot_energy(small)
    y = ax.containers[0].lines[0].get_ydata()
    expected = [small.select(temperature=t).estimate("energy_per_site").mean for t in small.temperatures]
    assert y.tolist() == expected


def test_exact_curve_is_kaufman(small):
    ax = plots.plot_energy(small)
    curve = next(line for line in ax.lines if line.get_label() == "Kaufman, exact")
    exact = sp.exact.kaufman(8, np.asarray(curve.get_xdata()))
    assert np.array_equal(curve.get_ydata(), exact.energy_per_site)


def test_draws_on_given_axes(small):
    figure = Figure()
    for plot in (*THERMAL, plots.plot_deviations, plots.plot_correlation, plots.plot_histogram, plots.plot_trace):
        ax = figure.add_subplot()
        arguments = {"temperature": 2.2} if plot is plots.plot_trace else {}
        assert plot(small, ax=ax, **arguments) is ax
    ax = figure.add_subplot()
    assert plots.plot_snapshot(small, ax=ax) is ax


def test_scan_can_be_shared(small):
    scan = plots.Scan(small)
    assert plots.plot_energy(scan).containers[0].has_yerr
    assert scan.estimates("energy_per_site") is scan.estimates("energy_per_site")


def test_without_exact_solution():
    cubic = metropolis_samples((4, 4, 4), temperatures=(4.0, 5.0))
    assert [line.get_label() for line in plots.plot_energy(cubic).lines if line.get_label() == "Kaufman, exact"] == []
    with pytest.raises(ValueError, match="no exact value"):
        plots.plot_deviations(cubic)
    assert plots.plot_snapshot(cubic).images[0].get_array().shape == (4, 4)


def test_antiferromagnet():
    samples = metropolis_samples(6, temperatures=(2.0, 3.0), J=-1.0)
    ax = plots.plot_correlation(samples)
    assert len(ax.containers) == 2
    assert np.abs(plots.Scan(samples).deviations("energy_per_site")).max() < 5


def test_deviations(small):
    ax = plots.plot_deviations(small, "heat_capacity")
    z = ax.containers[0].lines[0].get_ydata()
    assert np.abs(z).max() < 5
    assert "σ" in ax.get_ylabel()


def test_snapshot_of_an_array():
    spins = np.array([[1, -1], [1, 1]], dtype=np.int8)
    ax = plots.plot_snapshot(spins)
    assert np.array_equal(ax.images[0].get_array(), spins > 0)


def test_histogram_is_normalised(small):
    ax = plots.plot_histogram(small, [2.2], bins=16)
    found = ax.patches[0].get_data()
    assert np.sum(found.values * np.diff(found.edges)) == pytest.approx(1.0)
    assert found.edges[0] == 0.0


@pytest.mark.parametrize("size", [4, 5])
def test_flat_histogram_is_flat(size):
    """|M| levels of free spins, in bins of one level: M and -M share a bin, M = 0 has one of half the width."""
    n = size * size
    levels = np.arange(-n, n + 1, 2)
    weights = np.array([math.comb(n, (n + m) // 2) for m in levels], dtype=float)
    m = np.repeat(levels, np.round(4000 * weights / weights.max()).astype(int))
    samples = sp.Samples(
        None, np.zeros((1, m.size)) + np.arange(m.size), np.array([2.0]),
        info={"magnetization": np.random.default_rng(0).permutation(m)[None]},
        provenance={"system": {"kind": "ising", "shape": [size, size], "J": 0.0, "h": 0.0}},
    )  # fmt: skip
    found = plots.plot_histogram(samples, bins=1000).patches[0].get_data()
    levels_of_size = np.unique(np.abs(levels))
    assert found.values.size == levels_of_size.size
    probability = found.values * np.diff(found.edges)
    for size_of_m, p in zip(levels_of_size, probability, strict=True):
        expected = np.mean(np.abs(m) == size_of_m)
        assert p == pytest.approx(expected)


def test_autocorrelation_of_an_array():
    x = np.random.default_rng(0).normal(size=(20, 500))
    ax = plots.plot_autocorrelation(x)
    bars = ax.containers[0]
    assert bars.has_yerr
    _, rho = bars.lines[0].get_data()
    assert rho[0] == 1.0
    assert np.abs(rho[1:]).max() < 5 / np.sqrt(x.size)


def test_trace(small):
    ax = plots.plot_trace(small, "energy_per_site", temperature=2.2, chains=3)
    assert sum(line.get_label().startswith("chain") for line in ax.lines) == 3


def test_correlation_needs_draws(small):
    from dataclasses import replace

    with pytest.raises(ValueError, match="no draws"):
        plots.plot_correlation(replace(small, draws=None))


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="no samples"):
        plots.plot_energy([])


def test_foreign_samples(small):
    from dataclasses import replace

    with pytest.raises(ValueError, match="not of an Ising model"):
        plots.Scan(replace(small, draws=None, provenance={}))


def test_svg_is_reproducible(small):
    first, second = (to_svg(plots.plot_energy(small).figure) for _ in range(2))
    assert first == second
    assert first.startswith("<?xml")


@pytest.mark.parametrize("temperature", [1.5, 2.0, 2.2, 2.4, 3.0, 10.0])
def test_correlation_length(temperature):
    """Above Tc from the mass gap of the transfer matrix; below, half of that of the dual temperature."""
    k = 1 / temperature
    tc = sp.exact.critical_temperature()
    found = plots.correlation_length(temperature)
    if temperature > tc:
        assert 1 / found == pytest.approx(math.log(1 / math.tanh(k)) - 2 * k)
    else:
        dual = -0.5 * math.log(math.tanh(k))
        assert found == pytest.approx(plots.correlation_length(1 / dual) / 2)
    assert plots.correlation_length(tc) > 1e12


def test_bessel_functions():
    x = np.geomspace(1e-3, 50, 200)
    for order in (0, 1):
        assert _bessel_k(order, x) == pytest.approx(special.kv(order, x), rel=1e-10)


@pytest.mark.parametrize("temperature", [2.0, 2.7])
def test_correlation_decay(temperature):
    """The infinite lattice's C(r) against that of a lattice of many correlation lengths."""
    sampler = sp.Metropolis(sp.IsingModel(48), temperature)
    samples = sp.run(sampler, n_chains=48, n_steps=600, burn_in=200, thin=12, seed=8, progress=False)
    connected = "abs" if temperature < sp.exact.critical_temperature() else False
    found = sp.analysis.correlation(samples.draws, connected=connected)
    r = slice(2, 6)
    expected = plots.correlation_decay(found.x[r], temperature)
    assert np.all(np.abs(found.mean[r] - expected) < 5 * found.stderr[r] + 0.03 * expected)


def test_pyplot_is_not_imported():
    script = (
        "import sys, numpy as np; from spinodal import plots; plots.plot_snapshot(np.ones((4, 4)));"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)

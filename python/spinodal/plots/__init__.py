# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of samples: error bars on everything, and the exact solution under the points where there is one.

Every function takes ``Samples`` (or a ``Scan``, which keeps the estimates that several pictures share), draws on
the matplotlib axes ``ax`` or on those of a new figure, and returns them; ``ax.figure.savefig(…)`` writes the file.
No function touches pyplot or matplotlib's settings. Crosses are points not to be trusted.
"""

from spinodal.plots.binder import combine_near, plot_binder
from spinodal.plots.chains import plot_autocorrelation, plot_histogram, plot_trace
from spinodal.plots.correlation import plot_correlation
from spinodal.plots.decay import correlation_decay, correlation_length
from spinodal.plots.lattice import plot_snapshot
from spinodal.plots.particles import plot_particles, plot_radial_distribution, plot_structure_factor
from spinodal.plots.scan import Scan
from spinodal.plots.thermal import (
    plot_deviations,
    plot_energy,
    plot_heat_capacity,
    plot_magnetization,
    plot_susceptibility,
)

__all__ = [
    "Scan",
    "combine_near",
    "correlation_decay",
    "correlation_length",
    "plot_autocorrelation",
    "plot_binder",
    "plot_correlation",
    "plot_deviations",
    "plot_energy",
    "plot_heat_capacity",
    "plot_histogram",
    "plot_magnetization",
    "plot_particles",
    "plot_radial_distribution",
    "plot_snapshot",
    "plot_structure_factor",
    "plot_susceptibility",
    "plot_trace",
]

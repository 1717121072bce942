# SPDX-License-Identifier: BSD-3-Clause
"""Estimates with error bars, from arrays (n_chains, n_draws) and from ``Samples``.

Every number comes with a standard error, and a flag with a reason where the error cannot be trusted.
Convention throughout: τ_int = 1/2 + Σ_{t≥1} ρ(t), and N draws are worth N/(2 τ_int) independent ones.
"""

from spinodal.analysis.autocorrelation_time import AutocorrelationTime, autocorrelation, ess, tau_int
from spinodal.analysis.binder import BinderCrossing, PairCrossing, binder_crossing
from spinodal.analysis.blocks import Blocking, blocking
from spinodal.analysis.comparison import (
    Comparison,
    DistributionTest,
    compare,
    compare_exact,
    compare_series,
    distribution_test,
)
from spinodal.analysis.configurational import configurational_temperature
from spinodal.analysis.convergence import classic_r_hat, r_hat
from spinodal.analysis.correlations import correlation, correlation_length, radial_correlation
from spinodal.analysis.curve import Curve
from spinodal.analysis.diffusion import MeanSquaredDisplacement, mean_squared_displacement
from spinodal.analysis.estimates import Estimate, estimate
from spinodal.analysis.fields import Profile
from spinodal.analysis.free_energy import LogPartition, log_partition
from spinodal.analysis.histograms import Histogram, energy_histogram, magnetization_histogram
from spinodal.analysis.insertion import ChemicalPotential, chemical_potential
from spinodal.analysis.minima import Minimum, quench, search_minimum
from spinodal.analysis.multihistogram import MultiHistogram
from spinodal.analysis.observables import (
    OBSERVABLES,
    DerivedObservable,
    Observable,
    estimate_observable,
    observable,
)
from spinodal.analysis.radial import radial_distribution
from spinodal.analysis.resampling import jackknife
from spinodal.analysis.reweighting import reweight, reweight_samples
from spinodal.analysis.scattering import static_structure_factor
from spinodal.analysis.structure import StructureFactor, radial_structure_factor, structure_factor
from spinodal.analysis.weights import WeightDiagnostics, pareto_k, weight_diagnostics

__all__ = [
    "OBSERVABLES",
    "AutocorrelationTime",
    "BinderCrossing",
    "Blocking",
    "ChemicalPotential",
    "Comparison",
    "Curve",
    "DerivedObservable",
    "DistributionTest",
    "Estimate",
    "Histogram",
    "LogPartition",
    "MeanSquaredDisplacement",
    "Minimum",
    "MultiHistogram",
    "Observable",
    "PairCrossing",
    "Profile",
    "StructureFactor",
    "WeightDiagnostics",
    "autocorrelation",
    "binder_crossing",
    "blocking",
    "chemical_potential",
    "classic_r_hat",
    "compare",
    "compare_exact",
    "compare_series",
    "configurational_temperature",
    "correlation",
    "correlation_length",
    "distribution_test",
    "energy_histogram",
    "ess",
    "estimate",
    "estimate_observable",
    "jackknife",
    "log_partition",
    "magnetization_histogram",
    "mean_squared_displacement",
    "observable",
    "pareto_k",
    "quench",
    "r_hat",
    "radial_correlation",
    "radial_distribution",
    "radial_structure_factor",
    "reweight",
    "reweight_samples",
    "search_minimum",
    "static_structure_factor",
    "structure_factor",
    "tau_int",
    "weight_diagnostics",
]

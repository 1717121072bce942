# SPDX-License-Identifier: BSD-3-Clause
"""Score networks: trained on the compiled samplers' data, sampled, and corrected to exact Boltzmann averages.

The only part of the package that needs torch.
"""

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError("spinodal.score needs torch and safetensors: pip install 'spinodal[torch]'") from error

from spinodal.score.denoisers import ExactIsingDenoiser, GaussianDenoiser
from spinodal.score.process import DiffusionProcess
from spinodal.score.sampling import DiffusionSampler
from spinodal.score.schedules import (
    EDM,
    Cosine,
    Interpolation,
    LinearBeta,
    LogLinear,
    Schedule,
    Sigmoid,
    terminal_log_snr,
)
from spinodal.score.tensor_files import read_manifest
from spinodal.score.weights import load_weights, save_weights

__all__ = [
    "EDM",
    "Cosine",
    "DiffusionProcess",
    "DiffusionSampler",
    "ExactIsingDenoiser",
    "GaussianDenoiser",
    "Interpolation",
    "LinearBeta",
    "LogLinear",
    "Schedule",
    "Sigmoid",
    "load_weights",
    "read_manifest",
    "save_weights",
    "terminal_log_snr",
]

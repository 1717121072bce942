# SPDX-License-Identifier: BSD-3-Clause
"""Score networks: trained on the compiled samplers' data, sampled, and corrected to exact Boltzmann averages.

The only part of the package that needs torch.
"""

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError("spinodal.score needs torch and safetensors: pip install 'spinodal[torch]'") from error

from spinodal.analysis import LogPartition, log_partition
from spinodal.score.denoisers import ExactIsingDenoiser, GaussianDenoiser
from spinodal.score.independence import IndependenceMetropolis
from spinodal.score.losses import CrossEntropy, Levels, MeanSquare
from spinodal.score.masked import MaskedIsing, MaskedSampler, train_masked
from spinodal.score.network_denoisers import FieldDenoiser, IsingDenoiser
from spinodal.score.optimization import Recipe
from spinodal.score.path_samplers import PartialPathMetropolis, WeightedDiffusion
from spinodal.score.pretrained import load_pretrained
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
from spinodal.score.sources import DrawsSource, SamplerSource
from spinodal.score.tensor_files import read_manifest
from spinodal.score.training import NonFiniteLossError, Trainer
from spinodal.score.unet import ScoreNetwork
from spinodal.score.weights import load_weights, save_weights

__all__ = [
    "EDM",
    "Cosine",
    "CrossEntropy",
    "DiffusionProcess",
    "DiffusionSampler",
    "DrawsSource",
    "ExactIsingDenoiser",
    "FieldDenoiser",
    "GaussianDenoiser",
    "IndependenceMetropolis",
    "Interpolation",
    "IsingDenoiser",
    "Levels",
    "LinearBeta",
    "LogLinear",
    "LogPartition",
    "MaskedIsing",
    "MaskedSampler",
    "MeanSquare",
    "NonFiniteLossError",
    "PartialPathMetropolis",
    "Recipe",
    "SamplerSource",
    "Schedule",
    "ScoreNetwork",
    "Sigmoid",
    "Trainer",
    "WeightedDiffusion",
    "load_pretrained",
    "load_weights",
    "log_partition",
    "read_manifest",
    "save_weights",
    "terminal_log_snr",
    "train_masked",
]

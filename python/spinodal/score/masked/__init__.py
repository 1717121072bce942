# SPDX-License-Identifier: BSD-3-Clause
"""The masked coarse-to-fine sampler of the Ising model, with exact likelihood."""

from spinodal.score.masked.files import load_model, save_model
from spinodal.score.masked.model import MaskedConfig, MaskedIsing
from spinodal.score.masked.sampler import MaskedSampler
from spinodal.score.masked.training import TrainingError, TrainingProgress, train_masked

__all__ = [
    "MaskedConfig",
    "MaskedIsing",
    "MaskedSampler",
    "TrainingError",
    "TrainingProgress",
    "load_model",
    "save_model",
    "train_masked",
]

# SPDX-License-Identifier: BSD-3-Clause
"""A tiny training, the same wherever it runs: here, in a process that is killed, or in two that share it.

python -m score.trainings FOLDER N_STEPS [KILL_AT]
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

import spinodal as sp
from spinodal.score.losses import Levels
from spinodal.score.network_denoisers import IsingDenoiser
from spinodal.score.optimization import Recipe
from spinodal.score.sources import SamplerSource
from spinodal.score.training import Trainer
from spinodal.score.unet import ScoreNetwork

MODEL = sp.IsingModel(4)
N_CHAINS = 24


def source(**options):
    sampler = sp.HeatBath(MODEL, np.linspace(1.6, 3.4, N_CHAINS))
    return SamplerSource(sampler, N_CHAINS, **{"burn_in": 20, "seed": 3, "n_threads": 1, **options})


def denoiser(**arguments):
    options = {"in_channels": 2, "out_channels": 1, "base_channels": 8, "time_embed_dim": 4, "n_heads": 2}
    return IsingDenoiser(ScoreNetwork(**{**options, **arguments}), MODEL)


def trainer(folder=None, n_steps=12, **options) -> Trainer:
    arguments: dict[str, Any] = {
        "recipe": Recipe(n_steps=n_steps, warmup=4, learning_rate=5e-3),
        "levels": Levels(-7.0, 3.5),
        "checkpoint_every": 3, "evaluate_every": 6, "log_every": 3, "log": ("csv", "jsonl"), "progress": False,
        "device": "cpu", "seed": 5,
    }  # fmt: skip
    return Trainer(options.pop("denoiser", None) or denoiser(), source(), folder=folder, **{**arguments, **options})


def weights(training):
    state = training.denoiser.network.state_dict()
    return {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in state.items()}


def main(folder: str, n_steps: str, kill_at: str = "-1") -> None:
    def die(training: Trainer, metrics: dict[str, float]) -> None:
        if training.step >= int(kill_at) > 0:
            os.kill(os.getpid(), signal.SIGKILL)

    torch.set_num_threads(1)
    training = trainer(folder, int(n_steps), callbacks=[die])
    training.train()
    if training.processes.is_first:
        save_file(weights(training), f"{folder}/final.safetensors")


if __name__ == "__main__":
    main(*sys.argv[1:])

# SPDX-License-Identifier: BSD-3-Clause
"""Train a Gaussian diffusion of the Ising model at all temperatures, and measure how exact its paths are.

    python examples/train_ising_diffusion.py --size 8 --out ising-diffusion-8.safetensors

Data stream from the compiled samplers while the network trains. The table shows, for each temperature, the effective
sample size of the weighted paths, the raw and the weighted energy, and log Z, beside Kaufman's exact values.
"""

from __future__ import annotations

import argparse
import math
import shlex
import sys
import time
from pathlib import Path

import numpy as np
import torch

import spinodal as sp
from spinodal.samplers.mixed import MixedSampler
from spinodal.score import weights

TEMPERATURES = (1.5, 1.8, 2.1, 2.269, 2.5, 3.0, 3.5)
LOG_SNR = (math.log(0.03), 3.2)  # the noisiest level is that of N · SNR = 0.03


def arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=8)
    parser.add_argument("--steps", type=int, default=4000, help="of training")
    parser.add_argument("--stop", type=int, help="end after so many of the steps, before their rate has fallen to 0")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--width", type=int, default=24, help="channels of the finest level")
    parser.add_argument("--noise-levels", type=int, default=128, help="of the measured paths")
    parser.add_argument("--draws", type=int, default=2000, help="measured at each temperature")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", help="keep checkpoints and metrics here, and go on from them")
    parser.add_argument("--out", type=Path, help="write the weights here")
    return parser.parse_args()


def train(options: argparse.Namespace) -> sp.score.IsingDenoiser:
    """Return the trained denoiser."""
    model = sp.IsingModel(options.size)
    temperature = np.linspace(1.4, 3.7, options.batch)
    source = sp.score.SamplerSource(MixedSampler.by_temperature(model, temperature), options.batch, seed=options.seed)
    network = sp.score.ScoreNetwork(
        in_channels=2, out_channels=1, base_channels=options.width, time_embed_dim=16, num_blocks=1,
        n_levels=2 if options.size < 16 else 3, seed=options.seed,
    )  # fmt: skip
    denoiser = sp.score.IsingDenoiser(network, model)

    def is_not_done(_: sp.score.Trainer, metrics: dict[str, float]) -> bool:
        return options.stop is None or metrics["step"] < options.stop

    trainer = sp.score.Trainer(
        denoiser, source, levels=sp.score.Levels(LOG_SNR[0] - math.log(model.n_sites), LOG_SNR[1]), seed=options.seed,
        recipe=sp.score.Recipe(n_steps=options.steps, learning_rate=3e-3), folder=options.folder, log_every=100,
        checkpoint_every=200, callbacks=[lambda _, metrics: print(metrics, file=sys.stderr, flush=True), is_not_done],
    )  # fmt: skip
    trainer.train()
    return denoiser


def measure(denoiser: sp.score.IsingDenoiser, options: argparse.Namespace) -> dict[str, float]:
    """Print the table; return the effective sample size, as a fraction of the draws, by temperature."""
    model = denoiser.model
    schedule = sp.score.LogLinear(LOG_SNR[0] - math.log(model.n_sites), LOG_SNR[1])
    ess = {}
    print("    T    ESS   E/N raw  weighted     exact     ln Z     exact   samples/s")
    for t in TEMPERATURES:
        sampler = sp.score.WeightedDiffusion(model, denoiser, t, n_steps=options.noise_levels, schedule=schedule)
        began = time.process_time()
        samples = sp.run(sampler, n_chains=options.draws, n_steps=1, seed=options.seed, progress=False)
        rate = options.draws / (time.process_time() - began)
        logs, energy = samples.log_weights[:, 0], samples.energy[:, 0] / model.n_sites
        ess[str(t)] = round(sp.analysis.weight_diagnostics(logs).ess / options.draws, 4)
        w = np.exp(logs - logs.max())
        exact = sp.exact.kaufman(options.size, t)
        log_z = -exact.free_energy_per_site * model.n_sites / t
        print(
            f"{t:5.3f}  {ess[str(t)]:5.3f}  {energy.mean():8.4f}  {(w * energy).sum() / w.sum():8.4f}  "
            f"{exact.energy_per_site:8.4f}  {np.log(w.mean()) + logs.max():7.3f}  {log_z:8.3f}  {rate:10.1f}",
            flush=True,
        )
    return ess


def main() -> None:
    """Train, measure, write."""
    options = arguments()
    began = time.process_time()
    denoiser = train(options)
    seconds = time.process_time() - began
    ess = measure(denoiser, options)
    if options.out is not None:
        manifest = {
            "data": f"Ising {options.size} x {options.size}, J = 1, h = 0, T from 1.4 to 3.7, streamed from the "
            f"compiled samplers: {options.stop or options.steps} batches of {options.batch}",
            "command": shlex.join(["python", *sys.argv]),
            "seed": options.seed,
            "ess": ess,
            "noise_levels": options.noise_levels,
            "draws": options.draws,
            "training_cpu_seconds": round(seconds),
            "log_snr": [LOG_SNR[0] - math.log(options.size**2), LOG_SNR[1]],
        }
        weights.save_weights(options.out, denoiser.network, manifest, dtype=torch.float16)


if __name__ == "__main__":
    main()

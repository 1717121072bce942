# SPDX-License-Identifier: BSD-3-Clause
"""Training of denoisers: one loop, resumed to the bit after a kill, on one process or several."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from spinodal.samplers.running.progress import ProgressBar, ProgressEvent, Reporter, make_reporter
from spinodal.score.losses import CrossEntropy, Levels
from spinodal.score.optimization import Average, Recipe
from spinodal.score.processes import Processes
from spinodal.score.sources import Source
from spinodal.score.training_files import Log, load_checkpoint, save_checkpoint
from spinodal.systems.ising import IsingModel

Metrics = dict[str, float]
Callback = Callable[["Trainer", Metrics], object]
Precision = Literal["float32", "bfloat16", "float16"]
_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class NonFiniteLossError(FloatingPointError):
    """The loss or its gradient became NaN or infinite; the weights are those before the step.

    Attributes
    ----------
    step : int
    checkpoint : Path or None
        The last good one.
    """

    def __init__(self, what: str, value: float, step: int, checkpoint: Path | None) -> None:
        super().__init__(what, value, step, checkpoint)
        self.step, self.checkpoint = step, checkpoint
        kept = f"the last good checkpoint is {checkpoint}" if checkpoint else "there is no checkpoint: give a folder"
        self._message = f"the {what} is {value} at step {step}; {kept}"

    def __str__(self) -> str:
        return self._message


class Trainer:
    """Trains a denoiser's network on a source's configurations.

    The result depends on the arguments alone: noise, levels and batches are functions of seed and step, so a resumed
    training ends with the bits of one that was never interrupted (on the same machine, threads and torch).

    Spins without a field are flipped at random, all of a configuration together: an even loss needs both phases.

    Started by ``torchrun --nproc-per-node N``, N processes share each batch and average their gradients; they must be
    given the same arguments.

    Parameters
    ----------
    denoiser : object
        `IsingDenoiser` or `FieldDenoiser`: with ``network``, and ``at(temperature)``.
    source : Source
    loss : callable, optional
        By default `CrossEntropy`; `MeanSquare` for real fields.
    levels : Levels, optional
        By default λ uniform in (log(0.03/N), 3.5).
    recipe : Recipe, optional
        Steps, optimiser, learning rates, clipping, averaging.
    known_fraction : float
        For networks that can be told spins: the part of the configurations of which some are told.
    seed : int
    device : str
        "auto" is CUDA if there is any.
    precision : {"float32", "bfloat16", "float16"}
        Of the network's arithmetic, by autocast; weights stay float32.
    compile : bool or mapping
        Whether to compile the network by ``torch.compile``, or with which options.
    folder : path-like, optional
        Where ``latest.safetensors``, ``best.safetensors`` and ``metrics.csv`` are kept.
    checkpoint_every, evaluate_every, log_every : int
        Steps; 0 is only at the end.
    log : {"csv", "jsonl", "tensorboard"} or several
    callbacks : sequence of callable
        Called as ``callback(trainer, metrics)`` after every log; training ends if one returns False.
    progress : bool, callable or None
        As that of `run`.
    """

    def __init__(
        self,
        denoiser: Any,
        source: Source,
        *,
        loss: Any = None,
        levels: Levels | None = None,
        recipe: Recipe | None = None,
        known_fraction: float = 0.0,
        seed: int = 0,
        device: str = "auto",
        precision: Precision = "float32",
        compile: bool | Mapping[str, Any] = False,
        folder: str | PathLike[str] | None = None,
        checkpoint_every: int = 500,
        evaluate_every: int = 500,
        log_every: int = 50,
        log: str | Sequence[str] = "csv",
        callbacks: Sequence[Callback] = (),
        progress: bool | Reporter | None = None,
    ) -> None:
        if precision not in _TYPES:
            raise ValueError(f"precision={precision!r} is unknown; choose one of: {', '.join(_TYPES)}")
        if not 0 <= known_fraction <= 1:
            raise ValueError(f"known_fraction must be in [0, 1]; got {known_fraction}")
        self._every = {"checkpoint": checkpoint_every, "evaluate": evaluate_every, "log": log_every}
        for name, every in self._every.items():
            if every < 0:
                raise ValueError(f"{name}_every must be >= 0 steps; got {every}")
        if known_fraction and getattr(denoiser.network, "in_channels", 0) < 3:
            raise ValueError("known_fraction > 0 needs a network of spins with in_channels=3")
        self.denoiser, self.source, self.seed = denoiser, source, seed
        self.loss = CrossEntropy() if loss is None else loss
        self.recipe = Recipe() if recipe is None else recipe
        self.known_fraction, self.precision = known_fraction, precision
        self.processes = Processes.of_environment()
        self.processes.check_batch(source.batch_size)
        self.device = self._chosen(device)
        self._eager = denoiser.network.to(self.device)
        if next(self._eager.parameters()).dtype == torch.float32 and getattr(self._eager, "dim", 2) == 2:
            self._eager.to(memory_format=torch.channels_last)
        options = dict(compile) if isinstance(compile, Mapping) else {}
        self._compiled = torch.compile(self._eager, **options) if compile else self._eager
        self.average = Average(self._eager, self.recipe.average)
        self.optimizer = self.recipe.optimizer_of(self._eager)
        self._scaler = torch.amp.GradScaler(self.device.type, enabled=precision == "float16")
        self._levels = levels
        self.folder = None if folder is None else Path(folder)
        self._log_kinds = (log,) if isinstance(log, str) else tuple(log)
        self.callbacks, self._progress = tuple(callbacks), progress
        self.step, self.best = 0, math.inf

    def _chosen(self, device: str) -> torch.device:
        if device != "auto":
            return torch.device(device)
        return torch.device("cuda", self.processes.local_rank) if torch.cuda.is_available() else torch.device("cpu")

    @property
    def levels(self) -> Levels:
        """The noise levels that are trained."""
        if self._levels is None:
            n_sites = math.prod(self.source.held_out()[0].shape[1:])
            self._levels = Levels(math.log(0.03 / n_sites), 3.5)
        return self._levels

    def describe(self) -> dict[str, Any]:
        """Return what is trained, on what and how; a checkpoint of anything else is refused."""
        return {
            "architecture": self._eager.architecture(),
            "data": self.source.describe(),
            "loss": self.loss.describe(),
            "levels": self.levels.describe(),
            "recipe": asdict(self.recipe),
            "known_fraction": self.known_fraction,
            "seed": self.seed,
            "precision": self.precision,
        }

    def train(self, *, resume: bool = True) -> Metrics:
        """Train to the recipe's last step, and put the averaged weights into the denoiser's network.

        Parameters
        ----------
        resume : bool
            Go on from the folder's latest checkpoint, if there is one.

        Returns
        -------
        dict
            The last metrics: "step", "loss" (of the batches since the log before), "held_out", "gradient_norm", "rate".

        Raises
        ------
        NonFiniteLossError
        ResumeError
            If the latest checkpoint is of another training: what differs.
        """
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            if resume and self.latest.exists():
                load_checkpoint(self)
        with ExitStack() as stack:
            log = Log(self.folder, self._log_kinds, self.step) if self.processes.is_first else Log(None, (), 0)
            stack.callback(log.close)
            reporter = make_reporter(self._progress) if self.processes.is_first else None
            if isinstance(reporter, ProgressBar):
                stack.callback(reporter.close)
            metrics = self._loop(log, reporter)
        self.average.put_into(self._eager)
        self._eager.eval()
        return metrics

    @property
    def latest(self) -> Path:
        """The latest checkpoint's path."""
        return (self.folder or Path()) / "latest.safetensors"

    def _loop(self, log: Log, reporter: Reporter | None) -> Metrics:
        began, first = time.perf_counter(), self.step
        metrics: Metrics = {}
        recent: list[Tensor] = []
        while self.step < self.recipe.n_steps:
            loss, norm = self.train_step()
            recent.append(loss)
            if reporter is not None:
                reporter(_event(self.step, self.recipe.n_steps, first, time.perf_counter() - began))
            held_out = {"held_out": self.evaluate()} if self._is_due("evaluate") else {}
            if held_out:
                self._keep_best(held_out["held_out"])
            if self._is_due("log"):
                metrics, recent = self._metrics(recent, norm) | held_out, []
                log.write(metrics)
                answers = [callback(self, dict(metrics)) for callback in self.callbacks]
                if any(answer is False for answer in answers):
                    self._keep_latest()
                    break
            if self._is_due("checkpoint"):
                self._keep_latest()
        return metrics

    def _metrics(self, recent: list[Tensor], norm: Tensor) -> Metrics:
        mean = float(torch.stack(recent).mean())
        return {"step": self.step, "loss": mean, "gradient_norm": float(norm), "rate": self.recipe.rate(self.step)}

    def _is_due(self, what: str) -> bool:
        every = self._every[what]
        return self.step == self.recipe.n_steps or bool(every and self.step % every == 0)

    def train_step(self) -> tuple[Tensor, Tensor]:
        """Take one step; return the batch's loss and its gradient's norm before clipping.

        Raises
        ------
        NonFiniteLossError
        """
        self._eager.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate(self.step)
        draws, temperature = self.source.next_batch()
        self.optimizer.zero_grad(set_to_none=True)
        loss = self._loss(draws, temperature, self.step, self._compiled)
        self._scaler.scale(loss).backward()
        self._scaler.unscale_(self.optimizer)
        self.processes.average_gradients(self._eager)
        value = self.processes.mean(loss.detach())
        norm = torch.nn.utils.clip_grad_norm_(self._eager.parameters(), self.recipe.clip)
        if not math.isfinite(value):
            raise NonFiniteLossError("loss", float(value), self.step, self._last_good())
        if not math.isfinite(norm) and not self._scaler.is_enabled():  # the scaler skips such a step by itself
            raise NonFiniteLossError("gradient", float(norm), self.step, self._last_good())
        self._scaler.step(self.optimizer)
        self._scaler.update()
        self.step += 1
        self.average.update(self._eager, self.step)
        return value, norm

    def evaluate(self) -> float:
        """Return the averaged weights' loss on the held-out batch, in noise that is always the same."""
        draws, temperature = self.source.held_out()
        was_training = self._eager.training
        with self.average.in_place_of(self._eager), torch.no_grad():
            self._eager.eval()
            loss = self.processes.mean(self._loss(draws, temperature, -1, self._eager))
        self._eager.train(was_training)
        return float(loss)

    def _loss(self, draws: Any, temperature: Any, step: int, network: Any) -> Tensor:
        """Return the mean loss of this process's share of a batch, in the noise of a step."""
        generator = torch.Generator().manual_seed(_mixed(self.seed, step + 1))
        n = len(draws)
        log_snr = self.levels.draw(n, generator)
        epsilon = torch.randn(draws.shape, generator=generator)
        known = self._known(draws, generator)
        share = self.processes.share(n)
        x_0 = torch.from_numpy(np.ascontiguousarray(draws[share])).float().to(self.device)
        if self._flips:
            x_0 = x_0 * _signs(x_0, torch.rand(n, generator=generator)[share])
        parts = (log_snr[share].float().to(self.device), epsilon[share].to(self.device))
        with _with_network(self.denoiser, network), self._autocast():
            bound = self.denoiser.at(temperature[share])
            if known is not None:
                bound = bound.given_each(known[share].to(self.device), x_0)
            return self.loss(bound, x_0, *parts).mean()

    def _known(self, draws: Any, generator: torch.Generator) -> Tensor | None:
        """Return which spins are told: in some configurations, each with a part of its own."""
        if not self.known_fraction:
            return None
        chosen, part = torch.rand(2, len(draws), *(1,) * (draws.ndim - 1), generator=generator)
        return (torch.rand(draws.shape, generator=generator) < part) & (chosen < self.known_fraction)

    @property
    def _flips(self) -> bool:
        """Whether configurations are flipped at random: local chains below Tc stay in the phase they began in."""
        model = getattr(self.denoiser, "model", None)
        return isinstance(model, IsingModel) and model.h == 0

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, _TYPES[self.precision])

    def _last_good(self) -> Path | None:
        return self.latest if self.folder is not None and self.latest.exists() else None

    def _keep_best(self, loss: float) -> None:
        if loss < self.best:
            self.best = loss
            if self.folder is not None:
                save_checkpoint(self, self.folder / "best.safetensors")

    def _keep_latest(self) -> None:
        if self.folder is not None:
            save_checkpoint(self, self.latest)


@dataclass
class _with_network(AbstractContextManager[None]):
    """Let a denoiser use another network, the compiled one."""

    denoiser: Any
    network: Any

    def __enter__(self) -> None:
        self.before, self.denoiser.network = self.denoiser.network, self.network

    def __exit__(self, *_: object) -> None:
        self.denoiser.network = self.before


def _signs(x: Tensor, u: Tensor) -> Tensor:
    """Return a sign for each configuration, from numbers uniform in (0, 1)."""
    return torch.where(u < 0.5, -1.0, 1.0).to(x).reshape(-1, *(1,) * (x.ndim - 1))


def _mixed(seed: int, step: int) -> int:
    """Return a seed of its own for every step."""
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0] >> 1)


def _event(step: int, n_steps: int, first: int, seconds: float) -> ProgressEvent:
    left = seconds / (step - first) * (n_steps - step)
    return ProgressEvent(step, n_steps, 0, 0, seconds, left)

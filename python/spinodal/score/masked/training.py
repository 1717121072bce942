# SPDX-License-Identifier: BSD-3-Clause
"""Training of the masked sampler, level by level: each network sees data of its own, and none waits for another.

So levels can be trained in any order, or by several processes at once: each has a part file of its own beside the
model's, which is also its checkpoint, and whoever finishes the last level writes the model.
"""

from __future__ import annotations

import json
import math
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from spinodal.score.masked import files
from spinodal.score.masked.geometry import Pass, refinement
from spinodal.score.masked.model import MaskedConfig, MaskedIsing, log_bernoulli
from spinodal.score.masked.streams import ChainStream
from spinodal.score.masked.targets import Targets

# Steps, targets of each pass in a step, and heat-bath sweeps the targets are averaged over. At the finest level the
# targets' noise vanishes without sweeps; at the coarse ones sweeps relax too slowly, and more data is cheaper.
_RECIPES = {"1a": (3000, 1024, 0), "2a": (3000, 512, 12), "2b": (3000, 256, 8), "a": (3000, 1024, 0),
            "b": (3000, 512, 0), "base": (2000, 2048, 0)}  # fmt: skip
_SITES_A_STREAM = 1 << 20
_EMA_DECAY = 0.998
_WARM_UP = 100


class TrainingError(FloatingPointError):
    """The loss became NaN or infinite; the message says where, and which checkpoint is the last good one."""


@dataclass(frozen=True)
class LevelRecipe:
    """How one network is trained.

    Attributes
    ----------
    level : str
        A level's name, or the length of a base.
    lengths : tuple of int
        Lattices the data are from.
    n_steps : int
    n_targets : int
        Of each pass in each step: the number of lattices is this over the number of blocks.
    n_sweeps : int
        Heat-bath sweeps a target is averaged over.
    learning_rate : float
        The highest; after a warm-up it falls to zero as a cosine.
    seed : int
    """

    level: str
    lengths: tuple[int, ...]
    n_steps: int
    n_targets: int
    n_sweeps: int
    learning_rate: float
    seed: int


@dataclass(frozen=True)
class TrainingProgress:
    """What a progress callback is told."""

    level: str
    step: int
    n_steps: int
    loss: float


Report = Callable[[TrainingProgress], object]


def train_masked(
    path: str | PathLike[str],
    *,
    config: MaskedConfig | None = None,
    lengths: Sequence[int] = (8, 16, 24, 32, 64),
    levels: Sequence[str] | None = None,
    effort: float = 1.0,
    batch: float = 1.0,
    learning_rate: float = 2e-3,
    start_from: MaskedIsing | None = None,
    seed: int = 0,
    checkpoint_every: float = 30.0,
    report: Report | None = None,
) -> Path | None:
    """Train the masked sampler of the Ising model on fresh configurations.

    Called again after a kill, it goes on from the last checkpoint of each level and ends with the same weights.

    Parameters
    ----------
    path : path-like
        The model, a safetensors file with a manifest beside it; the levels' parts are in ``<path>.parts``.
    config : MaskedConfig, optional
    lengths : sequence of int
        Lattices to train on.
    levels : sequence of str, optional
        Networks to train now, "2a" for one; default all.
    effort : float
        Multiplies the number of steps; 1 takes some 25 CPU minutes.
    batch : float
        Multiplies the number of lattices in a step.
    learning_rate : float
    start_from : MaskedIsing, optional
        Weights to begin from; of the same configuration.
    seed : int
    checkpoint_every : float
        Seconds.
    report : callable, optional
        Called after every step with a `TrainingProgress`.

    Returns
    -------
    Path or None
        The model's file; None if levels of it are still to be trained.

    Raises
    ------
    ValueError
        If an argument is wrong, or a part is of another training.
    TrainingError
        If the loss is not finite.
    """
    path, config = Path(path), config or (MaskedConfig() if start_from is None else start_from.config)
    if start_from is not None and start_from.config != config:
        raise ValueError(f"start_from has {start_from.config}, not {config}")
    names = (*config.levels, *map(str, config.bases))
    recipes = {name: recipe(config, name, lengths, effort, learning_rate, seed, batch=batch) for name in names}
    unknown = set(levels or ()) - set(names)
    if unknown:
        raise ValueError(f"levels {sorted(unknown)} are unknown; there are {', '.join(names)}")
    parts = path.with_name(path.name + ".parts")
    parts.mkdir(exist_ok=True)
    for name in levels or names:
        LevelTraining(config, recipes[name], parts / f"{name}.safetensors", start_from).run(checkpoint_every, report)
    return _assemble(path, parts, config, recipes)


def recipe(
    config: MaskedConfig, level: str, lengths: Sequence[int], effort: float, learning_rate: float, seed: int,
    *, batch: float = 1.0,
) -> LevelRecipe:  # fmt: skip
    """Return how a level is trained.

    Raises
    ------
    ValueError
        If none of the lattices has that level.
    """
    kind = "base" if level.isdigit() else level
    n_steps, n_targets, n_sweeps = _RECIPES.get(kind) or _RECIPES[kind[-1]]
    if min(lengths) < 8:  # around smaller lattices a B2 site meets a B1 site twice, which its target does not know
        raise ValueError(f"lengths to train on must be >= 8; got {min(lengths)}")
    own = tuple(length for length in lengths if _uses(config, level, length))
    if not own:
        raise ValueError(f"no lattice of lengths {list(lengths)} has level {level}: add one that has")
    for name, factor in (("effort", effort), ("batch", batch), ("learning_rate", learning_rate)):
        if not (math.isfinite(factor) and factor > 0):
            raise ValueError(f"{name} must be finite and > 0; got {factor}")
    n_steps, n_targets = max(1, round(effort * n_steps)), max(1, round(batch * n_targets))
    return LevelRecipe(level, own, n_steps, n_targets, n_sweeps, learning_rate, seed)


def _uses(config: MaskedConfig, level: str, length: int) -> bool:
    plan = refinement(length)
    return str(plan.base_length) == level or any(config.level_of(step) == level for step in plan.passes)


class LevelTraining:
    """The training of one network, with its checkpoint.

    Parameters
    ----------
    config : MaskedConfig
    how : LevelRecipe
    path : Path
        The part file.
    start_from : MaskedIsing, optional
    """

    def __init__(self, config: MaskedConfig, how: LevelRecipe, path: Path, start_from: MaskedIsing | None) -> None:
        self.how, self.path = how, path
        self.model = MaskedIsing(config, seed=how.seed)
        if start_from is not None:
            self.model.load_state_dict(start_from.state_dict())
        self.network = network_of(self.model, how.level)
        self.averaged = {name: p.detach().clone() for name, p in self.network.named_parameters()}
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=how.learning_rate, betas=(0.9, 0.99))
        self.step, self.seconds = 0, 0.0
        self.tasks = list(_tasks(config, how))
        self.streams: dict[int, ChainStream] = {}

    def run(self, checkpoint_every: float, report: Report | None) -> None:
        """Train from the checkpoint, or from the start, to the end."""
        if self.path.exists():
            self.restore()
        if self.step >= self.how.n_steps:
            return
        saved, began = time.monotonic(), time.process_time()
        while self.step < self.how.n_steps:
            loss = self._step()
            if report is not None:
                report(TrainingProgress(self.how.level, self.step, self.how.n_steps, loss))
            if time.monotonic() - saved > checkpoint_every or self.step == self.how.n_steps:
                self.seconds += time.process_time() - began
                self.save()
                saved, began = time.monotonic(), time.process_time()

    def _step(self) -> float:
        length, passes = self.tasks[np.random.default_rng([self.how.seed, self.step]).integers(len(self.tasks))]
        generator = torch.Generator().manual_seed(_mixed(self.how.seed, self.how.level, self.step))
        loss = self._base_loss(length) if not passes else self._level_loss(length, passes, generator)
        value = float(loss.detach())
        if not math.isfinite(value):
            kept = f"; {self.path} has the last good one" if self.path.exists() else ""
            raise TrainingError(f"the loss of level {self.how.level} is {value} at step {self.step}{kept}")
        self.optimizer.param_groups[0]["lr"] = self.how.learning_rate * annealing(self.step, self.how.n_steps)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        decay = min(_EMA_DECAY, self.step / (self.step + 10))
        for name, parameter in self.network.named_parameters():
            self.averaged[name].lerp_(parameter.detach(), 1 - decay)
        return value

    def _level_loss(self, length: int, passes: Sequence[Pass], generator: Any) -> Any:
        spins, k = self._stream(length).next(max(1, self.how.n_targets // passes[0].sites.size))
        losses = []
        for step in passes:
            wanted = Targets(length, step, self.how.n_sweeps)(spins, k, generator)
            windows = spins[:, torch.as_tensor(step.windows)] * torch.as_tensor(step.visible)
            logits = self.model.pass_logits(windows, k, step, length)
            losses.append(F.binary_cross_entropy_with_logits(logits, (1 + wanted) / 2))
        return torch.stack(losses).mean()

    def _base_loss(self, length: int) -> Any:
        spins, k = self._stream(length).next(self.how.n_targets)
        base = spins[:, torch.as_tensor(refinement(length).base)]
        return -log_bernoulli(self.model.base_logits(base, k, length), base).mean() / base.shape[1]

    def _stream(self, length: int) -> ChainStream:
        if length not in self.streams:
            config, seed = self.model.config, _mixed(self.how.seed, self.how.level, length)
            n_chains = min(4096, 16 * self.how.n_targets, _SITES_A_STREAM // length**2)
            between = (config.lowest_temperature, config.highest_temperature)
            self.streams[length] = ChainStream(length, n_chains, seed=seed, temperatures=between)
        return self.streams[length]

    def save(self) -> None:
        """Write the part file: it is there whole or not at all."""
        tensors = {f"averaged/{name}": tensor for name, tensor in self.averaged.items()}
        for name, parameter in self.network.named_parameters():
            tensors[f"network/{name}"] = parameter.detach()
            for key, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer/{key}/{name}"] = torch.as_tensor(value)
        for length, stream in self.streams.items():
            tensors |= {f"stream/{length}/{name}": torch.from_numpy(a) for name, a in stream.arrays().items()}
        files.write(self.path, tensors, {"recipe": asdict(self.how), "step": self.step, "cpu_seconds": self.seconds})

    def restore(self) -> None:
        """Go on from the part file.

        Raises
        ------
        ValueError
            If it is of another training.
        """
        tensors, manifest = files.read(self.path)
        if manifest["recipe"] != json.loads(json.dumps(asdict(self.how))):
            raise ValueError(f"{self.path} is of another training, {manifest['recipe']}, not {asdict(self.how)}: "
                             "give another path, or remove it")  # fmt: skip
        self.step, self.seconds = manifest["step"], manifest["cpu_seconds"]
        self.averaged = {name: tensors[f"averaged/{name}"] for name in self.averaged}
        with torch.no_grad():
            for name, parameter in self.network.named_parameters():
                parameter.copy_(tensors[f"network/{name}"])
                prefix = "optimizer/", f"/{name}"
                state = {
                    key.removeprefix(prefix[0]).removesuffix(prefix[1]): value
                    for key, value in tensors.items()
                    if key.startswith(prefix[0]) and key.endswith(prefix[1]) and key.count("/") == 2
                }
                if state:
                    self.optimizer.state[parameter] = state
        self._restore_streams(tensors)

    def _restore_streams(self, tensors: Mapping[str, Any]) -> None:
        for length in {int(name.split("/")[1]) for name in tensors if name.startswith("stream/")}:
            prefix = f"stream/{length}/"
            arrays = {n.removeprefix(prefix): t.numpy() for n, t in tensors.items() if n.startswith(prefix)}
            self._stream(length).restore(arrays)


def _tasks(config: MaskedConfig, how: LevelRecipe) -> Iterator[tuple[int, tuple[Pass, ...]]]:
    """Yield lattices with the passes of one stride that the level serves; no passes for a base."""
    for length in how.lengths:
        passes = [step for step in refinement(length).passes if config.level_of(step) == how.level]
        for stride in sorted({step.stride for step in passes}):
            yield length, tuple(step for step in passes if step.stride == stride)
        if not passes:
            yield length, ()


def annealing(step: int, n_steps: int) -> float:
    """Return the factor of the learning rate: a warm-up, then a cosine that ends at zero."""
    warm_up = min(_WARM_UP, max(1, n_steps // 10))
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, n_steps - warm_up)))


def network_of(model: MaskedIsing, level: str) -> Any:
    """Return the network of a level or of a base."""
    return model.bases[level] if level in model.bases else model.levels[level]


def _assemble(path: Path, parts: Path, config: MaskedConfig, recipes: Mapping[str, LevelRecipe]) -> Path | None:
    """Write the model once all its parts are finished."""
    model, trained = MaskedIsing(config), {}
    for name, how in recipes.items():
        part = parts / f"{name}.safetensors"
        if not part.exists():
            return None
        tensors, manifest = files.read(part)
        if manifest["step"] < how.n_steps:
            return None
        prefix = "averaged/"
        averaged = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
        network_of(model, name).load_state_dict(averaged)
        trained[name] = {**manifest["recipe"], "cpu_seconds": round(manifest["cpu_seconds"], 1)}
    files.save_model(path, model, {"training": trained})
    return path


def _mixed(seed: int, level: str, number: int) -> int:
    """Return a seed of its own for each use."""
    return zlib.crc32(f"{level} {number}".encode()) ^ _spread(seed)


def _spread(seed: int) -> int:
    """Spread a small seed over 62 bits."""
    return (seed * 0x9E3779B97F4A7C15) & ((1 << 62) - 1)

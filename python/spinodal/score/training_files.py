# SPDX-License-Identifier: BSD-3-Clause
"""What training leaves on the disk: checkpoints, whole or not at all, and the log of its metrics.

A checkpoint holds weights, their average, the optimiser's moments and the source's chains. There is no state of random
generators: noise is a function of seed and step.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from spinodal.files.atomic import replacing
from spinodal.files.errors import FileFormatError
from spinodal.samplers.running.provenance import ResumeError
from spinodal.score.tensor_files import read_tensors, write_tensors
from spinodal.score.weights import difference

if TYPE_CHECKING:
    from spinodal.score.training import Trainer

LOG_KINDS = ("csv", "jsonl", "tensorboard")
COLUMNS = ("step", "loss", "held_out", "gradient_norm", "rate")


def save_checkpoint(trainer: Trainer, path: Path) -> None:
    """Write all that a bit-exact resume needs; the first process does."""
    if not trainer.processes.is_first:
        return
    tensors: dict[str, Tensor] = {}
    _put(tensors, "network/", trainer.denoiser.network.state_dict())
    _put(tensors, "average/", trainer.average.weights)
    for index, moments in trainer.optimizer.state_dict()["state"].items():
        _put(tensors, f"optimizer/{index}/", moments)
    _put(tensors, "source/", {name: torch.from_numpy(np.array(a)) for name, a in trainer.source.arrays().items()})
    manifest = {
        "kind": "checkpoint",
        "training": json.loads(json.dumps(trainer.describe())),
        "step": trainer.step,
        "best": trainer.best,
        "scaler": trainer._scaler.state_dict(),
    }
    write_tensors(path, tensors, manifest)


def load_checkpoint(trainer: Trainer) -> None:
    """Go on from the latest checkpoint.

    Raises
    ------
    FileFormatError
        If the file is damaged or no checkpoint.
    ResumeError
        If it is of another training.
    """
    path = trainer.latest
    tensors, manifest = read_tensors(path)
    if manifest.get("kind") != "checkpoint":
        raise FileFormatError(path, "it holds a network's weights, not a checkpoint of training")
    _check_same_training(path, manifest["training"], json.loads(json.dumps(trainer.describe())))
    weights = _take(tensors, "network/")
    problem = difference(trainer.denoiser.network, weights)
    if problem:
        raise FileFormatError(path, f"not the weights of this network: {problem}")
    trainer.denoiser.network.load_state_dict(weights)
    for name, tensor in _take(tensors, "average/").items():
        trainer.average.weights[name].copy_(tensor)
    _restore_optimizer(trainer.optimizer, _take(tensors, "optimizer/"))
    trainer.source.restore({name: tensor.numpy() for name, tensor in _take(tensors, "source/").items()})
    if manifest["scaler"]:
        trainer._scaler.load_state_dict(manifest["scaler"])
    trainer.step, trainer.best = manifest["step"], manifest["best"]


def _put(tensors: dict[str, Tensor], prefix: str, named: Mapping[str, Tensor]) -> None:
    tensors.update({f"{prefix}{name}": tensor for name, tensor in named.items()})


def _take(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _restore_optimizer(optimizer: Any, moments: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in moments.items():
        index, _, which = name.partition("/")
        state.setdefault(int(index), {})[which] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def _check_same_training(path: Path, recorded: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    differing = [
        f"{name} was {recorded.get(name)}, now {asked.get(name)}"
        for name in sorted({*recorded, *asked})
        if recorded.get(name) != asked.get(name)
    ]
    if differing:
        raise ResumeError(
            f"{path} is of another training: {'; '.join(differing)}. Give the arguments it began with, another folder, "
            "or resume=False to begin anew"
        )


class Log:
    """Metrics, a row a log: CSV, JSON lines, TensorBoard.

    Rows after the step that training goes on from are dropped first: they are about to be written again.
    """

    def __init__(self, folder: Path | None, kinds: Sequence[str], step: int) -> None:
        unknown = [kind for kind in kinds if kind not in LOG_KINDS]
        if unknown:
            raise ValueError(f"log={unknown[0]!r} is unknown; choose among: {', '.join(LOG_KINDS)}")
        self._files = (
            {} if folder is None else {kind: folder / f"metrics.{kind}" for kind in kinds if kind != "tensorboard"}
        )
        for kind, path in self._files.items():
            self._keep_rows(kind, path, step)
        self._board = _tensorboard(folder) if folder is not None and "tensorboard" in kinds else None

    @staticmethod
    def _keep_rows(kind: str, path: Path, step: int) -> None:
        lines = path.read_text().splitlines() if path.exists() and step else []
        kept = [_row(kind, {name: name for name in COLUMNS})] if kind == "csv" else []
        for line in lines:
            found = _step_of(kind, line)
            if found is not None and found <= step:
                kept.append(line)
        with replacing(path) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in kept))

    def write(self, metrics: Mapping[str, float]) -> None:
        """Add a row."""
        for kind, path in self._files.items():
            with path.open("a") as file:
                file.write(_row(kind, metrics) + "\n")
        if self._board is not None:
            for name, value in metrics.items():
                self._board.add_scalar(name, value, int(metrics["step"]))

    def close(self) -> None:
        """Flush what TensorBoard has not written yet."""
        if self._board is not None:
            self._board.close()


def _row(kind: str, metrics: Mapping[str, Any]) -> str:
    if kind == "jsonl":
        return json.dumps(dict(metrics))
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([metrics.get(name, "") for name in COLUMNS])
    return line.getvalue()


def _step_of(kind: str, line: str) -> int | None:
    """Return a row's step; None for the header, and for what a kill has cut."""
    try:
        return int(json.loads(line)["step"] if kind == "jsonl" else line.split(",", maxsplit=1)[0])
    except (ValueError, KeyError, TypeError):
        return None


def _tensorboard(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ImportError("log='tensorboard' needs tensorboard: pip install tensorboard") from error
    return SummaryWriter(str(folder))

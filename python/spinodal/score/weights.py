# SPDX-License-Identifier: BSD-3-Clause
"""Trained networks in files: the weights, and how they were made.

The manifest, a JSON object in the file's header, holds

    architecture    the network's ``architecture()``: "kind" and the arguments to build it again
    data            what it was trained on
    command         what to run to train it again
    seed            of that command
    ess             measured effective sample size as a fraction of the draws, by temperature or case
    sha256, format  added by :func:`save_weights`

and whatever else its author wants to tell.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any

import torch

from spinodal.files.errors import FileFormatError
from spinodal.score.tensor_files import Manifest, read_tensors, write_tensors

REQUIRED = ("data", "command", "seed", "ess")
HOMES: dict[str, str] = {"ScoreNetwork": "spinodal.score.unet"}
"""Where the networks that :func:`load_weights` builds by itself are defined: kind, module."""

Build = Callable[[dict[str, Any]], Any]


def save_weights(
    path: str | PathLike[str], network: Any, manifest: Mapping[str, Any], *, dtype: torch.dtype | None = None
) -> None:
    """Write a network's weights and manifest to one file, atomically.

    Parameters
    ----------
    path : path-like
        Customarily ``….safetensors``.
    network : torch.nn.Module
        With ``architecture()``: its "kind" and arguments, as JSON can hold them.
    manifest : mapping
        At least "data", "command", "seed" and "ess".
    dtype : torch.dtype, optional
        What floating-point weights are stored as; ``torch.float16`` halves the file.

    Raises
    ------
    ValueError
        If the manifest lacks something, or a weight is not finite in the stored type.
    """
    missing = [name for name in REQUIRED if name not in manifest]
    if missing:
        raise ValueError(f"the manifest of {path} must say {', '.join(REQUIRED)}; {', '.join(missing)} is missing")
    tensors = {}
    for name, tensor in network.state_dict().items():
        stored = tensor.to(dtype) if dtype is not None and tensor.is_floating_point() else tensor
        if not torch.isfinite(stored).all():
            raise ValueError(f"{name} is not finite as {stored.dtype}: {path} is not written")
        tensors[name] = stored
    write_tensors(path, tensors, {**manifest, "architecture": network.architecture()})


def load_weights(path: str | PathLike[str], build: Build | None = None) -> tuple[Any, Manifest]:
    """Return the network of a file, in evaluation mode, and its manifest; of a checkpoint, the averaged weights.

    Parameters
    ----------
    path : path-like
    build : callable, optional
        Makes a network from the manifest's "architecture"; needed for kinds this package does not know.

    Raises
    ------
    FileNotFoundError
    FileFormatError
        If the file is damaged, or its weights are not those of the network its manifest describes.
    """
    tensors, manifest = read_tensors(path)
    if manifest.get("kind") == "checkpoint":
        tensors = {name.removeprefix("average/"): x for name, x in tensors.items() if name.startswith("average/")}
        manifest["architecture"] = manifest["training"]["architecture"]
    architecture = dict(manifest.get("architecture", {}))
    network = (build or _build)(architecture) if architecture else None
    if network is None:
        raise FileFormatError(path, f"it holds no network this version can build: architecture {architecture}")
    problem = difference(network, tensors)
    if problem:
        raise FileFormatError(path, f"not the weights of a {architecture.get('kind')}: {problem}")
    network.load_state_dict(tensors)
    return network.eval(), manifest


def difference(network: Any, tensors: Mapping[str, torch.Tensor]) -> str:
    """Return how some tensors differ from a network's own in names and shapes; empty if they do not."""
    own = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    given = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    found = [f"{name} is missing" for name in own if name not in given]
    found += [f"{name} is unknown" for name in given if name not in own]
    found += [
        f"{name} has shape {given[name]}, not {own[name]}" for name in own if given.get(name, own[name]) != own[name]
    ]
    return "; ".join(found[:3]) + (f"; and {len(found) - 3} more" if len(found) > 3 else "")


def _build(architecture: dict[str, Any]) -> Any:
    kind = architecture.get("kind")
    if kind not in HOMES:
        return None
    arguments = {name: value for name, value in architecture.items() if name != "kind"}
    return getattr(importlib.import_module(HOMES[kind]), kind)(**arguments)

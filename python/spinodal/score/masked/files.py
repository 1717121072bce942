# SPDX-License-Identifier: BSD-3-Clause
"""Weights in safetensors files that carry their manifest, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import torch

import spinodal
from spinodal.files.atomic import replacing
from spinodal.score.masked.model import MaskedConfig, MaskedIsing

FORMAT = "spinodal masked ising 1"


def write(path: Path, tensors: Mapping[str, Any], manifest: Mapping[str, Any]) -> None:
    """Write tensors and a manifest, which JSON can hold, to one file.

    Raises
    ------
    ImportError
        If safetensors is not installed.
    """
    save_file = _safetensors().torch.save_file
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    with replacing(path) as temporary:
        save_file(contiguous, temporary, metadata={"manifest": json.dumps(manifest)})


def read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the tensors and the manifest of a file.

    Raises
    ------
    ValueError
        If it is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with _safetensors().safe_open(path, framework="pt") as opened:
            manifest = json.loads((opened.metadata() or {})["manifest"])
            return {name: opened.get_tensor(name) for name in opened.keys()}, manifest  # noqa: SIM118
    except (_safetensors().SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a file of weights with a manifest: {error}") from error


def save_model(path: str | PathLike[str], model: MaskedIsing, facts: Mapping[str, Any]) -> None:
    """Write a model's weights to a safetensors file, and its manifest there and to ``<path>.json``.

    Parameters
    ----------
    path : path-like
    model : MaskedIsing
    facts : mapping
        What else the manifest is to say: data, command, measured figures.
    """
    path = Path(path)
    tensors = {name: tensor.detach().half() for name, tensor in model.state_dict().items()}
    manifest = {
        "format": FORMAT, "version": spinodal.__version__, "network": model.describe(),
        "weights": {"dtype": "float16", "sha256": _digest(tensors)}, **facts,
    }  # fmt: skip
    write(path, tensors, manifest)
    with replacing(manifest_path(path)) as temporary:
        temporary.write_text(json.dumps(manifest, indent=1) + "\n")


def load_model(path: str | PathLike[str]) -> tuple[MaskedIsing, dict[str, Any]]:
    """Return the model of a file, and its manifest.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If the file is another kind of file, or is not its manifest's network.
    """
    path = Path(path)
    tensors, manifest = read(path)
    if manifest.get("format") != FORMAT:
        raise ValueError(f"{path} has the format {manifest.get('format')!r}; this version reads {FORMAT!r}")
    if _digest(tensors) != manifest["weights"]["sha256"]:
        raise ValueError(f"{path} is damaged: its weights do not have the checksum of its manifest")
    model = MaskedIsing(MaskedConfig(**manifest["network"]))
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if found != expected:
        wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        raise ValueError(f"{path} is not its manifest's network: {wrong[0]} is {found.get(wrong[0])}, not "
                         f"{expected.get(wrong[0])}")  # fmt: skip
    model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return model.eval(), manifest


def manifest_path(path: Path) -> Path:
    """Return the readable copy of a file's manifest."""
    return path.with_suffix(".json")


def _digest(tensors: Mapping[str, Any]) -> str:
    summed = hashlib.sha256()
    for name in sorted(tensors):
        summed.update(name.encode())
        summed.update(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return summed.hexdigest()


def _safetensors() -> Any:
    try:
        import safetensors.torch
    except ImportError as error:
        raise ImportError("files of weights need safetensors: pip install 'spinodal[torch]'") from error
    return safetensors

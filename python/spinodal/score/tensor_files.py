# SPDX-License-Identifier: BSD-3-Clause
"""Tensors and the manifest that says what they are, in one safetensors file, whole or not there at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from spinodal.files.atomic import replacing
from spinodal.files.errors import FileFormatError

FORMAT = "spinodal tensors 1"
Tensors = dict[str, torch.Tensor]
Manifest = dict[str, Any]


def write_tensors(path: str | PathLike[str], tensors: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]) -> None:
    """Write tensors with their manifest, atomically: temporary file, fsync, rename.

    Parameters
    ----------
    path : path-like
    tensors : mapping of str to tensor
    manifest : mapping
        What JSON can hold. The format and the tensors' SHA-256 are added.
    """
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    described = {**manifest, "format": FORMAT, "sha256": digest(stored)}
    metadata = {"manifest": json.dumps(described, ensure_ascii=False)}
    with replacing(Path(path)) as temporary:
        # A clone each: safetensors refuses tensors that share memory.
        save_file({name: tensor.clone() for name, tensor in stored.items()}, temporary, metadata)


def read_tensors(path: str | PathLike[str], prefix: str = "") -> tuple[Tensors, Manifest]:
    """Return the tensors of a file, on the CPU, and its manifest; all are checked, those of a prefix returned.

    Raises
    ------
    FileNotFoundError
    FileFormatError
        If the file is damaged, of another kind, or does not hold the tensors its manifest describes.
    """
    manifest = read_manifest(path)
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    found = digest(tensors)
    if found != manifest["sha256"]:
        problem = f"its tensors are not those of its manifest: SHA-256 {found[:12]}…, not {manifest['sha256'][:12]}…"
        raise FileFormatError(path, problem)
    return {name.removeprefix(prefix): x for name, x in tensors.items() if name.startswith(prefix)}, manifest


def read_manifest(path: str | PathLike[str]) -> Manifest:
    """Return the manifest of a file of tensors, without reading these.

    Raises
    ------
    FileNotFoundError
    FileFormatError
        If the file is damaged or of another kind.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except SafetensorError as error:
        raise FileFormatError(path, f"not a safetensors file, or a damaged one: {error}") from error
    try:
        manifest: Manifest = json.loads(metadata["manifest"])
        kind, _ = manifest["format"], manifest["sha256"]
    except (KeyError, TypeError, ValueError):
        raise FileFormatError(path, "a safetensors file without a manifest of spinodal") from None
    if kind != FORMAT:
        raise FileFormatError(path, f"its format is {kind!r}; this version reads {FORMAT!r}")
    return manifest


def digest(tensors: Mapping[str, torch.Tensor]) -> str:
    """Return the SHA-256 of tensors' names, types, shapes and bytes, in the order of their names."""
    summed = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        summed.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
        summed.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return summed.hexdigest()

# SPDX-License-Identifier: BSD-3-Clause
"""Networks that come with the package, each with a manifest: data, command, seed, measured quality."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent


def pretrained_names() -> list[str]:
    """Return the names of the networks that come with the package."""
    return sorted(path.stem for path in _FOLDER.glob("*.safetensors"))


def load_pretrained(name: str) -> Any:
    """Return a network that comes with the package.

    Parameters
    ----------
    name : str
        "ising-masked": the masked sampler of the Ising model, L = 4 … 64 and beyond, T/J from 1.5 to 3.5. Its
        ``sampler(model, temperature=T)`` is a sampler for `spinodal.run`.

    Raises
    ------
    ValueError
        If there is no network of that name.
    ImportError
        If torch or safetensors is not installed.
    """
    manifest = pretrained_manifest(name)
    if manifest["format"].startswith("spinodal masked ising"):
        from spinodal.score.masked.files import load_model

        return load_model(_FOLDER / f"{name}.safetensors")[0]
    raise ValueError(f"{name} has the format {manifest['format']!r}, which this version does not know")


def pretrained_manifest(name: str) -> dict[str, Any]:
    """Return the manifest of a network that comes with the package.

    Raises
    ------
    ValueError
        If there is no network of that name.
    """
    if name not in pretrained_names():
        raise ValueError(f"there is no pretrained network {name!r}; there are: {', '.join(pretrained_names())}")
    manifest: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text())
    return manifest

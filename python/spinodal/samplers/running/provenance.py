# SPDX-License-Identifier: BSD-3-Clause
"""How samples were made, as JSON; and whether two runs are the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

import spinodal
from spinodal.samplers.protocol import Array, Sampler
from spinodal.samplers.running.plan import Plan

# What determines every bit of a run. The rest may change when it is resumed.
_ARGUMENTS = (
    *("version", "system", "sampler", "temperature", "init", "seed"),
    *("n_chains", "n_steps", "burn_in", "thin", "first_step", "keep_draws"),
)
_FREE = {"sampler.n_threads", "sampler.instruction_set"}  # the bits do not depend on them
_CONVENTIONS = {"energy": "total, of the whole system", "temperature": "in units of energy, k_B = 1"}


class ResumeError(ValueError):
    """A checkpoint is of another run than the one that is asked for."""


def describe_run(
    sampler: Sampler, plan: Plan, temperature: Array, init: Array | None, *, n_threads: int, executor: object | None
) -> dict[str, Any]:
    """Return the provenance of a run's samples."""
    system = sampler.system
    provenance = {
        "version": spinodal.__version__,
        "system": describe_system(system),
        "sampler": sampler.describe(),
        "temperature": temperature[0] if (temperature == temperature[0]).all() else temperature,
        **asdict(plan),
        "init": None if init is None else {"sha256": digest(init)},
        "n_threads": n_threads,
        "executor": None if executor is None else type(executor).__name__,
        "conventions": _CONVENTIONS | dict(getattr(system, "conventions", {})),
        "complete": False,
        "interrupted": False,
    }
    described: dict[str, Any] = json.loads(json.dumps(provenance, default=_plain))
    return described


def describe_system(system: Any) -> dict[str, Any]:
    """Return the system's own description, or its class and shape if it has none."""
    if hasattr(system, "describe"):
        return dict(system.describe())
    return {"kind": type(system).__name__, "shape": getattr(system, "shape", None)}


def digest(array: Array) -> str:
    """Return the SHA-256 of an array's type, shape and values."""
    summed = hashlib.sha256(f"{array.dtype.str} {array.shape}".encode())
    summed.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return summed.hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"provenance cannot hold {value!r}")


def check_same_run(where: object, recorded: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Check that a file's provenance is that of the run asked for.

    Raises
    ------
    ResumeError
        If not: the file, and every argument that differs, with both values.
    """
    differing = list(_differences({key: recorded.get(key) for key in _ARGUMENTS}, asked))
    if differing:
        raise ResumeError(
            f"{where} is of another run: {'; '.join(differing)}. Give the arguments it began with, another path, "
            "or resume='never' to begin anew"
        )


def _differences(recorded: Any, asked: Any, name: str = "") -> Iterator[str]:
    if isinstance(recorded, Mapping) and isinstance(asked, Mapping):
        for key in recorded if not name else {**recorded, **asked}:
            yield from _differences(recorded.get(key), asked.get(key), f"{name}.{key}" if name else key)
    elif recorded != asked and name not in _FREE:
        yield f"{name} was {_short(recorded)}, now {_short(asked)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"

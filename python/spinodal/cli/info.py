# SPDX-License-Identifier: BSD-3-Clause
"""``spinodal info``: what files of samples hold."""

from __future__ import annotations

import argparse
from typing import Any

import spinodal as sp


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    for path in arguments.files:
        samples = sp.load(path)
        print(f"{path}")
        for name, value in describe(samples).items():
            print(f"  {name:<12} {value}")
    return 0


def describe(samples: sp.Samples) -> dict[str, str]:
    """Return what there is to say of samples, by name."""
    made = samples.provenance
    system: dict[str, Any] = made.get("system", {})
    sampler: dict[str, Any] = made.get("sampler", {})
    parts = sampler.get("parts", [sampler])
    methods = dict.fromkeys(str(part.get("method", sampler.get("method", "?"))) for part in parts)
    t = samples.temperatures
    span = "none" if t.size == 0 else f"{t[0]:g}" if t.size == 1 else f"{t.size} from {t[0]:g} to {t[-1]:g}"
    kept = f"{samples.n_kept} kept a chain" if samples.n_kept else "not kept"
    return {
        "system": ", ".join(f"{key} = {value}" for key, value in system.items()),
        "temperatures": span,
        "chains": f"{samples.n_chains:,}",
        "draws": f"{samples.n_draws:,} a chain; configurations: {kept}",
        "recorded": ", ".join(["energy", *samples.info]),
        "method": f"{' and '.join(methods)}; stream {sampler.get('stream', '?')}; seed {made.get('seed', '?')}",
        "steps": "{} burn-in, {} recorded, thin {}".format(*(made.get(k, "?") for k in ("burn_in", "n_steps", "thin"))),
        "ran on": ", ".join(
            (f"spinodal {made.get('version', '?')}", *(sampler.get(k, "?") for k in ("backend", "instruction_set")))
        ),
        "complete": "no" if made.get("complete") is False else "yes",
    }

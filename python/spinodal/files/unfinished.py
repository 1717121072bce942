# SPDX-License-Identifier: BSD-3-Clause
"""Samples of a run that has not ended: the draws that every chain has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.files.encoding import Arrays
from spinodal.files.errors import FileFormatError
from spinodal.files.journal import journal_path, read_journal, read_state
from spinodal.files.recording import Recording


def as_contents(
    recording: Recording, temperature: npt.NDArray[np.float64], provenance: Mapping[str, Any]
) -> tuple[Arrays, dict[str, Any]]:
    """Return a recording's complete draws, and their provenance, as `hdf5` writes and reads them.

    Views, not copies: an interrupted run returns at once.
    """
    n_draws = int(recording.done.min())
    arrays: Arrays = {name: array[:, :n_draws] for name, array in recording.arrays.items()}
    arrays.setdefault("energy", np.empty((recording.n_chains, 0)))
    # Chains that stopped at different draws have no common last one.
    if recording.last is not None and (recording.last_at == n_draws).all():
        arrays["draws"] = recording.last[:, np.newaxis]
    steps = provenance["burn_in"] + provenance["thin"] * n_draws if n_draws else 0
    state = {"complete": recording.complete, "last_step": provenance["first_step"] + steps}
    return {**arrays, "temperature": temperature}, {**provenance, **state}


def read_unfinished(path: Path) -> tuple[Arrays, dict[str, Any]] | None:
    """Return what a run in progress, or a killed one, has written so far; None if there is no journal.

    Raises
    ------
    FileFormatError
        If there is a journal, but nothing in it.
    """
    try:
        contents = read_journal(path)
    except FileNotFoundError:
        return None
    if contents is None:
        raise FileFormatError(journal_path(path), "the run that began here has written nothing yet")
    state = read_state(path, contents.header["token"])
    if state is not None:
        state.give_last(contents.recording)
    return as_contents(contents.recording, contents.temperature, contents.header["provenance"])

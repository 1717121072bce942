# SPDX-License-Identifier: BSD-3-Clause
"""Other codes: their objects where ours are expected, and ours where theirs are.

``spinodal.interop.ase`` has the ASE calculator; it is imported when it is first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

from spinodal.files.trajectories import Trajectory, read_trajectory, write_trajectory
from spinodal.interop.executors import RayExecutor, as_executor

if TYPE_CHECKING:
    from spinodal.interop import ase as ase

__all__ = ["RayExecutor", "Trajectory", "as_executor", "read_trajectory", "write_trajectory"]


def __getattr__(name: str) -> Any:
    if name == "ase":
        return importlib.import_module("spinodal.interop.ase")
    raise AttributeError(f"module 'spinodal.interop' has no attribute {name!r}")

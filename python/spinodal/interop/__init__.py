# SPDX-License-Identifier: BSD-3-Clause
"""Other codes: their objects where ours are expected, and ours where theirs are."""

from spinodal.interop.executors import RayExecutor, as_executor

__all__ = ["RayExecutor", "as_executor"]

# SPDX-License-Identifier: BSD-3-Clause
"""The parts of `spinodal.run`: plan, stepping, recording, checkpoint, progress, interruption, executors."""

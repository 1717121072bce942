# SPDX-License-Identifier: BSD-3-Clause
"""What makes a neural proposal exact: free energies from weights, and Metropolis chains over proposals."""

from spinodal.score.exactness.free_energy import LogPartition, log_partition
from spinodal.score.exactness.independence import IndependenceMetropolis

__all__ = ["IndependenceMetropolis", "LogPartition", "log_partition"]

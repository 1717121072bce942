# SPDX-License-Identifier: BSD-3-Clause
"""Systems: an energy, what can be measured on a configuration, and nothing about sampling."""

from spinodal.systems.double_well import DoubleWell
from spinodal.systems.ising import IsingModel
from spinodal.systems.lennard_jones import LennardJonesSystem

__all__ = ["DoubleWell", "IsingModel", "LennardJonesSystem"]

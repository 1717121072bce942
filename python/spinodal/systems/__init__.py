# SPDX-License-Identifier: BSD-3-Clause
"""Systems: an energy, what can be measured on a configuration, and nothing about sampling."""

from spinodal.systems.ising import IsingModel

__all__ = ["IsingModel"]

# SPDX-License-Identifier: BSD-3-Clause
"""The calculator of ASE, beside ASE's own, and at work in its dynamics and optimisers."""

from __future__ import annotations

import numpy as np
import pytest

ase = pytest.importorskip("ase")

from ase import units  # noqa: E402
from ase.build import bulk  # noqa: E402
from ase.calculators.lj import LennardJones  # noqa: E402
from ase.md.verlet import VelocityVerlet  # noqa: E402
from ase.optimize import BFGS  # noqa: E402

from spinodal.interop.ase import SpinodalLJ  # noqa: E402

ARGON = {"sigma": 3.4, "epsilon": 0.0104, "rc": 8.0}


def crystal(repeat=3, pbc=True):
    atoms = bulk("Ar", cubic=True, a=5.3) * (repeat, repeat, repeat + 1)
    atoms.pbc = pbc
    atoms.rattle(0.1, seed=1)
    return atoms


@pytest.mark.parametrize("pbc", [True, False, (True, False, True), (False, False, True)], ids=str)
@pytest.mark.parametrize("repeat", [1, 3])
def test_the_numbers_of_ase(pbc, repeat):
    """Energy, forces and stress of boxes with any periodic axes, also shorter than the cutoff."""
    results = []
    for calculator in (LennardJones(**ARGON), SpinodalLJ(**ARGON)):
        atoms = crystal(repeat, pbc)
        atoms.calc = calculator
        results.append((atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress()))
    for theirs, ours in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_without_a_cell():
    cluster = ase.Atoms("Ar4", positions=[[0, 0, 0], [3.9, 0, 0], [0, 3.7, 0.2], [0, 0, 3.6]])
    energies = []
    for calculator in (LennardJones(**ARGON), SpinodalLJ(**ARGON)):
        cluster.calc = calculator
        energies.append(cluster.get_potential_energy())
    assert energies[0] == pytest.approx(energies[1], rel=1e-12)
    with pytest.raises(ValueError, match="a cell with a volume"):
        cluster.get_stress()


def test_the_default_cutoff_is_that_of_ase():
    atoms = crystal(2)
    atoms.calc = SpinodalLJ(sigma=2.5)
    ours = atoms.get_potential_energy()
    atoms.calc = LennardJones(sigma=2.5)
    assert ours == pytest.approx(atoms.get_potential_energy(), rel=1e-12)


@pytest.mark.parametrize("shift", ["truncated", "energy", "force"])
def test_stress_is_the_derivative_by_strain(shift):
    """Along an axis; shear is compared with ASE's."""
    atoms = crystal(2)
    atoms.calc = SpinodalLJ(**ARGON, shift=shift)
    stress = atoms.get_stress()
    h, energies = 1e-6, []
    for sign in (1, -1):
        moved = atoms.copy()
        moved.set_cell(atoms.cell * [1 + sign * h, 1, 1], scale_atoms=True)
        moved.calc = SpinodalLJ(**ARGON, shift=shift)
        energies.append(moved.get_potential_energy())
    assert stress[0] == pytest.approx((energies[0] - energies[1]) / (2 * h) / atoms.get_volume(), rel=1e-5)


def test_dynamics_conserves_energy():
    atoms = crystal()
    atoms.calc = SpinodalLJ(**ARGON, shift="force")
    atoms.set_momenta(np.random.default_rng(1).normal(0, np.sqrt(39.9 * 60 * units.kB), (len(atoms), 3)))
    before = atoms.get_total_energy()
    VelocityVerlet(atoms, timestep=4 * units.fs).run(100)
    assert abs(atoms.get_total_energy() - before) < 1e-4 * len(atoms) * ARGON["epsilon"] * 50
    assert np.abs(atoms.positions - crystal().positions).max() > 0.2


def test_an_optimizer_finds_the_pair():
    pair = ase.Atoms("Ar2", positions=[[0, 0, 0], [4.4, 0, 0]])
    pair.calc = SpinodalLJ(sigma=3.4, epsilon=0.0104, rc=20.0, shift="truncated")
    assert BFGS(pair, logfile=None).run(fmax=1e-7, steps=200)
    assert pair.get_distance(0, 1) == pytest.approx(3.4 * 2 ** (1 / 6), rel=1e-5)
    assert pair.get_potential_energy() == pytest.approx(-0.0104, rel=1e-9)


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="smooth=True, ASE's cutoff function, is not offered"):
        SpinodalLJ(smooth=True)
    with pytest.raises(ValueError, match="shift='none' is unknown"):
        SpinodalLJ(shift="none")
    with pytest.raises(TypeError, match=r"unknown parameters \['ro'\]"):
        SpinodalLJ(ro=1.0)
    tilted = bulk("Ar", a=5.3)
    tilted.calc = SpinodalLJ(**ARGON)
    with pytest.raises(ValueError, match="must be rectangular along the axes"):
        tilted.get_potential_energy()

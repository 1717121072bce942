# SPDX-License-Identifier: BSD-3-Clause
"""Files of particles: what is written reads back here and in the programs they are for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import spinodal as sp
from spinodal.files import FileFormatError
from spinodal.interop import Trajectory, read_trajectory, write_trajectory

NIST = Path(__file__).parents[1] / "data" / "nist_lennard_jones_4.txt"


def frames(dim=3, box=(5.0, 6.1, 7.3)):
    rng = np.random.default_rng(dim)
    shape = (4, 7, dim)
    return Trajectory(
        rng.normal(2, 6, shape), None if box is None else np.array(box[:dim]), rng.normal(0, 1, shape),
        rng.normal(0, 1, shape), {"energy": rng.normal(0, 1, 4), "virial": rng.normal(0, 1e-9, 4)},
    )  # fmt: skip


def assert_same(one, other):
    np.testing.assert_array_equal(one.positions, other.positions)
    np.testing.assert_array_equal(one.forces, other.forces)
    assert (one.box is None) == (other.box is None)
    np.testing.assert_array_equal(one.box if one.box is not None else 0, other.box if other.box is not None else 0)
    assert one.scalars.keys() == other.scalars.keys()
    for name, values in one.scalars.items():
        np.testing.assert_array_equal(values, other.scalars[name])


@pytest.mark.parametrize("suffix", ["xyz", "extxyz", "gsd"])
@pytest.mark.parametrize(("dim", "box"), [(3, (5.0, 6.1, 7.3)), (2, (5.0, 6.1)), (3, None), (2, None)])
def test_round_trips(tmp_path, suffix, dim, box):
    """To the last bit, but for GSD's velocities, in single precision."""
    written = frames(dim, box)
    path = tmp_path / f"run.{suffix}"
    write_trajectory(path, written)
    read = read_trajectory(path)
    assert_same(read, written)
    np.testing.assert_allclose(read.velocities, written.velocities, rtol=1e-6 if suffix == "gsd" else 0)
    write_trajectory(path, read)  # replaced, and no other file left
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_boxes_that_change(tmp_path):
    trajectory = Trajectory(frames().positions, np.linspace(5, 6, 12).reshape(4, 3))
    for suffix in ("xyz", "gsd"):
        write_trajectory(tmp_path / f"a.{suffix}", trajectory)
        np.testing.assert_array_equal(read_trajectory(tmp_path / f"a.{suffix}").box, trajectory.box)


def test_samples_and_their_last_draws(tmp_path):
    system = sp.LennardJonesSystem(16, box=5.0)
    sampler = sp.Langevin(system, 1.0)
    samples = sp.run(sampler, n_chains=2, n_steps=30, thin=10, seed=1)
    write_trajectory(tmp_path / "a.xyz", samples, chain=1)
    read = read_trajectory(tmp_path / "a.xyz")
    np.testing.assert_array_equal(read.positions, samples.draws[1])
    np.testing.assert_array_equal(read.scalars["energy"], samples.energy[1])
    np.testing.assert_array_equal(read.scalars["energy"], system.energy(read.positions))
    np.testing.assert_array_equal(read.scalars["virial"], samples.info["virial"][1])
    last = sp.run(sampler, n_chains=2, n_steps=30, thin=10, seed=1, keep_draws="last")
    one = Trajectory.of(last)
    assert one.n_frames == 1 and one.scalars["energy"][0] == samples.energy[0, -1]
    spins = sp.run(sp.Metropolis(sp.IsingModel(4), 2.0), n_chains=1, n_steps=2)
    with pytest.raises(ValueError, match="samples of particles whose configurations were kept"):
        Trajectory.of(spins)


@pytest.mark.parametrize("dim", [2, 3])
def test_ase_reads_what_is_written(tmp_path, dim):
    io = pytest.importorskip("ase.io")
    written = frames(dim)
    write_trajectory(tmp_path / "a.extxyz", written)
    read = io.read(tmp_path / "a.extxyz", index=":")
    for frame, atoms in enumerate(read):
        np.testing.assert_allclose(atoms.positions[:, :dim], written.positions[frame], rtol=1e-15)
        np.testing.assert_array_equal(np.diag(atoms.cell)[:dim], written.box)
        assert atoms.pbc.tolist() == [True, True, dim == 3]
        assert atoms.get_potential_energy() == written.scalars["energy"][frame]
        np.testing.assert_allclose(atoms.get_forces()[:, :dim], written.forces[frame], rtol=1e-15)


def test_what_ase_writes_is_read(tmp_path):
    ase = pytest.importorskip("ase")
    io = pytest.importorskip("ase.io")
    x = frames().positions[0]
    atoms = ase.Atoms("Ar7", positions=x, cell=[5, 6, 7], pbc=True)
    for suffix in ("extxyz", "xyz"):
        io.write(tmp_path / f"a.{suffix}", atoms, format="extxyz")
        read = read_trajectory(tmp_path / f"a.{suffix}")
        np.testing.assert_allclose(read.positions[0], x, atol=1e-8)
        np.testing.assert_array_equal(read.box, [5, 6, 7])
    io.write(tmp_path / "plain.xyz", atoms, format="xyz")
    plain = read_trajectory(tmp_path / "plain.xyz")
    np.testing.assert_allclose(plain.positions[0], x, atol=1e-8)
    assert plain.box is None
    tilted = ase.Atoms("Ar", cell=[[5, 1, 0], [0, 5, 0], [0, 0, 5]], pbc=True)
    io.write(tmp_path / "tilted.xyz", tilted, format="extxyz")
    with pytest.raises(FileFormatError, match="not rectangular"):
        read_trajectory(tmp_path / "tilted.xyz")


def test_gsd_as_other_programs_see_it(tmp_path):
    """Positions inside a box around 0, images beside them: single precision."""
    hoomd = pytest.importorskip("gsd.hoomd")
    for dim in (2, 3):
        written = frames(dim)
        write_trajectory(tmp_path / "a.gsd", written)
        with hoomd.open(str(tmp_path / "a.gsd"), "r") as file:
            assert len(file) == 4
            for number, frame in enumerate(file):
                assert frame.configuration.dimensions == dim
                assert (np.abs(frame.particles.position[:, :dim]) <= written.box / 2 + 1e-6).all()
                unwrapped = frame.particles.position[:, :dim] + frame.particles.image[:, :dim] * written.box
                np.testing.assert_allclose(unwrapped + written.box / 2, written.positions[number], atol=1e-5)
                np.testing.assert_allclose(frame.log["energy"], written.scalars["energy"][number])


def test_gsd_of_other_programs(tmp_path):
    hoomd = pytest.importorskip("gsd.hoomd")
    frame = hoomd.Frame()
    frame.configuration.box = [4, 5, 6, 0, 0, 0]
    frame.particles.N = 2
    frame.particles.position = [[-2, 0, 0], [1, 1, 1]]
    frame.particles.image = [[1, 0, 0], [0, 0, -1]]
    with hoomd.open(str(tmp_path / "a.gsd"), "w") as file:
        file.append(frame)
    read = read_trajectory(tmp_path / "a.gsd")
    np.testing.assert_allclose(read.positions[0], [[4, 2.5, 3], [3, 3.5, -2]])
    frame.configuration.box = [4, 5, 6, 0.1, 0, 0]
    with hoomd.open(str(tmp_path / "b.gsd"), "w") as file:
        file.append(frame)
    with pytest.raises(FileFormatError, match="not rectangular"):
        read_trajectory(tmp_path / "b.gsd")


# NIST Standard Reference Simulation Website, Lennard-Jones fluid reference calculations, cuboid cell, configuration 4.
@pytest.mark.parametrize(
    ("cutoff", "shift", "energy", "virial", "tail"),
    [
        (3, "truncated", -16.790, -46.249, -0.54517),
        (4, "truncated", -17.060, -47.869, -0.23008),
        (3, "force", -15.001, -43.096, None),
    ],
)
def test_a_configuration_of_nist(cutoff, shift, energy, virial, tail):
    """All published digits."""
    read = read_trajectory(NIST)
    assert read.positions.shape == (1, 30, 3) and read.box.tolist() == [8, 8, 8]
    system = sp.LennardJonesSystem(30, box=read.box, cutoff=cutoff, shift=shift)
    assert system.energy(read.positions[0]) == pytest.approx(energy, abs=5.1e-4)
    assert system.virial(read.positions[0]) == pytest.approx(virial, abs=5.1e-4)
    if tail is not None:
        assert system.tail_energy == pytest.approx(tail, abs=5.1e-6)


DAMAGED = {
    "text": ("hello\nworld\n", "it is not XYZ"),
    "empty": ("", "it has no frame"),
    "short": ("3\n\nX 0 0 0\nX 1 1 1", "line 1 announces 3 particles, 2 lines follow"),
    "narrow": ("2\n\nX 0 0 0\nX 1 1\n", "line 4 has 3 columns, fewer than 4"),
    "word": ("1\n\nX 0 zero 0\n", "it is not XYZ"),
    "no positions": ("1\nProperties=species:S:1:velo:R:3\nX 0 0 0\n", "no pos:R:3"),
    "numbers differ": ("1\n\nX 0 0 0\n2\n\nX 0 0 0\nX 1 1 1\n", r"number of particles: \[1, 2\]"),
    "nist": ("8.0 8.0 8.0\n2\n1 0 0 0\n", "line 2 announces 2 particles, 1 lines follow"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_damaged_files_are_named(tmp_path, what):
    text, message = DAMAGED[what]
    (tmp_path / "a.xyz").write_text(text)
    with pytest.raises(FileFormatError, match=rf"a\.xyz: .*{message}"):
        read_trajectory(tmp_path / "a.xyz")


def test_other_mistakes(tmp_path):
    (tmp_path / "a.gsd").write_text("nothing of the kind")
    with pytest.raises(FileFormatError, match="it is not GSD"):
        read_trajectory(tmp_path / "a.gsd")
    for name in ("a.xyz", "b.gsd"):
        with pytest.raises(FileNotFoundError):
            read_trajectory(tmp_path / name)
    with pytest.raises(ValueError, match=r"must be \.gsd, \.xyz, \.extxyz or \.txt"):
        write_trajectory(tmp_path / "a.pdb", frames())
    x = frames().positions
    for wrong, message in (
        ({"positions": x[..., :1]}, "positions must have shape"),
        ({"positions": x, "velocities": x[:2]}, "velocities must have the shape of the positions"),
        ({"positions": x, "box": [1.0, -1.0, 1.0]}, "box must be 3 lengths > 0"),
        ({"positions": x, "scalars": {"energy": [1.0]}}, r"scalars\['energy'\] must have shape \(4,\)"),
    ):
        with pytest.raises(ValueError, match=message):
            Trajectory(**wrong)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.xyz"
    write_trajectory(path, frames())
    before = path.read_bytes()
    from spinodal.files import xyz

    monkeypatch.setattr(xyz, "_in_space", lambda values: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_trajectory(path, frames())
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1

# SPDX-License-Identifier: BSD-3-Clause
"""lennard_jones against the reference: all boxes, shifts, cutoffs, layouts; and what it refuses."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from reference import lennard_jones as reference
from reference.lennard_jones import lattice_with_noise
from spinodal import kernels

SHIFTS = ["truncated", "energy", "force"]
# Particles and box. Few and many particles take other paths; the last ones are shorter than twice the cutoff, or than
# the cutoff itself, so that particles meet several images of others and of themselves.
BOXES = [
    (13, (6.0, 6.0, 6.0)),
    (70, (5.2, 5.5, 6.0)),
    (300, (22.0, 22.0, 23.0)),
    (500, (8.0, 8.5, 9.0)),
    (400, (30.0, 5.2, 5.2)),
    (200, (6.0, 7.0, 7.5)),
    (200, (16.0, 17.0)),
    (60, (4.0, 4.0, 4.0)),
    (5, (2.0, 2.0, 2.5)),
    (1, (1.2, 1.3, 1.4)),
    (30, (4.0, 9.0)),
]


@cache
def case(n, box, amplitude=0.1, offset=0.0, free=False, **options):
    """Positions, and what the reference says of them: once for all engines."""
    x = lattice_with_noise(n, np.array(box), seed=n, amplitude=amplitude) + offset
    return x, reference.lennard_jones(x, None if free else np.array(box), **options)


def check(got, want):
    """Relative to the largest entry; NaN fails."""
    for ours, theirs in zip(got, want, strict=True):
        scale = np.abs(theirs).max()
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 * max(scale, 1.0))


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize(("n", "box"), BOXES, ids=str)
def test_periodic_boxes(engine, n, box, shift):
    x, want = case(n, box, amplitude=0.2, cutoff=2.5, shift=shift)
    check(kernels.lennard_jones(x, box, shift=shift, backend=engine), want)


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize(
    ("n", "box"), [(500, (8.0, 8.5, 9.0)), (400, (30.0, 5.2, 5.2)), (200, (16.0, 17.0)), (30, (4.0, 9.0))], ids=str
)
def test_mixed_precision(engine, n, box, shift):
    x, want = case(n, box, amplitude=0.1, cutoff=2.5, shift=shift)
    got = kernels.lennard_jones(x, box, shift=shift, precision="mixed", backend=engine)
    scale = np.abs(want[1]).max()
    np.testing.assert_allclose(got[1], want[1], rtol=0, atol=2e-5 * scale)
    size = max(abs(want[0]), abs(want[2]), scale)
    assert abs(got[0] - want[0]) < 4e-6 * size
    assert abs(got[2] - want[2]) < 4e-6 * size
    if engine == "cpp":
        assert (got[1] != kernels.lennard_jones(x, box, shift=shift, backend=engine)[1]).any()


def test_mixed_precision_of_a_melt(backend):
    """The virial, which may vanish, is compared with the energy."""
    x = lattice_with_noise(4000, np.full(3, 16.8), seed=1)
    v = kernels.maxwell_velocities(x.shape, 0.7, seed=1)
    kernels.langevin_steps(x, v, 16.8, 0.7, friction=5.0, n_steps=20 if backend == "numba" else 200)
    for shift in SHIFTS:
        full = kernels.lennard_jones(x, 16.8, shift=shift, backend=backend)
        mixed = kernels.lennard_jones(x, 16.8, shift=shift, precision="mixed", backend=backend)
        assert abs(mixed[0] - full[0]) < 1e-7 * abs(full[0])
        assert abs(mixed[2] - full[2]) < 8e-7 * abs(full[0])
        np.testing.assert_allclose(mixed[1], full[1], rtol=0, atol=2e-5 * np.abs(full[1]).max())


@pytest.mark.parametrize(("n", "box"), BOXES, ids=str)
@pytest.mark.parametrize("options", [{"cutoff": 2.5, "shift": "force"}, {"cutoff": np.inf}], ids=str)
def test_free_particles(engine, n, box, options):
    x, want = case(n, box, offset=-7.0, free=True, **options)
    check(kernels.lennard_jones(x, periodic=False, backend=engine, **options), want)


@pytest.mark.parametrize("n", [30, 200])
def test_units_cutoffs_and_softening(engine, n):
    for shift in SHIFTS:
        for cutoff in (0.7, 5.4):
            options = {"cutoff": cutoff, "shift": shift, "epsilon": 0.7, "sigma": 1.3, "softening": 0.4}
            x, want = case(n, (11.0, 12.0, 13.0), **options)
            check(kernels.lennard_jones(x, (11.0, 12.0, 13.0), backend=engine, **options), want)


@pytest.mark.parametrize("leading", [(), (1,), (3,), (9,), (2, 3)], ids=str)
@pytest.mark.parametrize(("n", "length"), [(13, 6.0), (180, 6.5)])
def test_any_leading_shape(engine, leading, n, length):
    """Systems that do not fill the vectors, and none of which feels another."""
    box = np.full(3, length)
    count = int(np.prod(leading, dtype=int))
    x = np.stack([lattice_with_noise(n, box, seed) for seed in range(count)]).reshape(*leading, n, 3)
    energy, forces, virial = kernels.lennard_jones(x, length, backend=engine)
    assert np.shape(energy) == np.shape(virial) == leading
    assert forces.shape == x.shape
    check((energy, forces, virial), reference.lennard_jones(x, box, cutoff=2.5))


def test_systems_do_not_feel_one_another(engine):
    box = np.full(3, 6.0)
    x = np.stack([lattice_with_noise(13, box, seed) for seed in range(5)])
    alone = [kernels.lennard_jones(one, box, backend=engine)[1] for one in x]
    np.testing.assert_array_equal(kernels.lennard_jones(x, box, backend=engine)[1], alone)


@pytest.mark.parametrize("n", [20, 200])
def test_particles_outside_the_box_are_wrapped(engine, n):
    box = np.array([7.0, 7.5, 8.0])
    x = lattice_with_noise(n, box, seed=1)
    moved = x + box * np.random.default_rng(2).integers(-4, 5, x.shape)
    edge = x.copy()
    edge[0] = [-1e-18, 7.5, np.nextafter(8.0, 0.0)]  # rounds to the upper face; on it; just below it
    for there in (moved, edge):
        check(kernels.lennard_jones(there, box, backend=engine), reference.lennard_jones(there, box, cutoff=2.5))


@pytest.mark.parametrize(("n", "length"), [(13, 6.0), (500, 9.0)])
def test_energies_do_not_depend_on_the_order_of_particles(engine, n, length):
    x = lattice_with_noise(n, np.full(3, length), seed=1)
    order = np.random.default_rng(0).permutation(n)
    energy, forces, virial = kernels.lennard_jones(x, length, backend=engine)
    check(kernels.lennard_jones(x[order], length, backend=engine), (energy, forces[order], virial))


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize(("n", "length"), [(12, 6.0), (260, 7.5)])
def test_forces_are_the_energy_gradient(engine, n, length, shift):
    x = lattice_with_noise(n, np.full(3, length), seed=5, amplitude=0.05)
    forces = kernels.lennard_jones(x, length, 3.1, shift, softening=0.1, backend=engine)[1]
    h = 1e-4
    for i, axis in [(0, 0), (n // 2, 1), (n - 1, 2)]:
        moved = np.stack([x] * 4)
        moved[:, i, axis] += np.array([-2, -1, 1, 2]) * h
        energy = kernels.lennard_jones(moved, length, 3.1, shift, softening=0.1, backend=engine)[0]
        slope = (energy[0] - 8 * energy[1] + 8 * energy[2] - energy[3]) / (12 * h)
        # No pair crosses the cutoff within 2 h; what is left is the rounding of the energies.
        assert forces[i, axis] == pytest.approx(-slope, abs=1e-8 + 2e-15 * np.abs(energy).max() / h)


def test_pads_and_masks_do_not_leak(engine):
    """Numbers of particles around multiples of the clusters; a NaN anywhere fails."""
    for n in range(65, 83):
        x, want = case(n, (6.5, 6.5, 6.5))
        check(kernels.lennard_jones(x, 6.5, backend=engine), want)


@cache
def uneven(shape):
    rng = np.random.default_rng(4)
    drop, gas = lattice_with_noise(500, np.full(3, 8.0), seed=1), lattice_with_noise(60, np.full(3, 50.0), seed=2)
    x, box = {
        "a drop in vacuum": (drop + np.array([20, 20, 3]), np.full(3, 60.0)),
        "a drop in gas": (np.concatenate([drop + 20, gas * [1, 1, 0.35]]), np.full(3, 50.0)),
        "a line": (np.stack([0 * drop[:, 0], 0 * drop[:, 0], np.arange(500.0)], axis=1), np.full(3, 500.0)),
        "far apart": (rng.uniform(0, 1e6, (300, 3)), np.full(3, 1e6)),
    }[shape]
    return x, box, reference.lennard_jones(x, box, cutoff=2.5)


@pytest.mark.parametrize("shape", ["a drop in vacuum", "a drop in gas", "a line", "far apart"])
def test_uneven_densities(engine, shape):
    """Most of the particles in a small part of the space: lists must grow, and drop nothing."""
    x, box, want = uneven(shape)
    check(kernels.lennard_jones(x, box, backend=engine), want)


@pytest.mark.parametrize("n_threads", [2, 3, 7])
@pytest.mark.parametrize(
    ("n", "length", "copies"), [(13, 6.0, 700), (9000, 22.0, 1), (9000, 22.0, 2), (400, 9.0, 40)], ids=str
)
def test_any_number_of_threads_gives_the_same_bits(isa, n, length, copies, n_threads):
    one = lattice_with_noise(n, np.full(3, length), seed=1)
    x = np.stack([one] * copies)
    x[:, 0] += 0.01 * np.arange(copies)[:, None] / copies
    for precision in ("double", "mixed"):
        want = kernels.lennard_jones(x, length, precision=precision, n_threads=1)
        got = kernels.lennard_jones(x, length, precision=precision, n_threads=n_threads)
        for ours, theirs in zip(got, want, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("n", "length", "shift"), [(13, 6.0, "force"), (3000, 15.0, "truncated"), (999, 6.0, "force")])
def test_any_instruction_set_gives_the_same_bits(isa, n, length, shift):
    from spinodal.backends.isas import using_isa

    x = np.stack([lattice_with_noise(n, np.full(3, length), seed=seed) for seed in range(3)])
    for precision in ("double", "mixed"):
        got = kernels.lennard_jones(x, length, shift=shift, precision=precision)
        with using_isa("baseline"):
            want = kernels.lennard_jones(x, length, shift=shift, precision=precision)
        for ours, theirs in zip(got, want, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("dim", "cutoff"), [(3, 2.5), (3, 4.0), (2, 2.5)])
def test_tail_corrections(engine, dim, cutoff):
    box = np.full(dim, 9.0)
    x = lattice_with_noise(60, box, seed=1)
    density = 60 / box.prod()
    energy, pressure = reference.tail_corrections(density, cutoff, 0.8, 1.1, dim)
    ours = kernels.tail_corrections(density, cutoff, 0.8, 1.1, dim)
    assert ours[0] == pytest.approx(energy, rel=1e-6)
    assert density * ours[1] / dim == pytest.approx(pressure, rel=1e-6)
    options = {"epsilon": 0.8, "sigma": 1.1, "cutoff": cutoff, "backend": engine}
    without, with_tail = kernels.lennard_jones(x, box, **options), kernels.lennard_jones(x, box, tail=True, **options)
    assert with_tail[0] - without[0] == pytest.approx(60 * energy, rel=1e-6)
    assert (with_tail[2] - without[2]) / (dim * box.prod()) == pytest.approx(pressure, rel=1e-6)


def test_torch_tensors_other_dtypes_and_strides(engine):
    torch = pytest.importorskip("torch")
    x = lattice_with_noise(20, np.full(3, 6.0), seed=1)
    want = kernels.lennard_jones(x, 6.0, backend=engine)
    wide = np.zeros((20, 6))
    wide[:, ::2] = x
    for same in (torch.from_numpy(x), wide[:, ::2], x.tolist(), np.asfortranarray(x)):
        for ours, theirs in zip(kernels.lennard_jones(same, 6.0, backend=engine), want, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    narrow = kernels.lennard_jones(x.astype(np.float32), 6.0, backend=engine)
    assert narrow[1].dtype == np.float64
    check(narrow, kernels.lennard_jones(x.astype(np.float32).astype(np.float64), 6.0, backend=engine))


def test_out_is_filled_and_returned(engine):
    x = lattice_with_noise(20, np.full(3, 6.0), seed=1)
    out = np.empty_like(x)
    assert kernels.lennard_jones(x, 6.0, out=out, backend=engine)[1] is out
    np.testing.assert_array_equal(out, kernels.lennard_jones(x, 6.0, backend=engine)[1])
    with pytest.raises(TypeError, match=r"out must be a writeable C-contiguous float64 array of shape \(20, 3\)"):
        kernels.lennard_jones(x, 6.0, out=np.empty((20, 2)), backend=engine)


@pytest.mark.parametrize("n", [20, 300])
def test_overlaps_are_refused_by_name(engine, n):
    x = np.stack([lattice_with_noise(n, np.full(3, 8.0), seed=seed) for seed in range(2)])
    x[1, 7] = x[1, 3]
    with pytest.raises(ValueError, match=r"particles 3 and 7 of system 1 overlap: they are 0 apart"):
        kernels.lennard_jones(x, 8.0, backend=engine)
    x[1, 3] = [0.5, 2.25, 4.0]
    x[1, 7] = x[1, 3] - 8.0  # an image of the same place
    with pytest.raises(ValueError, match=r"particles 3 and 7 of system 1 overlap"):
        kernels.lennard_jones(x, 8.0, backend=engine)
    assert np.isfinite(kernels.lennard_jones(x, 8.0, softening=0.2, backend=engine)[0]).all()


BAD = [
    ({"positions": np.zeros((4, 4))}, ValueError, r"shape \(…, n_particles, 2 or 3\); got \(4, 4\)"),
    ({"positions": np.zeros(3)}, ValueError, r"got \(3,\)"),
    ({"positions": np.zeros((0, 3))}, ValueError, r"at least one system of one particle is needed; got shape \(0, 3\)"),
    ({"positions": np.zeros((2, 3), dtype=complex)}, TypeError, "positions must be real numbers; got complex128"),
    ({"positions": np.array([[0, 0, 0], [1, np.nan, 1.0]])}, ValueError, "particle 1 of system 0 has nan"),
    ({"positions": np.array([[0, 0, 0], [1, np.inf, 1.0]])}, ValueError, "particle 1 of system 0 has inf"),
    ({"box": None}, ValueError, "periodic particles need a box"),
    ({"box": [5.0, 5.0]}, ValueError, r"box must be one length or 3 of them; got shape \(2,\)"),
    ({"box": [5.0, -1.0, 5.0]}, ValueError, r"box lengths must be > 0 and <= 1e\+09; got -1.0"),
    ({"box": np.nan}, ValueError, "got nan"),
    ({"cutoff": 0.0}, ValueError, "cutoff must be > 0; got 0.0"),
    ({"cutoff": np.nan}, ValueError, "cutoff must be > 0; got nan"),
    ({"cutoff": np.inf}, ValueError, "an infinite cutoff is for free particles"),
    ({"cutoff": 50.0}, ValueError, "cutoff must be <= 8 box lengths; got 50.0 and a length of 5.0"),
    ({"shift": "smooth"}, ValueError, "shift='smooth' is unknown; choose one of: truncated, energy, force"),
    ({"epsilon": -1.0}, ValueError, "epsilon must be finite and > 0; got -1.0"),
    ({"sigma": 0.0}, ValueError, "sigma must be finite and > 0; got 0.0"),
    ({"precision": "half"}, ValueError, "precision='half' is unknown; choose one of: double, mixed"),
    ({"softening": -0.1}, ValueError, "softening must be finite and >= 0; got -0.1"),
    ({"tail": True, "shift": "energy"}, ValueError, "tail=True corrects .* got periodic=True, shift='energy'"),
    ({"n_threads": 0}, ValueError, "n_threads must be >= 1; got 0"),
]


@pytest.mark.parametrize(("wrong", "error", "message"), BAD, ids=lambda value: str(value)[:40])
def test_bad_input(backend, wrong, error, message):
    arguments = {"positions": lattice_with_noise(5, np.full(3, 5.0), seed=1), "box": 5.0, **wrong}
    with pytest.raises(error, match=message):
        kernels.lennard_jones(backend=backend, **arguments)

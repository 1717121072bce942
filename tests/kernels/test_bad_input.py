# SPDX-License-Identifier: BSD-3-Clause
"""Whatever a kernel cannot take is refused before any work, naming the value and the bound."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from spinodal import kernels
from spinodal.backends import why_missing

SWEEPS = [kernels.metropolis_sweep, kernels.heat_bath_sweep]
IN_PLACE = [*SWEEPS, kernels.wolff_step, kernels.swendsen_wang_sweep]
READERS = [kernels.ising_energy, kernels.magnetization, kernels.local_field]


def spins(*shape: int) -> np.ndarray:
    return np.ones(shape, dtype=np.int8)


def refused(error, message, kernel, array, *args, **options):
    """The kernel raises, and the array is as it was."""
    before = array.copy() if isinstance(array, np.ndarray) else None
    with pytest.raises(error, match=message):
        kernel(array, *args, **options)
    if before is not None:
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("kernel", SWEEPS)
@pytest.mark.parametrize(("shape", "ndim", "length"), [((5, 4), 2, 5), ((4, 7), 2, 7), ((2, 3, 4), 3, 3)])
def test_odd_lengths(backend, kernel, shape, ndim, length):
    message = rf"a periodic checkerboard update needs even lengths; got {length} in .*wolff_step"
    refused(ValueError, message, kernel, spins(*shape), 0.4, ndim=ndim, backend=backend)


@pytest.mark.parametrize("kernel", IN_PLACE)
@pytest.mark.parametrize("beta", [-1e-9, np.nan, np.inf, -np.inf])
def test_beta_out_of_bounds(kernel, beta):
    refused(ValueError, rf"beta must be finite and >= 0; chain 0 has {beta}", kernel, spins(4, 4), beta)
    refused(ValueError, f"chain 1 has {beta}", kernel, spins(3, 4, 4), [0.1, beta, 0.3])


@pytest.mark.parametrize("kernel", IN_PLACE)
def test_beta_that_does_not_broadcast(kernel):
    message = r"beta of shape \(3,\) does not broadcast to the chains' shape \(2,\)"
    refused(ValueError, message, kernel, spins(2, 4, 4), [0.1, 0.2, 0.3])
    refused(
        ValueError, r"beta of shape \(2,\) does not broadcast to the chains' shape \(\)", kernel, spins(4, 4), [1, 2]
    )


@pytest.mark.parametrize("kernel", IN_PLACE)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_coupling_and_field_not_finite(kernel, value):
    refused(ValueError, f"J must be finite; got {value}", kernel, spins(4, 4), 0.4, value)
    refused(ValueError, f"h must be finite; got {value}", kernel, spins(4, 4), 0.4, 1.0, value)


@pytest.mark.parametrize("kernel", [kernels.ising_energy, kernels.local_field])
def test_coupling_and_field_not_finite_in_observables(kernel):
    refused(ValueError, "J must be finite; got nan", kernel, spins(4, 4), np.nan)
    refused(ValueError, "h must be finite; got inf", kernel, spins(4, 4), 1.0, np.inf)


@pytest.mark.parametrize("kernel", SWEEPS)
@pytest.mark.parametrize(("index", "value"), [(0, 0), (31, 2), (17, -128), (5, 3)])
def test_spins_that_are_not_plus_or_minus_one(backend, kernel, index, value):
    array = spins(2, 4, 4)
    array.reshape(-1)[index] = value
    message = rf"spins must be -1 or \+1; flat index {index} holds {value}"
    refused(ValueError, message, kernel, array, 0.4, backend=backend)


@pytest.mark.parametrize("kernel", READERS)
def test_observables_of_spins_that_are_not_plus_or_minus_one(backend, kernel):
    array = spins(2, 4, 4)
    array[1, 0, 3] = 0
    refused(ValueError, r"spins must be -1 or \+1; flat index 19 holds 0", kernel, array, backend=backend)
    for wrong in (0.5, 300.0, np.nan, np.inf):
        refused(ValueError, r"spins must be -1 or \+1", kernel, np.full((4, 4), wrong), backend=backend)


def test_the_first_wrong_spin_far_into_a_batch_is_found(backend):
    array = spins(40, 16, 16)
    array.reshape(-1)[[9001, 9900]] = 5
    refused(ValueError, "flat index 9001 holds 5", kernels.metropolis_sweep, array, 0.4, backend=backend)


@pytest.mark.parametrize("kernel", IN_PLACE)
@pytest.mark.parametrize("dtype", [np.int16, np.int64, np.uint8, np.float32, bool])
def test_wrong_dtype_in_place(kernel, dtype):
    message = f"spins are changed in place and must be int8; got {np.dtype(dtype)}"
    refused(TypeError, message, kernel, np.ones((4, 4), dtype=dtype), 0.4)


@pytest.mark.parametrize("kernel", IN_PLACE)
def test_wrong_strides_in_place(kernel):
    message = "spins are changed in place and must be C-contiguous; got strides"
    for view in (spins(4, 8)[:, ::2], spins(4, 6).T, np.asfortranarray(spins(4, 4, 4)), spins(4, 4)[::-1]):
        refused(TypeError, message, kernel, view, 0.4)


@pytest.mark.parametrize("kernel", IN_PLACE)
def test_read_only_in_place(kernel):
    array = spins(4, 4)
    array.flags.writeable = False
    refused(TypeError, "the array is read-only", kernel, array, 0.4)


@pytest.mark.parametrize("kernel", IN_PLACE)
def test_what_cannot_be_changed_in_place(kernel):
    refused(TypeError, "pass an int8 array, not list", kernel, [[1, 1], [1, 1]], 0.4)
    refused(TypeError, "pass an int8 array, not int", kernel, 1, 0.4)


@pytest.mark.parametrize("kernel", IN_PLACE)
def test_shapes_that_are_no_lattices(kernel):
    refused(ValueError, "ndim must be 2 or 3; got 1", kernel, spins(4, 4), 0.4, ndim=1)
    refused(ValueError, r"spins need at least 3 axes for ndim=3; got shape \(4, 4\)", kernel, spins(4, 4), 0.4, ndim=3)
    refused(ValueError, r"spins need at least 2 axes for ndim=2; got shape \(4,\)", kernel, spins(4), 0.4)
    refused(ValueError, r"every lattice length must be >= 2; got \(4, 1\)", kernel, spins(3, 4, 1), 0.4)
    refused(ValueError, r"every lattice length must be >= 2; got \(0, 4\)", kernel, spins(3, 0, 4), 0.4)
    refused(ValueError, r"at least one chain is needed; got shape \(0, 4, 4\)", kernel, spins(0, 4, 4), 0.4)
    message = f"the last lattice length must be <= 1048576; got {2**20 + 2}"
    refused(ValueError, message, kernel, spins(2, 2**20 + 2), 0.4)


@pytest.mark.parametrize("kernel", READERS)
def test_shapes_that_are_no_lattices_in_observables(kernel):
    refused(ValueError, "ndim must be 2 or 3; got 4", kernel, spins(4, 4), ndim=4)
    refused(ValueError, r"every lattice length must be >= 2; got \(1, 4\)", kernel, spins(1, 4))
    refused(ValueError, "at least one chain is needed", kernel, spins(0, 4, 4))


@pytest.mark.parametrize("kernel", SWEEPS)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, r"seed must be in \[0, 2\*\*64\); got -1"),
        ({"seed": 2**64}, "got 18446744073709551616"),
        ({"n_sweeps": -3}, "n_sweeps must be >= 0; got -3"),
        ({"sweep": -1}, r"sweep must be >= 0 and sweep \+ n_sweeps <= 2\*\*40; got -1 \+ 1"),
        ({"sweep": 2**40}, r"got 1099511627776 \+ 1"),
        ({"sweep": 2**40 - 2, "n_sweeps": 3}, r"got 1099511627774 \+ 3"),
        ({"first_chain": -1}, r"first_chain must be >= 0 and first_chain \+ n_chains <= 2\*\*32; got -1"),
        ({"first_chain": 2**32 - 1}, "got 4294967295"),
        ({"stream": "pcg64"}, "stream='pcg64' is unknown; choose one of: ars7, ars5, philox10"),
        ({"n_threads": 0}, "n_threads must be >= 1; got 0"),
        ({"n_threads": -2}, "n_threads must be >= 1; got -2"),
        ({"backend": "cuda"}, "backend='cuda' is unknown; choose one of: cpp, numba"),
    ],
    ids=str,
)
def test_options_out_of_bounds(kernel, options, message):
    refused(ValueError, message, kernel, spins(2, 4, 4), 0.4, **options)


@pytest.mark.parametrize("kernel", [kernels.wolff_step, kernels.swendsen_wang_sweep])
def test_options_of_cluster_kernels_out_of_bounds(kernel):
    unit = "step" if kernel is kernels.wolff_step else "sweep"
    for options, message in [
        ({f"n_{unit}s": -3}, f"n_{unit}s must be >= 0; got -3"),
        ({unit: 2**40}, rf"{unit} must be >= 0 and {unit} \+ n_{unit}s <= 2\*\*40; got 1099511627776"),
        ({"first_chain": 2**32}, "got 4294967296"),
        ({"stream": ""}, "stream='' is unknown"),
    ]:
        refused(ValueError, message, kernel, spins(4, 4), 0.4, **options)


def test_heat_bath_every_out_of_bounds(backend):
    refused(
        ValueError, "heat_bath_every must be >= 0; got -1", kernels.metropolis_sweep, spins(4, 4), 0.4,
        heat_bath_every=-1, backend=backend,
    )  # fmt: skip


def test_a_heat_bath_period_of_any_size(backend):
    """Longer than 2³¹ sweeps is a period like any other."""
    array = spins(4, 4)
    kernels.metropolis_sweep(array, 0.4, heat_bath_every=2**31, sweep=2**31 - 1, seed=1, backend=backend)
    want = spins(4, 4)
    kernels.heat_bath_sweep(want, 0.4, sweep=2**31 - 1, seed=1, backend=backend)
    np.testing.assert_array_equal(array, want)


@pytest.mark.parametrize("name", ["seed", "sweep", "n_sweeps", "first_chain", "heat_bath_every", "n_threads"])
def test_counts_that_are_not_integers(backend, name):
    """The message names the argument: not pybind11's listing of signatures, not silence."""
    refused(TypeError, name, kernels.metropolis_sweep, spins(4, 4), 0.4, backend=backend, **{name: 1.5})


@pytest.mark.parametrize("kernel", READERS)
@pytest.mark.parametrize("bad", ["dtype", "shape", "strides", "read-only", "list"])
def test_out_that_cannot_be_filled(kernel, bad):
    array = spins(2, 4, 4)
    shape = array.shape if kernel is kernels.local_field else (2,)
    dtype = np.int64 if kernel is kernels.magnetization else np.float64
    out = {
        "dtype": np.empty(shape, dtype=np.float32),
        "shape": np.empty((*shape, 1), dtype=dtype),
        "strides": np.empty((*shape[:-1], 2 * shape[-1]), dtype=dtype)[..., ::2],
        "read-only": np.empty(shape, dtype=dtype),
        "list": [0.0, 0.0],
    }[bad]
    if bad == "read-only":
        out.flags.writeable = False
    refused(TypeError, f"out must be a writeable C-contiguous {np.dtype(dtype)} array", kernel, array, out=out)


def test_random_spins_refuses():
    with pytest.raises(ValueError, match=r"every lattice length must be >= 2; got \(4, 1\)"):
        kernels.random_spins((4, 1))
    with pytest.raises(ValueError, match="spins need at least 2 axes"):
        kernels.random_spins((4,))
    with pytest.raises(ValueError, match="first_chain must be >= 0"):
        kernels.random_spins((2, 4, 4), first_chain=2**32 - 1)
    with pytest.raises(ValueError, match="stream='x' is unknown"):
        kernels.random_spins((2, 4, 4), stream="x")


@pytest.mark.skipif(why_missing("cpp") is not None, reason="no compiled kernels")
def test_more_threads_than_a_machine_can_start():
    """Whatever happens, the process survives it."""
    code = (
        "import numpy as np; from spinodal import kernels; s = np.ones((200_000, 2, 2), np.int8)\n"
        "for call in (kernels.ising_energy, lambda s, **o: kernels.metropolis_sweep(s, 0.4, **o)):\n"
        "    try: call(s, n_threads=200_000, backend='cpp')\n"
        "    except (ValueError, RuntimeError): pass\n"
        "print('survived')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.strip() == "survived", done

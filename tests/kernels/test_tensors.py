# SPDX-License-Identifier: BSD-3-Clause
"""Torch tensors are swept where they lie, and both libraries live in one process."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from reference import ising
from spinodal import kernels

torch = pytest.importorskip("torch")


def test_a_tensor_is_swept_in_place(backend):
    start = ising.random_spins((3, 4, 6), seed=1)
    tensor = torch.from_numpy(start.copy())
    address = tensor.data_ptr()
    kernels.metropolis_sweep(tensor, 0.4, n_sweeps=3, backend=backend)
    want = start.copy()
    ising.metropolis_sweep(want, 0.4, n_sweeps=3)
    assert tensor.data_ptr() == address
    np.testing.assert_array_equal(tensor.numpy(), want)


def test_a_tensor_that_torch_allocated(backend):
    tensor = torch.ones((2, 2, 4, 4, 4), dtype=torch.int8)
    kernels.heat_bath_sweep(tensor, 0.1, ndim=3, backend=backend)
    want = np.ones((2, 2, 4, 4, 4), dtype=np.int8)
    ising.heat_bath_sweep(want, 0.1, ndim=3)
    np.testing.assert_array_equal(tensor.numpy(), want)


def test_a_part_of_a_tensor(backend):
    """A contiguous slice is a view: the rest of the tensor is not touched."""
    tensor = torch.ones((4, 6, 6), dtype=torch.int8)
    kernels.metropolis_sweep(tensor[1:3], 0.1, backend=backend)
    assert (tensor[[0, 3]] == 1).all()
    assert (tensor[1:3] == -1).any()


def test_observables_of_a_tensor(backend):
    spins = ising.random_spins((3, 4, 6), seed=1)
    tensor = torch.from_numpy(spins)
    np.testing.assert_array_equal(kernels.ising_energy(tensor, backend=backend), ising.ising_energy(spins))
    np.testing.assert_array_equal(kernels.magnetization(tensor, backend=backend), ising.magnetization(spins))
    np.testing.assert_array_equal(kernels.local_field(tensor, backend=backend), ising.local_field(spins))
    np.testing.assert_array_equal(
        kernels.ising_energy(tensor.to(torch.float32), backend=backend), ising.ising_energy(spins)
    )


def test_temperatures_in_a_tensor():
    spins, want = np.ones((2, 2, 4, 4), dtype=np.int8)
    kernels.metropolis_sweep(spins, torch.tensor([0.1, 0.5], dtype=torch.float64))
    ising.metropolis_sweep(want, [0.1, 0.5])
    np.testing.assert_array_equal(spins, want)


def test_tensors_that_cannot_be_changed_in_place_are_refused():
    with pytest.raises(TypeError, match="must be int8; got float32"):
        kernels.metropolis_sweep(torch.ones((4, 4)), 0.4)
    with pytest.raises(TypeError, match="must be C-contiguous; got strides"):
        kernels.metropolis_sweep(torch.ones((4, 8), dtype=torch.int8)[:, ::2], 0.4)
    with pytest.raises(TypeError, match="cannot be viewed by NumPy without a copy"):
        kernels.metropolis_sweep(torch.ones((4, 4), dtype=torch.int8, device="meta"), 0.4)


USE_BOTH = """
import hashlib, numpy as np
{imports}
spins = np.ones((8, 64, 64), dtype=np.int8)
for sweep in range(5):
    spinodal.kernels.metropolis_sweep(spins, 0.2, sweep=sweep, n_threads=2)
    a = torch.ones((256, 256)) @ torch.ones((256, 256))
assert a[0, 0] == 256
big = np.ones((256, 512), dtype=np.int8)
spinodal.kernels.metropolis_sweep(big, 0.2, n_sweeps=3, n_threads=2)
print(hashlib.sha256(spins.tobytes() + big.tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_both_import_orders():
    """Each library brings OpenMP; in either order both run threads, and the bits are the same."""
    orders = ["import torch; import spinodal", "import spinodal; spinodal.kernels.random_spins((4, 4)); import torch"]
    hashes = []
    for imports in orders:
        code = USE_BOTH.format(imports=imports)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        hashes.append(done.stdout)
    assert hashes[0] == hashes[1]

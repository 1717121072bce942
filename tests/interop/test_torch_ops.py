# SPDX-License-Identifier: BSD-3-Clause
"""The filters in torch: the process's own numbers, gradients, tracing, and both ways to compute them."""

from __future__ import annotations

import gc
import warnings

import numpy as np
import pytest
import torch

import spinodal as sp
from physics.graph_cases import graph
from spinodal.interop.torch_ops import GraphOperators

NAMES = ["transition", "covariance", "sqrt_covariance", "whiten", "precision"]


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support")
        yield


def operators(name="grid", **options):
    return GraphOperators(sp.GraphProcess(graph(name), tol=1e-10), **options)


def field(*shape, dtype=torch.float64, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape)).to(dtype)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("kind", ["grid", "molecules", "weighted"])
@pytest.mark.parametrize("name", NAMES)
def test_values_are_those_of_the_process(kind, name, native):
    ops = operators(kind, native=native)
    n = ops.process.laplacian.n_nodes
    for shape, t in [((2, n, 3), torch.tensor([0.1, 0.6])), ((n, 2), 0.3), ((n,), 0.3)]:
        v = field(*shape)
        want = getattr(ops.process, name)(t.numpy() if isinstance(t, torch.Tensor) else t, v.numpy())
        torch.testing.assert_close(getattr(ops, name)(t, v), torch.from_numpy(want), rtol=1e-7, atol=1e-8)
    v, eps = field(2, n, 3), field(2, n, 3, seed=1)
    want = ops.process.marginal_sample(0.4, v.numpy(), eps.numpy())
    torch.testing.assert_close(ops.marginal_sample(0.4, v, eps), torch.from_numpy(want), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("native", [True, False])
def test_gradients(native):
    ops = operators("path", native=native)
    n = ops.process.laplacian.n_nodes
    v, eps = (field(2, n, 1, seed=i).requires_grad_() for i in range(2))
    t = torch.tensor([0.05, 0.3])
    for name in NAMES:
        assert torch.autograd.gradcheck(lambda x, name=name: getattr(ops, name)(t, x), (v,), atol=1e-6)
    assert torch.autograd.gradcheck(lambda a, b: ops.marginal_sample(t, a, b), (v, eps), atol=1e-6)
    assert torch.autograd.gradgradcheck(lambda x: ops.transition(0.3, x) ** 2, (v,), atol=1e-5)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_operators_are_well_formed(native, dtype):
    ops = GraphOperators(sp.GraphProcess(graph("grid")), native=native)
    v = field(2, 108, 3, dtype=dtype).requires_grad_()
    zero, t = torch.zeros((), dtype=torch.float64), torch.tensor(0.3, dtype=torch.float64)
    torch.library.opcheck(torch.ops.spinodal.graph_filter.default, (v, t, zero, ops.handle, "whiten"))
    eps = field(2, 108, 3, dtype=dtype, seed=1).requires_grad_()
    torch.library.opcheck(torch.ops.spinodal.graph_marginal.default, (v, eps, t, ops.handle))


def test_fields_are_read_where_they_are(monkeypatch):
    ops = operators()
    seen = []
    original = ops.process.transition
    monkeypatch.setattr(ops.process, "transition", lambda t, x, s, **o: (seen.append(x), original(t, x, s, **o))[1])
    v = field(2, 108, 3)
    ops.transition(0.3, v)
    assert seen[0].ctypes.data == v.data_ptr()
    strided = field(2, 3, 108).transpose(1, 2)
    torch.testing.assert_close(ops.transition(0.3, strided), ops.transition(0.3, strided.contiguous()))


def test_operators_that_are_gone():
    ops = operators()
    handle = ops.handle
    del ops
    gc.collect()
    with pytest.raises(RuntimeError, match="no longer exist"):
        torch.ops.spinodal.graph_filter(field(108), torch.tensor(0.3), torch.tensor(0.0), handle, "transition")

# SPDX-License-Identifier: BSD-3-Clause
"""The filters of a graph process as torch operators: differentiable, traceable, without copies on the CPU.

Filters are symmetric, so that the vector-Jacobian product of one is the same filter. CPU tensors go to the compiled
kernels; tensors elsewhere go through a Chebyshev series of torch's own sparse products.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spinodal.systems.graph_process import GraphProcess

__all__ = ["GraphOperators"]

_OPERATORS: weakref.WeakValueDictionary[int, GraphOperators] = weakref.WeakValueDictionary()


class GraphOperators:
    """The operators of one process, on tensors (B, N, d), (N, C) or (N,) of float32 or float64.

    Gradients flow to fields, not to times. A time is a float, or a tensor with one a field.

    Parameters
    ----------
    process : GraphProcess
    n_threads : int, optional
        Of the compiled kernels.
    native : bool
        False sends CPU tensors through torch's products too.
    """

    def __init__(self, process: GraphProcess, *, n_threads: int | None = None, native: bool = True) -> None:
        self.process, self.n_threads, self.native = process, n_threads, native
        self._matrices: dict[tuple[Any, ...], Tensor] = {}
        self.handle = id(self)
        _OPERATORS[self.handle] = self

    def transition(self, t: Any, v: Tensor, s: Any = 0.0) -> Tensor:
        """Return Φ v."""
        return self._filter("transition", t, v, s)

    def covariance(self, t: Any, v: Tensor, s: Any = 0.0) -> Tensor:
        """Return Σ v."""
        return self._filter("covariance", t, v, s)

    def sqrt_covariance(self, t: Any, v: Tensor, s: Any = 0.0) -> Tensor:
        """Return Σ^½ v."""
        return self._filter("sqrt_covariance", t, v, s)

    def whiten(self, t: Any, v: Tensor, s: Any = 0.0) -> Tensor:
        """Return Σ^{−½} v."""
        return self._filter("whiten", t, v, s)

    def precision(self, t: Any, v: Tensor, s: Any = 0.0) -> Tensor:
        """Return Σ^{−1} v."""
        return self._filter("precision", t, v, s)

    def marginal_sample(self, t: Any, S0: Tensor, eps: Tensor) -> Tensor:
        """Return Φ S₀ + Σ^½ ε, both filters at the cost of one."""
        result: Tensor = torch.ops.spinodal.graph_marginal(S0, eps, _times(t), self.handle)
        return result

    def _filter(self, name: str, t: Any, v: Tensor, s: Any) -> Tensor:
        result: Tensor = torch.ops.spinodal.graph_filter(v, _times(t), _times(s), self.handle, name)
        return result

    def apply(self, names: list[str], t: Tensor, s: Tensor, fields: list[Tensor]) -> Tensor:
        """Return the sum of named filters of fields, without gradients."""
        if self.native and all(field.device.type == "cpu" for field in fields):
            return self._native(names, t, s, fields)
        functions = [self.process.function(name, _plain(t), _plain(s)) for name in names]
        return sum((self._series(f, x) for f, x in zip(functions, fields, strict=True)), torch.zeros_like(fields[0]))

    def _native(self, names: list[str], t: Tensor, s: Tensor, fields: list[Tensor]) -> Tensor:
        arrays = [field.detach().contiguous().numpy() for field in fields]
        if len(arrays) == 2:
            values = self.process.marginal_sample(_plain(t), *arrays, n_threads=self.n_threads)
        else:
            values = getattr(self.process, names[0])(_plain(t), arrays[0], _plain(s), n_threads=self.n_threads)
        return torch.from_numpy(values)

    def _series(self, function: Any, x: Tensor) -> Tensor:
        """Return Σ c_k T_k(2L/lmax − 1) x by torch's sparse products."""
        dtype = torch.empty(0, dtype=x.dtype).numpy().dtype
        engine = self.process.engine
        lmax, (series,) = engine.lmax(dtype), engine.series([function], dtype)
        c = torch.from_numpy(series.coefficients).to(x)
        full = x if x.ndim == 3 else x.reshape(1, x.shape[0], -1)
        n_fields, n, d = full.shape
        rows = full.permute(1, 0, 2).reshape(n, n_fields * d)
        if c.shape[1] > 1 and x.ndim == 3:
            c = c.repeat_interleave(d, dim=1)
        twice = self._matrix(lmax, x)
        before, now = rows, 0.5 * (twice @ rows)
        total = c[0] * before
        for coefficient in c[1:]:
            total = total + coefficient * now
            before, now = now, twice @ now - before
        return total.reshape(n, n_fields, d).permute(1, 0, 2).reshape(x.shape).contiguous()

    def _matrix(self, lmax: float, x: Tensor) -> Tensor:
        """Return 2(2L/lmax − 1) on a tensor's device, kept."""
        key = (lmax, x.device, x.dtype)
        if key not in self._matrices:
            laplacian = self.process.laplacian
            rows = np.repeat(np.arange(laplacian.n_nodes), np.diff(laplacian.indptr))
            data = 4 / lmax * laplacian.data - 2.0 * (rows == laplacian.indices)
            self._matrices[key] = torch.sparse_csr_tensor(
                torch.from_numpy(laplacian.indptr), torch.from_numpy(laplacian.indices.astype(np.int64)),
                torch.from_numpy(data), size=(laplacian.n_nodes,) * 2, check_invariants=False,
            ).to(device=x.device, dtype=x.dtype)  # fmt: skip
        return self._matrices[key]


def _times(t: Any) -> Tensor:
    return torch.as_tensor(t, dtype=torch.float64).detach()


def _plain(t: Tensor) -> Any:
    return float(t) if t.ndim == 0 else t.detach().cpu().numpy()


def _of(handle: int) -> GraphOperators:
    if handle not in _OPERATORS:
        raise RuntimeError(
            "the GraphOperators of this operator no longer exist: keep them as long as the graph is used"
        )
    return _OPERATORS[handle]


@torch.library.custom_op("spinodal::graph_filter", mutates_args=())  # type: ignore[untyped-decorator]
def graph_filter(x: Tensor, t: Tensor, s: Tensor, handle: int, name: str) -> Tensor:
    """Apply one filter by name."""
    return _of(handle).apply([name], t, s, [x])


@graph_filter.register_fake  # type: ignore[untyped-decorator]
def _(x: Tensor, t: Tensor, s: Tensor, handle: int, name: str) -> Tensor:
    return torch.empty(x.shape, dtype=x.dtype, device=x.device)


def _filter_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    _, t, s, ctx.handle, ctx.name = inputs
    ctx.save_for_backward(t, s)


def _filter_backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    t, s = ctx.saved_tensors
    return torch.ops.spinodal.graph_filter(gradient, t, s, ctx.handle, ctx.name), None, None, None, None


graph_filter.register_autograd(_filter_backward, setup_context=_filter_context)


@torch.library.custom_op("spinodal::graph_marginal", mutates_args=())  # type: ignore[untyped-decorator]
def graph_marginal(S0: Tensor, eps: Tensor, t: Tensor, handle: int) -> Tensor:
    """Apply Φ to one field and Σ^½ to the other."""
    start = torch.zeros((), dtype=torch.float64)
    return _of(handle).apply(["transition", "sqrt_covariance"], t, start, [S0, eps])


@graph_marginal.register_fake  # type: ignore[untyped-decorator]
def _(S0: Tensor, eps: Tensor, t: Tensor, handle: int) -> Tensor:
    return torch.empty(S0.shape, dtype=S0.dtype, device=S0.device)


def _marginal_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    _, _, t, ctx.handle = inputs
    ctx.save_for_backward(t)


def _marginal_backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    (t,) = ctx.saved_tensors
    zero = torch.zeros((), dtype=torch.float64)
    of_field = torch.ops.spinodal.graph_filter(gradient, t, zero, ctx.handle, "transition")
    of_noise = torch.ops.spinodal.graph_filter(gradient, t, zero, ctx.handle, "sqrt_covariance")
    return of_field, of_noise, None, None


graph_marginal.register_autograd(_marginal_backward, setup_context=_marginal_context)

# SPDX-License-Identifier: BSD-3-Clause
"""Cluster samplers: no critical slowing down worth the name, any lengths, a field by a ghost spin."""

from __future__ import annotations

from spinodal import kernels
from spinodal.backends.protocol import Reals, Spins
from spinodal.samplers.lattice import ChainSampler
from spinodal.samplers.protocol import Info, Key


class Wolff(ChainSampler):
    """Single-cluster updates; one step is one cluster a chain.

    ``info`` has ``flipped`` and ``cluster_size``, summed over the steps: at h = 0 the mean
    cluster size a step is the improved estimator of N⟨m²⟩. Parameters are those of
    :class:`~spinodal.samplers.lattice.SpinSampler`.
    """

    def _update(self, key: Key, spins: Spins, beta: Reals, n_steps: int, n_threads: int | None) -> Info:
        flipped, cluster_size = kernels.wolff_step(
            spins, beta, self.system.J, self.system.h, n_steps=n_steps, seed=key.seed, step=key.step,
            first_chain=key.first_chain, stream=self.stream, ndim=self.system.ndim, n_threads=n_threads,
            backend=self.backend,
        )  # fmt: skip
        return {"flipped": flipped, "cluster_size": cluster_size}


class SwendsenWang(ChainSampler):
    """All-cluster updates; one step divides the lattice into clusters and flips each with probability ½.

    ``info`` has ``n_clusters``, summed over the steps. Parameters are those of
    :class:`~spinodal.samplers.lattice.SpinSampler`.
    """

    def _update(self, key: Key, spins: Spins, beta: Reals, n_steps: int, n_threads: int | None) -> Info:
        n_clusters = kernels.swendsen_wang_sweep(
            spins, beta, self.system.J, self.system.h, n_sweeps=n_steps, seed=key.seed, sweep=key.step,
            first_chain=key.first_chain, stream=self.stream, ndim=self.system.ndim, n_threads=n_threads,
            backend=self.backend,
        )  # fmt: skip
        return {"n_clusters": n_clusters}

# SPDX-License-Identifier: BSD-3-Clause
"""Which layout a run takes, that it is settled once, and what packed kernels measure on the way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import spinodal as sp
from spinodal.samplers.mixed import MixedSampler
from spinodal.samplers.protocol import Key

CHOICES = {
    "many chains": ((32, 32), 0.0, np.full(256, 0.4), 0, "replicas"),
    "many chains, a temperature each": ((32, 32), 0.0, np.linspace(0.1, 1, 256), 0, "lanes"),
    "a temperature a group": ((32, 32), 0.0, np.repeat([0.3, 0.4], 256), 0, "replicas"),
    "a temperature a group, out of step": ((32, 32), 0.0, np.repeat([0.3, 0.4], 256), 1, "lanes"),
    "a field": ((32, 32), 0.1, np.full(256, 0.4), 0, "replicas"),
    "cubes": ((8, 8, 8), 0.0, np.full(256, 0.4), 0, "replicas"),
    "few small lattices": ((32, 32), 0.0, np.full(4, 0.4), 0, "bytes"),
    "one large lattice": ((512, 512), 0.0, np.full(1, 0.4), 0, "rows"),
    "one large cube": ((64, 64, 64), 0.0, np.full(1, 0.2), 0, "rows"),
    "many large cubes": ((64, 64, 64), 0.0, np.full(256, 0.2), 0, "rows"),
    "a bar": ((8, 8, 64), 0.0, np.full(1, 0.2), 0, "rows"),
    "a cube of short rows": ((64, 64, 62), 0.0, np.full(1, 0.2), 0, "bytes"),
    "one large lattice with a field": ((512, 512), 0.1, np.full(1, 0.4), 0, "bytes"),
    "rows too short": ((512, 62), 0.0, np.full(1, 0.4), 0, "bytes"),
}


@pytest.mark.parametrize("case", CHOICES)
def test_the_choice(case):
    shape, h, beta, first_chain, layout = CHOICES[case]
    assert sp.kernels.choose_layout(shape, h, beta, first_chain) == layout


def test_auto_is_the_chosen_layout():
    for shape, n_chains, h in (((4, 6), 300, 0.0), ((4, 64), 2, 0.0), ((4, 6), 2, 0.0), ((4, 6), 256, -0.2)):
        named, auto = (np.ones((n_chains, *shape), dtype=np.int8) for _ in range(2))
        layout = sp.kernels.choose_layout(shape, h, np.full(n_chains, 0.4))
        sp.kernels.metropolis_sweep(named, 0.4, h=h, n_sweeps=3, seed=1, layout=layout)
        sp.kernels.metropolis_sweep(auto, 0.4, h=h, n_sweeps=3, seed=1)
        np.testing.assert_array_equal(auto, named, err_msg=layout)


def test_a_run_settles_the_layout_before_its_chains_are_divided():
    """Each worker alone would take another layout, and so other random numbers."""
    sampler = sp.Metropolis(sp.IsingModel(32), temperature=2.4)
    options = {"n_chains": 256, "n_steps": 6, "thin": 2, "seed": 3}
    whole = sp.run(sampler, n_threads=1, **options)
    assert whole.provenance["sampler"]["layout"] == "replicas"
    assert sampler.settled(10).layout == "bytes"
    with ThreadPoolExecutor(24) as executor:
        divided = sp.run(sampler, executor=executor, **options)
    np.testing.assert_array_equal(divided.draws, whole.draws)
    np.testing.assert_array_equal(divided.energy, whole.energy)


SAMPLERS = {
    "replicas": lambda model: sp.Metropolis(model, 2.4, layout="replicas"),
    "lanes": lambda model: sp.Metropolis(model, np.linspace(2, 3, 6), layout="lanes"),
    "rows": lambda model: sp.Metropolis(model, 2.4, layout="rows"),
    "bytes": lambda model: sp.Metropolis(model, 2.4, layout="bytes"),
    "clusters": lambda model: sp.SwendsenWang(model, 2.4),
    "mixed": lambda model: MixedSampler.by_temperature(model, np.repeat([1.0, 2.27, 4.0], 2)).settled(6),
}


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("J", [1.0, -0.8])
def test_what_a_kernel_measures_is_what_its_spins_have(name, J):
    model = sp.IsingModel((32, 64), J=J)
    sampler = SAMPLERS[name](model)
    state = sampler.init(Key(1), 6)
    for n_steps in (3, 0, 20):
        state, _ = sampler.step(Key(1), state, n_steps)
        assert (state.measured is None) == (name in ("bytes", "clusters"))
        if state.measured is not None:
            np.testing.assert_array_equal(state.measured["energy"], model.energy(state.spins))
            np.testing.assert_array_equal(state.measured["magnetization"], model.magnetization(state.spins))


@pytest.mark.parametrize("layout", [*sp.kernels.LAYOUTS, "auto"])
def test_energies_on_request(layout, backend):
    model = sp.IsingModel((4, 64), J=-1.0)
    spins = np.ones((2, 3, 4, 64), dtype=np.int8)
    energy, magnetization = np.empty((2, 3)), np.empty((2, 3), dtype=np.int64)
    for n_sweeps in (0, 2):
        sp.kernels.metropolis_sweep(
            spins, 0.4, -1.0, n_sweeps=n_sweeps, layout=layout, energy=energy, magnetization=magnetization,
            backend=backend,
        )  # fmt: skip
        np.testing.assert_array_equal(energy, model.energy(spins))
        np.testing.assert_array_equal(magnetization, model.magnetization(spins))
    with pytest.raises(TypeError, match="energy must be a writeable"):
        sp.kernels.metropolis_sweep(spins, 0.4, layout=layout, energy=np.empty(6), backend=backend)


def test_layouts_that_cannot_hold_the_lattice_are_refused(backend):
    spins = np.ones((3, 4, 5), dtype=np.int8)
    for layout, message in (("auto", "even lengths; got 5"), ("rows", "the last >= 64"), ("planes", "is unknown")):
        with pytest.raises(ValueError, match=message):
            sp.kernels.metropolis_sweep(spins, 0.4, layout=layout, backend=backend)
        with pytest.raises(ValueError, match=message):
            sp.Metropolis(sp.IsingModel((4, 5)), 2.0, layout=layout)
    with pytest.raises(ValueError, match=r"takes no field; got h = 0\.1"):
        sp.kernels.metropolis_sweep(np.ones((4, 64), np.int8), 0.4, h=0.1, layout="rows", backend=backend)
    with pytest.raises(ValueError, match="need one beta"):
        sp.kernels.metropolis_sweep(spins, [0.1, 0.2, 0.2], layout="replicas", backend=backend)


def test_a_mixture_on_an_executor_records_what_it_records_alone():
    """The groups of two workers hold one method each, and the mixture has no diagnostics."""
    sampler = MixedSampler.by_temperature(sp.IsingModel(24), np.repeat([1.0, 2.3], 20))
    options = {"n_chains": 40, "n_steps": 20, "seed": 1}
    alone = sp.run(sampler, n_threads=1, **options)
    with ThreadPoolExecutor(2) as executor:
        divided = sp.run(sampler, executor=executor, **options)
    assert divided.info.keys() == alone.info.keys() == {"magnetization"}
    np.testing.assert_array_equal(divided.draws, alone.draws)

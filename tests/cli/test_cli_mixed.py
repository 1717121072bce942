# SPDX-License-Identifier: BSD-3-Clause
"""A sampler of several methods has each part's own bits."""

import numpy as np
import pytest

import spinodal as sp
from spinodal.samplers.mixed import LOCAL_SWEEPS_PER_STEP, MixedSampler, Part
from spinodal.samplers.protocol import Key

MODEL = sp.IsingModel(8)


def mixed() -> MixedSampler:
    cold = sp.Metropolis(MODEL, np.full(3, 1.5))
    hot = sp.HeatBath(MODEL, np.full(2, 3.0))
    return MixedSampler([Part(cold, 0, 3, 4), Part(hot, 3, 5, 1)])


def test_parts_are_their_samplers():
    key = Key(seed=5)
    sampler = mixed()
    state = sampler.init(key, 5)
    state, _ = sampler.step(key, state, 3)
    for part, updates in zip(sampler.parts, (12, 3), strict=True):
        own_key = Key(seed=5, first_chain=part.start)
        own = part.sampler.init(own_key, part.stop - part.start)
        own, _ = part.sampler.step(own_key, own, updates)
        assert np.array_equal(state.spins[part.start : part.stop], own.spins)


def test_steps_add_up():
    key, sampler = Key(seed=5), mixed()
    at_once, _ = sampler.step(key, sampler.init(key, 5), 5)
    one_by_one = sampler.init(key, 5)
    for step in range(5):
        one_by_one, _ = sampler.step(key.at(step), one_by_one, 1)
    assert np.array_equal(at_once.spins, one_by_one.spins)


@pytest.mark.parametrize("bounds", [(0, 5), (0, 2), (1, 4), (2, 5), (3, 5)])
def test_for_chains(bounds):
    start, stop = bounds
    sampler = mixed()
    whole = sp.run(sampler, n_chains=5, n_steps=4, seed=3)
    part = sampler.for_chains(start, stop)
    key = Key(seed=3, first_chain=start)
    state, _ = part.step(key, part.init(key, stop - start), 4)
    assert np.array_equal(state.spins, whole.draws[start:stop, -1])
    assert part.chain_temperatures(stop - start).tolist() == sampler.chain_temperatures(5)[start:stop].tolist()


def test_by_temperature_takes_what_auto_takes():
    model = sp.IsingModel(64)
    chains = np.repeat([1.5, 2.2, 2.3, 3.0], 2)
    sampler = MixedSampler.by_temperature(model, chains, stream="ars5")
    kinds = [(type(part.sampler).__name__, part.start, part.stop, part.updates_per_step) for part in sampler.parts]
    local = LOCAL_SWEEPS_PER_STEP
    assert kinds == [("Metropolis", 0, 2, local), ("SwendsenWang", 2, 6, 1), ("Metropolis", 6, 8, local)]
    described = sampler.describe()
    assert described["stream"] == "ars5"
    assert [part["chains"] for part in described["parts"]] == [[0, 2], [2, 6], [6, 8]]
    assert [part["method"] for part in described["parts"]] == ["Metropolis", "SwendsenWang", "Metropolis"]


def test_one_method_describes_itself_plainly():
    described = MixedSampler.by_temperature(MODEL, np.repeat([1.5, 3.0], 2)).describe()
    assert described["method"] == "Metropolis"
    assert "parts" not in described


def test_wrong_parts():
    sampler = sp.Metropolis(MODEL, np.full(3, 1.5))
    for parts in ([], [Part(sampler, 1, 4, 1)], [Part(sampler, 0, 3, 1), Part(sampler, 4, 7, 1)]):
        with pytest.raises(ValueError, match="without gaps"):
            MixedSampler(parts)
    with pytest.raises(ValueError, match="5 chains"):
        mixed().chain_temperatures(4)

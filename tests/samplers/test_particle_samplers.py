# SPDX-License-Identifier: BSD-3-Clause
"""The samplers of particles keep to the letter of the protocol: names of random numbers, cuts, threads, resumes."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import spinodal as sp
from samplers.cases import advance, assert_same
from spinodal.samplers.protocol import Key, State

LADDER = np.array([0.9, 1.0, 1.2])
TEMPERATURE = np.tile(LADDER, 2)
N_CHAINS = len(TEMPERATURE)
KEY = Key(seed=7, step=13, first_chain=6)
SYSTEMS = {
    "lanes": sp.LennardJonesSystem(20, box=4.2, cutoff=2.0),
    "list": sp.LennardJonesSystem(150, box=6.4, shift="force"),
    "cluster": sp.LennardJonesSystem.cluster(13),
    "wells": sp.DoubleWell(),
}
SAMPLERS = {
    "langevin": sp.Langevin,
    "verlet": sp.VelocityVerlet,
    "mala": sp.MALA,
    "local": sp.LocalMoves,
    "hmc": lambda system, t, **options: sp.HMC(system, t, n_leapfrog=4, **options),
}


def build(name, system, temperature=TEMPERATURE, **options):
    """A sampler by name; "tempering …" is a ladder over one."""
    kind = SAMPLERS[name.removeprefix("tempering ")]
    if name.startswith("tempering"):
        return sp.ParallelTempering.over(kind(system, LADDER, **options), swap_every=2)
    return kind(system, temperature, **options)


DOUBLE_WELLS = ("mala", "hmc", "local")
CASES = [(name, system) for name in SAMPLERS for system in SYSTEMS if name in DOUBLE_WELLS or system != "wells"]
CASES += [
    ("tempering langevin", "lanes"),
    ("tempering mala", "cluster"),
    ("tempering hmc", "list"),
    ("tempering local", "list"),
]


@pytest.fixture(params=CASES, ids="-".join)
def case(request):
    name, system = request.param
    return name, SYSTEMS[system]


@pytest.fixture
def sampler(case):
    """Tuned in the first steps of a call, if it can be."""
    sampler = build(*case)
    return sampler.tuned_in(KEY.step, KEY.step + 4) if hasattr(sampler, "tuned_in") else sampler


@pytest.mark.parametrize("cut", [(1, 5), (4, 2), (0, 6), (1,) * 6])
def test_steps_add_up(sampler, cut):
    whole, sums = advance(sampler, KEY, sampler.init(KEY, N_CHAINS), 6)
    parts, added = advance(sampler, KEY, sampler.init(KEY, N_CHAINS), *cut)
    assert_same(parts.arrays(), whole.arrays())
    assert_same(added, sums)


def test_chains_by_themselves_are_those_of_the_whole(sampler):
    whole, sums = advance(sampler, KEY, sampler.init(KEY, N_CHAINS), 6)
    parts = [(sampler.for_chains(a, a + 3), Key(KEY.seed, KEY.step, KEY.first_chain + a)) for a in (0, 3)]
    states, infos = zip(*(advance(part, key, part.init(key, 3), 6) for part, key in parts), strict=True)
    states[1].arrays()
    for name, array in whole.arrays().items():
        offset = 3 if name == "replica" else 0  # counted within the ladders of a call
        joined = [states[0].arrays()[name], states[1].arrays()[name] + offset]
        np.testing.assert_array_equal(np.concatenate(joined), array, err_msg=name)
    assert_same({name: np.concatenate([info[name] for info in infos]) for name in sums}, sums)


def test_threads_leave_every_bit(sampler):
    one, sums = advance(sampler, KEY, sampler.init(KEY, N_CHAINS), 4)
    many, added = advance(sampler, KEY, sampler.init(KEY, N_CHAINS), 4, n_threads=3)
    assert_same(many.arrays(), one.arrays())
    assert_same(added, sums)


def test_restored_chains_go_on(case, sampler):
    whole, _ = advance(sampler, KEY, sampler.init(KEY, N_CHAINS), 6)
    state, _ = advance(sampler, KEY, sampler.init(KEY, N_CHAINS), 3)
    arrays = {name: array.copy() for name, array in state.arrays().items()}
    advance(sampler, KEY.at(KEY.step + 3), state, 2)  # what happens to the old state changes nothing
    after, _ = advance(sampler, KEY.at(KEY.step + 3), sampler.restore(arrays), 3)
    assert_same(after.arrays(), whole.arrays())


def test_states_and_descriptions(case, sampler):
    state = sampler.init(KEY, N_CHAINS)
    assert isinstance(state, State)
    assert state.draws.shape == (N_CHAINS, *case[1].shape)
    described = sampler.describe()
    assert json.loads(json.dumps(described)) == described
    assert {"method", "stream", "backend", "instruction_set"} <= described.keys()
    assert_same({"T": sampler.chain_temperatures(N_CHAINS)}, {"T": TEMPERATURE})
    with pytest.raises(ValueError, match="n_chains"):
        sampler.chain_temperatures(N_CHAINS + 1)
    with pytest.raises(ValueError, match="must be finite"):
        sampler.state_from(np.full((N_CHAINS, *case[1].shape), np.nan))
    with pytest.raises(ValueError, match="must have shape"):
        sampler.state_from(np.zeros((N_CHAINS, 1, 3)))
    with pytest.raises(ValueError, match=">= 0; got -1"):
        sampler.step(KEY, sampler.init(KEY, N_CHAINS), -1)


def test_the_state_knows_its_energy(case, sampler):
    """What ``run`` is spared to measure is what it would have measured."""
    state, _ = advance(sampler, KEY, sampler.init(KEY, N_CHAINS), 6)
    measured = getattr(state, "measured", None) or {}
    if "local" not in case[0]:
        assert ("energy" in measured) == ("langevin" not in case[0])
    for name, values in measured.items():
        if name == "total_energy":
            kinetic = 0.5 * (state.velocities**2).sum(axis=(1, 2))
            np.testing.assert_allclose(values, case[1].energy(state.draws) + kinetic, rtol=1e-12)
            continue
        np.testing.assert_array_equal(values, getattr(case[1], name)(state.draws))


@pytest.mark.parametrize("name", ["verlet", "mala", "hmc", "local", "tempering hmc", "tempering langevin"])
def test_runs_resume_and_divide(name, tmp_path):
    """The same bits in one go, on workers, and stopped within the burn-in and resumed."""
    pytest.importorskip("h5py")
    sampler = build(name, SYSTEMS["lanes"])
    arguments = {"n_chains": N_CHAINS, "n_steps": 12, "burn_in": 10, "thin": 2, "seed": 11}
    whole = sp.run(sampler, n_threads=1, **arguments)
    path = tmp_path / "run.h5"
    stopped = sp.run(sampler, checkpoint=path, checkpoint_every=0, callback=lambda step, *_: step < 14, **arguments)
    assert not stopped.provenance["complete"]
    with ThreadPoolExecutor(2) as pool:
        others = [
            sp.run(sampler, checkpoint=path, resume="must", **arguments),
            sp.run(sampler, executor=pool, **arguments),
        ]
    for other in others:
        np.testing.assert_array_equal(other.draws, whole.draws)
        assert_same(dict(other.info), dict(whole.info))


def test_backends_agree():
    """To rounding, which an acceptance does not see."""
    drawn = [
        sp.run(sp.HMC(SYSTEMS["lanes"], 1.0, backend=backend), n_chains=2, n_steps=5, burn_in=5, seed=3).draws
        for backend in ("cpp", "numba")
    ]
    np.testing.assert_allclose(drawn[0], drawn[1], atol=1e-9)


def test_steps_are_tuned_in_the_burn_in_alone():
    system = SYSTEMS["lanes"]
    sampler = sp.MALA(system, 1.0, step_size=0.3)
    samples = sp.run(sampler, n_chains=4, n_steps=400, burn_in=400, seed=1)
    step_size = samples.info["step_size"]
    assert (step_size == step_size[:, :1]).all() and len(np.unique(step_size)) == 4
    assert (np.abs(samples.info["acceptance"].mean(axis=1) - 0.574) < 0.12).all()
    again = sp.run(sp.MALA(system, 1.0, step_size=step_size[:, -1]), n_chains=4, n_steps=4, seed=2)
    np.testing.assert_array_equal(again.info["step_size"][:, 0], step_size[:, 0])
    fixed = sp.run(sp.MALA(system, 1.0, step_size=0.25, target_acceptance=None), n_chains=2, n_steps=2, burn_in=9)
    np.testing.assert_array_equal(fixed.info["step_size"], 0.25)


def test_too_long_a_step_is_refused_and_harms_no_neighbour():
    """One chain's trajectories diverge, in lanes and by a list; the others keep their bits."""
    for name in ("lanes", "list"):
        system = SYSTEMS[name]
        calm = sp.run(sp.HMC(system, 1.0, step_size=[0.002] * 3), n_chains=3, n_steps=6, seed=5)
        wild = sp.run(sp.HMC(system, 1.0, step_size=[0.002, 1e4, 0.002]), n_chains=3, n_steps=6, seed=5)
        np.testing.assert_array_equal(wild.draws[::2], calm.draws[::2])
        assert wild.info["accepted"][1].sum() == 0 and (wild.draws[1] == wild.draws[1, :1]).all()
        assert calm.info["accepted"][1].sum() > 0


MISTAKES = {
    "step_size must be finite and > 0; got 0": lambda s: sp.HMC(s, 1.0, step_size=0.0),
    "step_size must be a number or one a chain": lambda s: sp.MALA(s, 1.0, step_size=[[1.0]]),
    "2 step sizes were given for n_chains=3": lambda s: sp.MALA(s, 1.0, step_size=[1, 2]).init(KEY, 3),
    "n_leapfrog must be >= 1; got 0": lambda s: sp.HMC(s, 1.0, n_leapfrog=0),
    "mass must be finite and > 0; got -1": lambda s: sp.HMC(s, 1.0, mass=-1.0),
    "jitter must be >= 0 and < 1; got 1": lambda s: sp.HMC(s, 1.0, jitter=1.0),
    "target_acceptance must be > 0 and < 1, or None; got 1": lambda s: sp.HMC(s, 1.0, target_acceptance=1.0),
    "temperature must be finite and > 0; got -1": lambda s: sp.MALA(s, -1.0),
    "at least two increasing numbers": lambda s: sp.ParallelTempering.over(sp.MALA(s, [1.0])),
    "step must be finite and > 0; got 0": lambda s: sp.LocalMoves(s, 1.0, step=0.0),
    "step must be a number or one a chain": lambda s: sp.LocalMoves(s, 1.0, step=[[1.0]]),
    "half the shortest box length, 2.1; got 2.5": lambda s: sp.LocalMoves(s, 1.0, step=2.5),
    "2 steps were given for n_chains=3": lambda s: sp.LocalMoves(s, 1.0, step=[1, 2]).init(KEY, 3),
    "a length of 4.0 and a cutoff of 2.5": lambda s: sp.LocalMoves(sp.LennardJonesSystem(9, box=4.0), 1.0),
    "increasing numbers; got": lambda s: sp.ParallelTempering.over(sp.MALA(s, [1.0, 0.5])),
    "swap_every must be >= 1; got 0": lambda s: sp.ParallelTempering.over(sp.MALA(s, [1.0, 2.0]), swap_every=0),
    "VelocityVerlet keeps the energy, not a temp": lambda s: sp.ParallelTempering.over(sp.VelocityVerlet(s, [1, 2])),
    "multiple of the 2 temperatures; got 3": lambda s: sp.ParallelTempering.over(sp.MALA(s, [1, 2])).init(KEY, 3),
}  # fmt: skip


@pytest.mark.parametrize("message", MISTAKES)
def test_mistakes_are_named(message):
    with pytest.raises(ValueError, match=message):
        MISTAKES[message](SYSTEMS["lanes"])

# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from run.conftest import same_bits
from spinodal.samplers.run import run
from spinodal.samples import Samples


@pytest.fixture
def samples(sampler):
    return run(sampler, n_chains=4, n_steps=6, thin=2, seed=3)


def test_arrays_cannot_be_written(samples):
    for array in samples.arrays().values():
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(AttributeError):
        samples.energy = np.zeros(3)


def test_given_arrays_stay_writable():
    energy = np.zeros((2, 3))
    samples = Samples(None, energy, np.ones(2))
    energy[0, 0] = 1
    assert samples.energy[0, 0] == 1


def test_sizes_and_temperatures(samples):
    assert (samples.n_chains, samples.n_draws) == (4, 3)
    assert samples.temperatures.tolist() == sorted(set(samples.temperature.tolist()))


def test_select_takes_the_chains_at_one_temperature(samples):
    temperature = samples.temperatures[-1]
    chosen = samples.select(temperature=temperature * (1 + 1e-12))
    where = samples.temperature == temperature
    np.testing.assert_array_equal(chosen.draws, samples.draws[where])
    np.testing.assert_array_equal(chosen.info["magnetization"], samples.info["magnetization"][where])
    assert set(chosen.temperature) == {temperature}


def test_select_says_which_temperatures_there_are(samples):
    with pytest.raises(ValueError, match=r"no chain at temperature 17; there are \["):
        samples.select(temperature=17)


def test_concatenate_joins_chains(toy):
    parts = [run(toy, n_chains=n, n_steps=6, seed=n) for n in (1, 3)]
    joined = Samples.concatenate(parts)
    assert joined.n_chains == 4
    np.testing.assert_array_equal(joined.draws[1:], parts[1].draws)
    np.testing.assert_array_equal(joined.info["flipped"][:1], parts[0].info["flipped"])
    assert "seed" not in joined.provenance
    assert [part["seed"] for part in joined.provenance["parts"]] == [1, 3]
    assert joined.provenance["complete"] is True


def test_concatenate_refuses_what_does_not_fit(toy):
    part = run(toy, n_chains=1, n_steps=6)
    with pytest.raises(ValueError, match="nothing"):
        Samples.concatenate([])
    with pytest.raises(ValueError, match="numbers of draws"):
        Samples.concatenate([part, run(toy, n_chains=1, n_steps=5)])
    with pytest.raises(ValueError, match="numbers of draws"):
        Samples.concatenate([part, run(toy, n_chains=1, n_steps=6, keep_draws=False)])
    with pytest.raises(ValueError, match="different systems"):
        Samples.concatenate([part, run(type(toy)(type(toy.system)(h=0.5)), n_chains=1, n_steps=6)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"energy": np.zeros(3)}, "energy must have shape"),
        ({"temperature": np.ones(3)}, r"temperature must have shape \(2,\); got \(3,\)"),
        ({"log_weights": np.zeros((2, 4))}, "log_weights must have shape"),
        ({"info": {"x": np.zeros(2)}}, r"info\['x'\] must have shape"),
        ({"draws": np.zeros((2, 4, 5))}, r"draws must have shape \(2, 3, 5\)"),
        ({"draws": np.zeros(2)}, "draws must have shape"),
    ],
)
def test_shapes_are_checked(change, message):
    good = {"draws": None, "energy": np.zeros((2, 3)), "temperature": np.ones(2)}
    with pytest.raises(ValueError, match=message):
        Samples(**(good | change))


def test_pickle_keeps_everything_and_the_protection(samples):
    copy = pickle.loads(pickle.dumps(samples))
    same_bits(copy, samples)
    assert copy.provenance == samples.provenance
    assert not any(array.flags.writeable for array in copy.arrays().values())


def test_provenance_is_plain_json(samples):
    assert json.loads(json.dumps(samples.provenance)) == samples.provenance
    for key in ("version", "system", "sampler", "seed", "burn_in", "thin", "n_steps", "n_threads", "conventions"):
        assert key in samples.provenance


def test_repr_is_short_and_says_what_matters(toy):
    text = repr(run(toy, n_chains=2, n_steps=3, seed=9))
    assert text == (
        "Samples(ising 4×6, J = 1, h = 0.1; ToyHeatBath; seed 9; 2 chains × 3 draws; T = 2.5; total energies, k_B = 1)"
    )
    assert "(last draws kept)" in repr(run(toy, n_chains=2, n_steps=3, keep_draws="last"))
    assert "(draws not kept)" in repr(run(toy, n_chains=2, n_steps=3, keep_draws=False))
    assert repr(Samples(None, np.zeros((0, 0)), np.zeros(0))).startswith("Samples(0 chains")


def test_to_xarray_holds_the_same(samples):
    data = samples.to_xarray()
    lattice = ("z", "y", "x")[-(samples.draws.ndim - 2) :]
    assert data["draws"].dims == ("chain", "draw", *lattice)
    np.testing.assert_array_equal(data["draws"].values, samples.draws)
    for name in samples.info:
        assert data[name].dims == ("chain", "draw")
        np.testing.assert_array_equal(data[name].values, samples.info[name])
    np.testing.assert_array_equal(data["energy"].values, samples.energy)
    np.testing.assert_array_equal(data["temperature"].values, samples.temperature)
    assert json.loads(data.attrs["provenance"]) == samples.provenance


def test_to_xarray_of_the_last_draws(toy):
    samples = run(toy, n_chains=2, n_steps=3, keep_draws="last")
    data = samples.to_xarray()
    assert data["last_draw"].dims == ("chain", "y", "x")
    assert data.sizes["draw"] == 3
    np.testing.assert_array_equal(data["last_draw"].values, samples.draws[:, 0])


def test_to_xarray_names_the_dimensions_of_other_systems():
    draws = np.zeros((2, 3, 7, 2))
    system = {"kind": "fluid", "dims": ["particle", "axis"]}
    samples = Samples(draws, np.zeros((2, 3)), np.ones(2), np.zeros((2, 3)), provenance={"system": system})
    assert samples.to_xarray()["draws"].dims == ("chain", "draw", "particle", "axis")
    assert samples.to_xarray()["log_weights"].dims == ("chain", "draw")
    many = Samples(np.zeros((2, 3, 1, 1, 1, 1)), np.zeros((2, 3)), np.ones(2))
    assert many.to_xarray()["draws"].dims[2:] == ("dim_0", "dim_1", "dim_2", "dim_3")


def test_import_is_light():
    code = "import sys, spinodal.samples, spinodal.samplers.run; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    heavy = {"h5py", "xarray", "torch", "scipy", "rich", "matplotlib", "numba", "ray", "multiprocessing"}
    assert not heavy & set(output.stdout.split())

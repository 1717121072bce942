# SPDX-License-Identifier: BSD-3-Clause
"""The choice of a method: clusters where they decorrelate sooner, and where nothing else can serve."""

from __future__ import annotations

import numpy as np
import pytest

import spinodal as sp
from spinodal.samplers.auto import crossover_length
from spinodal.samplers.mixed import LOCAL_SWEEPS_PER_STEP, MixedSampler

T_C = {2: sp.IsingModel(4).critical_temperature, 3: sp.IsingModel((4, 4, 4)).critical_temperature}
CHOICES = {
    "critical and large": (sp.IsingModel(64), T_C[2], sp.SwendsenWang),
    "critical and small": (sp.IsingModel(16), T_C[2], sp.Metropolis),
    "critical, antiferromagnet": (sp.IsingModel(64, J=-1.0), T_C[2], sp.SwendsenWang),
    "critical, of another J": (sp.IsingModel(64, J=2.0), 2 * T_C[2], sp.SwendsenWang),
    "ordered": (sp.IsingModel(64), 1.5, sp.Metropolis),
    "disordered": (sp.IsingModel(64), 3.5, sp.Metropolis),
    "in a field": (sp.IsingModel(64, h=0.1), T_C[2], sp.Metropolis),
    "without bonds": (sp.IsingModel(64, J=0.0), T_C[2], sp.Metropolis),
    "odd": (sp.IsingModel((3, 4)), 3.5, sp.SwendsenWang),
    "cube": (sp.IsingModel((16, 16, 16)), T_C[3], sp.SwendsenWang),
    "small cube": (sp.IsingModel((8, 8, 8)), T_C[3], sp.Metropolis),
    "one critical chain": (sp.IsingModel(64), [1.0, T_C[2], 5.0], sp.SwendsenWang),
}


@pytest.mark.parametrize("case", CHOICES)
def test_the_choice(case):
    model, temperature, kind = CHOICES[case]
    assert type(sp.sampler(model, temperature)) is kind


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("plan", [{}, {"n_chains": 256, "thin": 16}], ids=str)
def test_the_crossover(ndim, plan):
    length = crossover_length(ndim, **plan)
    for size, kind in ((length, sp.SwendsenWang), (length - 2, sp.Metropolis)):
        assert type(sp.sampler(sp.IsingModel((size,) * ndim), T_C[ndim], **plan)) is kind


@pytest.mark.parametrize(
    ("plan", "kind"),
    [
        ({"n_chains": 256, "thin": 16}, sp.Metropolis),
        ({"n_chains": 256, "thin": 1}, sp.SwendsenWang),
        ({"n_chains": 8, "thin": 16}, sp.SwendsenWang),
        ({"n_chains": 256}, sp.SwendsenWang),
        ({"thin": 16}, sp.SwendsenWang),
    ],
    ids=str,
)
def test_many_chains_with_thinned_draws_are_swept(plan, kind):
    assert type(sp.sampler(sp.IsingModel(64), T_C[2], **plan)) is kind


def test_chains_are_as_many_as_temperatures():
    assert type(sp.sampler(sp.IsingModel(64), np.full(256, T_C[2]), thin=16)) is sp.Metropolis
    assert type(sp.sampler(sp.IsingModel(64), np.full(8, T_C[2]), thin=16)) is sp.SwendsenWang


NAMED = {
    "metropolis": sp.Metropolis,
    "heat_bath": sp.HeatBath,
    "wolff": sp.Wolff,
    "swendsen_wang": sp.SwendsenWang,
}


@pytest.mark.parametrize("method", NAMED)
def test_a_method_by_name(method):
    sampler = sp.sampler(sp.IsingModel(64), [2.0, 3.0], method, stream="ars5", start="hot")
    assert type(sampler) is NAMED[method]
    assert (sampler.stream, sampler.start) == ("ars5", "hot")
    assert sampler.chain_temperatures(2).tolist() == [2.0, 3.0]


def test_each_temperature_of_a_mixture_has_its_method():
    temperature = np.array([1.5, 1.5, 2.2, 2.3, 3.5])
    parts = MixedSampler.by_temperature(sp.IsingModel(64), temperature, stream="ars5").parts
    found = [(type(part.sampler), part.start, part.stop, part.updates_per_step) for part in parts]
    local = LOCAL_SWEEPS_PER_STEP
    assert found == [(sp.Metropolis, 0, 2, local), (sp.SwendsenWang, 2, 4, 1), (sp.Metropolis, 4, 5, local)]
    assert np.concatenate([part.sampler.temperature for part in parts]).tolist() == temperature.tolist()
    assert {part.sampler.stream for part in parts} == {"ars5"}

# SPDX-License-Identifier: BSD-3-Clause
"""Draws of spins are bits from the moment they are recorded, and the same draws as ever when they are asked for."""

from __future__ import annotations

import math
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from run.conftest import same_bits
from run.sealed import SealedHeatBath
from run.test_checkpoint import ARGUMENTS, Killed, kill_at
from run.test_executors import Inline
from run.toy import ToyHeatBath, ToyIsing, ToyState
from spinodal import analysis
from spinodal.files import packing
from spinodal.files.encoding import encode
from spinodal.files.journal import Journal
from spinodal.files.packing import PackedSpins, packed_if_spins
from spinodal.files.recording import Recording
from spinodal.samplers.protocol import Key
from spinodal.samplers.run import run
from spinodal.samplers.running import workers
from spinodal.samplers.running.advance import Snapshot
from spinodal.samplers.running.plan import Plan
from spinodal.samples import Samples, load

SEALED, OPEN = SealedHeatBath(ToyIsing((3, 5)), 2.5), ToyHeatBath(ToyIsing((3, 5)), 2.5)
KEPT = pytest.mark.parametrize("keep_draws", [True, "last", False])


def random_spins(shape, seed=0):
    return (2 * np.random.default_rng(seed).integers(0, 2, shape) - 1).astype(np.int8)


@pytest.fixture
def no_unpacking(monkeypatch):
    """Make every unpacking a failure, until undone."""
    with monkeypatch.context() as patch:
        patch.setattr(packing, "unpack_spins", lambda *_: pytest.fail("spins were unpacked"))
        yield patch


def by_hand(sampler, n_draws, thin, seed):
    """The draws of a run as int8, from the sampler alone."""
    state, draws = sampler.init(Key(seed), 4), []
    for draw in range(n_draws):
        state, _ = sampler.step(Key(seed, draw * thin), state, thin)
        draws.append(state.draws.copy())
    return np.stack(draws, axis=1)


def test_unpacked_draws_are_those_of_the_sampler(sampler):
    samples = run(sampler, n_chains=4, n_steps=9, thin=3, seed=5)
    assert samples.packed_draws.nbytes == 12 * math.ceil(math.prod(sampler.system.shape) / 8)
    assert samples.draws.dtype == np.int8 and not samples.draws.flags.writeable
    np.testing.assert_array_equal(samples.draws, by_hand(sampler, 3, 3, 5))
    assert samples.draws is samples.draws


@KEPT
def test_a_state_of_bits_is_run_and_saved_without_its_array(tmp_path, no_unpacking, keep_draws):
    arguments = {"n_chains": 4, "n_steps": 12, "burn_in": 3, "thin": 2, "seed": 3, "keep_draws": keep_draws}
    samples = run(SEALED, **arguments)
    samples.save(tmp_path / "x.h5")
    through_workers = run(SEALED, executor=Inline(3), **arguments)
    checkpointed = run(SEALED, checkpoint=tmp_path / "y.h5", checkpoint_every=0, **arguments)
    loaded = load(tmp_path / "x.h5")
    no_unpacking.undo()
    reference = run(OPEN, **arguments)
    for each in (samples, through_workers, checkpointed, loaded, load(tmp_path / "y.h5")):
        same_bits(each, reference)


@KEPT
def test_a_killed_run_of_bits_goes_on(tmp_path, no_unpacking, keep_draws):
    path, arguments = tmp_path / "run.h5", {**ARGUMENTS, "keep_draws": keep_draws}
    for step in (13, 19):
        with pytest.raises(Killed):
            run(SEALED, checkpoint=path, checkpoint_every=0, callback=kill_at(step), **arguments)
    samples = run(SEALED, checkpoint=path, **arguments)
    no_unpacking.undo()
    same_bits(samples, run(OPEN, **arguments))
    same_bits(load(path), samples)


def test_what_the_state_has_measured_is_taken(monkeypatch):
    reference = run(OPEN, n_chains=2, n_steps=4)
    for name in ("energy", "magnetization"):
        inside = getattr(ToyIsing, name)
        monkeypatch.setattr(ToyIsing, name, lambda self, draws, inside=inside: 1 + inside(self, draws))
    samples = run(SEALED, n_chains=2, n_steps=4)
    assert samples.info["magnetization"].dtype == np.int64
    np.testing.assert_array_equal(samples.info["magnetization"], reference.info["magnetization"] + 1)
    # A state that has measured only the energy, and one that has measured nothing yet, are measured.
    monkeypatch.undo()
    monkeypatch.setattr(ToyState, "measured", property(lambda self: {"energy": np.full(len(self.spins), 7.0)}), False)
    samples = run(OPEN, n_chains=2, n_steps=4)
    assert (samples.energy == 7).all()
    np.testing.assert_array_equal(samples.info["magnetization"], reference.info["magnetization"])
    monkeypatch.setattr(ToyState, "measured", None)
    same_bits(run(OPEN, n_chains=2, n_steps=4), reference)


def test_samples_take_an_eighth(tmp_path):
    system = ToyIsing((16, 16))
    samples = run(ToyHeatBath(system), n_chains=4, n_steps=100)
    n_spins = 4 * 100 * 256
    assert samples.packed_draws.nbytes == n_spins // 8
    held = [array for array in vars(samples).values() if isinstance(array, np.ndarray)]
    assert sum(array.nbytes for array in [*held, *samples.info.values()]) <= 4 * 100 * 8 * 4 + 4 * 8
    assert len(pickle.dumps(samples)) < n_spins / 8 + 4 * 100 * 8 * 4 + 5000
    samples.draws[0, 0]  # unpacked now, and still no part of the pickle
    assert len(pickle.dumps(samples)) < n_spins / 8 + 4 * 100 * 8 * 4 + 5000


def test_pickle_select_concatenate_and_going_on_need_no_unpacking(no_unpacking):
    sampler = ToyHeatBath(ToyIsing((3, 5)), np.array([2.0, 2.5, 2.5, 2.0]))
    samples = run(sampler, n_chains=4, n_steps=6)
    same = pickle.loads(pickle.dumps(samples))
    cold = samples.select(temperature=2.0)
    both = Samples.concatenate([samples, cold])
    assert isinstance(both.packed_draws, PackedSpins)
    assert "3×5" in repr(both)
    no_unpacking.undo()
    same_bits(same, samples)
    np.testing.assert_array_equal(cold.draws, samples.draws[[0, 3]])
    np.testing.assert_array_equal(both.draws, samples.draws[[0, 1, 2, 3, 0, 3]])


def test_pickles_of_snapshots_and_results_hold_bits():
    spins = random_spins((4, 32, 32))
    snapshot = Snapshot(slice(0, 4), 7, {"state/spins": spins, "info/flipped": np.arange(4)})
    data = pickle.dumps(snapshot)
    assert len(data) < spins.size / 8 + 1500
    back = pickle.loads(data)
    assert (back.index, back.step) == (slice(0, 4), 7)
    np.testing.assert_array_equal(back.arrays["state/spins"], spins)
    back.arrays["state/spins"][0] = 1
    plan = Plan(n_chains=4, n_steps=40, burn_in=0, thin=1, seed=0, first_step=0, keep_draws=True)
    large = ToyHeatBath(ToyIsing((16, 16)), 2.5)
    result = workers.work(workers.Task(large, plan, Snapshot(slice(0, 4)), None, 1))
    assert result.block["draws"].shape == (4, 40, 16, 16)
    assert len(pickle.dumps(result)) < 4 * 40 * (32 + 4 * 8) + 4000 < 4 * 40 * 256


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork")
@KEPT
def test_processes_send_bits(keep_draws):
    arguments = {"n_chains": 4, "n_steps": 10, "seed": 2, "keep_draws": keep_draws}
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        same_bits(run(SEALED, executor=pool, **arguments), run(OPEN, **arguments))


@dataclass(frozen=True)
class Dilute(ToyHeatBath):
    """From step 4 on, one site of chain 2 is empty: 0."""

    def step(self, key, state, n_steps=1, **options):
        state, info = super().step(key, state, n_steps, **options)
        if key.first_chain <= 2 < key.first_chain + len(state.spins) and key.step >= 4:
            state.spins[2 - key.first_chain, 0, 0] = 0
        return state, info


@pytest.mark.parametrize("executor", [None, Inline(3)])
@pytest.mark.parametrize("keep_draws", [True, "last"])
def test_other_values_that_come_later_are_kept_as_they_are(tmp_path, monkeypatch, executor, keep_draws):
    monkeypatch.setattr(workers, "_SLICE_BYTES", 1)
    sampler = Dilute(ToyIsing((3, 5)))
    samples = run(sampler, n_chains=4, n_steps=7, executor=executor, keep_draws=keep_draws)
    expected = by_hand(sampler, 7, 1, 0)
    assert samples.packed_draws is None and (expected == 0).any()
    np.testing.assert_array_equal(samples.draws, expected if keep_draws is True else expected[:, -1:])
    samples.save(tmp_path / "x.h5")
    same_bits(load(tmp_path / "x.h5"), samples)


def test_draws_that_are_no_spins_stay_arrays():
    for draws in (
        np.zeros((2, 3, 4)),
        np.zeros((2, 3, 4), np.int8),
        np.ones((2, 3, 4), np.int64),
        np.ones((2, 3), "i1"),
    ):
        samples = Samples(draws, np.zeros((2, 3)), np.ones(2))
        assert samples.packed_draws is None and samples.n_kept == 3
        assert samples.draws.dtype == draws.dtype
        np.testing.assert_array_equal(samples.draws, draws)
        np.testing.assert_array_equal(Samples.concatenate([samples, samples]).draws, np.concatenate([draws, draws]))
    assert Samples(None, np.zeros((2, 3)), np.ones(2)).n_kept == 0


def test_a_recording_packs_arrays_of_spins():
    spins = random_spins((2, 4, 6))
    recording = Recording(2, 3)
    recording.put(slice(0, 2), 0, {"draws": spins, "energy": np.zeros(2)})
    recording.put_last(slice(0, 2), 1, spins)
    assert recording.arrays["draws"].nbytes == 2 * 3 * 3 and recording.stored_bytes == 2 * 3 + 2 * 8
    assert recording.arrays["draws"][:, 0] == recording.last == PackedSpins.pack(spins, 1)
    assert not isinstance(recording.arrays["energy"], PackedSpins)


def test_recording_refuses_another_lattice():
    recording = Recording(2, 3)
    recording.put(slice(0, 2), 0, {"draws": random_spins((2, 4, 6))})
    with pytest.raises(ValueError, match=r"shape \(2, 3, 8\) do not belong to a lattice of shape \(4, 6\)"):
        recording.put(slice(0, 2), 1, {"draws": PackedSpins.pack(random_spins((2, 3, 8)), 1)})


shapes = st.tuples(st.integers(1, 3), st.integers(0, 4), st.integers(1, 5), st.integers(1, 9))


@settings(max_examples=40)
@given(shape=shapes, seed=st.integers(0, 99))
def test_any_shape_comes_back(tmp_path_factory, shape, seed):
    path, draws = tmp_path_factory.mktemp("any") / "x.h5", random_spins(shape, seed)
    samples = Samples(draws, np.zeros(shape[:2]), np.ones(shape[0]))
    assert samples.packed_draws.shape == shape
    assert samples.packed_draws.nbytes == shape[0] * shape[1] * math.ceil(shape[2] * shape[3] / 8)
    np.testing.assert_array_equal(samples.draws, draws)
    samples.save(path)
    assert load(path).packed_draws == samples.packed_draws
    same_bits(load(path), samples)
    same_bits(pickle.loads(pickle.dumps(samples)), samples)


INDICES = [0, -1, slice(1, None), (1, 2), (slice(None), -1), ([2, 0], slice(None, None, 2)), (slice(None), None), None]


@pytest.mark.parametrize("index", [*INDICES, np.array([True, False, True])], ids=str)
def test_packed_spins_are_indexed_like_the_array(index):
    spins = random_spins((3, 4, 5, 3))
    packed = PackedSpins.pack(spins, 2)
    np.testing.assert_array_equal(np.asarray(packed[index]), spins[index])
    assert packed[index] == PackedSpins.pack(spins[index], spins[index].ndim - 2)
    assert packed[index].shape == spins[index].shape


def test_packed_spins_behave():
    spins = random_spins((3, 4, 5, 3))
    packed = PackedSpins.pack(spins, 2)
    assert (packed.ndim, packed.size, packed.dtype, len(packed), packed.n_sites) == (4, 180, np.int8, 3, 15)
    assert packed == PackedSpins.pack(spins, 2) and packed != PackedSpins.pack(-spins, 2)
    assert packed != PackedSpins(packed.bits, (3, 5)) and packed != spins.tolist()
    assert np.asarray(packed, dtype=np.float64).dtype == np.float64
    assert PackedSpins.concatenate([packed[:1], packed[1:]]) == packed
    assert packed_if_spins(packed, 2) is packed
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(packed, copy=False)
    with pytest.raises(TypeError, match="unhashable"):
        hash(packed)
    for index in ((0, 0, 0), (..., 0), (np.ones((3, 4), bool), 0)):
        with pytest.raises(IndexError):
            packed[index]
    for bits in (np.zeros((2, 3), np.uint8), np.zeros((2, 2), np.int8), np.zeros((), np.uint8)):
        with pytest.raises(ValueError, match=r"lattice of shape \(3, 5\) needs uint8 bits of shape \(…, 2\)"):
            PackedSpins(bits, (3, 5))


def test_files_of_one_bit_a_site_are_written_and_read_as_they_were(tmp_path):
    """The layout of format 1, written by h5py alone."""
    draws = random_spins((2, 9, 3, 5))
    with h5py.File(tmp_path / "old.h5", "w", libver=("v110", "v110")) as file:
        file.attrs["format"], file.attrs["format_version"] = np.bytes_(b"spinodal-samples"), 1
        file.create_dataset("provenance", data=np.array([b"{}"]), chunks=(1,), fletcher32=True)
        for name, array in {"energy": np.zeros((2, 9)), "temperature": np.ones(2)}.items():
            file.create_dataset(name, data=array, chunks=array.shape, fletcher32=True).attrs["encoding"] = np.bytes_(
                b"raw"
            )
        bits = np.packbits(draws.reshape(2, 9, 15) > 0, axis=-1)
        dataset = file.create_dataset("draws", data=bits, chunks=bits.shape, fletcher32=True)
        dataset.attrs["encoding"], dataset.attrs["shape"] = np.bytes_(b"spins"), (3, 5)
    samples = load(tmp_path / "old.h5")
    np.testing.assert_array_equal(samples.draws, draws)
    samples.save(tmp_path / "new.h5")
    with h5py.File(tmp_path / "new.h5") as file:
        np.testing.assert_array_equal(file["draws"][()], bits)
        assert file["draws"].attrs["encoding"] == b"spins" and tuple(file["draws"].attrs["shape"]) == (3, 5)


@pytest.mark.parametrize("keep_draws", [True, "last"])
def test_journals_of_the_format_before_are_gone_on_with(tmp_path, monkeypatch, keep_draws):
    """Format 1 held the draws of a record, and the last ones in the state, as one row of bits."""
    path, arguments = tmp_path / "run.h5", {**ARGUMENTS, "keep_draws": keep_draws}

    def encode_unpacked(meta, arrays):
        plain = {name: np.asarray(array) for name, array in arrays.items()}
        pieces = encode(meta, plain)
        assert b"lattice" not in bytes(pieces[1])
        return pieces

    with monkeypatch.context() as patch:
        patch.setattr("spinodal.files.journal.VERSION", 1)
        patch.setattr("spinodal.files.journal.encode", encode_unpacked)
        with pytest.raises(Killed):
            run(OPEN, checkpoint=path, checkpoint_every=0, callback=kill_at(15), **arguments)
    part = load(path)
    assert part.packed_draws is not None or keep_draws == "last"
    steps = []
    samples = run(OPEN, checkpoint=path, callback=lambda step, *_: steps.append(step), **arguments)
    assert steps[0] > 10
    same_bits(samples, run(OPEN, **arguments))


def test_a_torn_record_of_bits_is_refused(tmp_path):
    from spinodal.files.encoding import decode

    data = b"".join(bytes(piece) for piece in encode({}, {"draws": PackedSpins.pack(random_spins((2, 3, 5, 5)), 2)}))
    assert decode(data)[1]["draws"] == PackedSpins.pack(random_spins((2, 3, 5, 5)), 2)
    for bad in (data[:-1], data.replace(b"[5, 5]", b"[9, 9]"), data.replace(b"[5, 5]", b"[[], ]")):
        with pytest.raises(ValueError):
            decode(bad)
    Journal(tmp_path / "x.h5").close()


def test_analysis_takes_packed_draws_and_unpacks_some_at_a_time(monkeypatch):
    """The functions of analysis give the same from bits, a few configurations at a time."""
    samples = run(ToyHeatBath(ToyIsing((6, 6), h=0.0)), n_chains=3, n_steps=40)
    packed, draws = samples.packed_draws, np.array(samples.draws)
    whole, unpacked = packing.unpack_spins, []
    monkeypatch.setattr(packing, "unpack_spins", lambda *given: unpacked.append(whole(*given)) or unpacked[-1])
    monkeypatch.setattr("spinodal.analysis.arrays.CHUNK", 5 * 36)
    monkeypatch.setattr("spinodal.analysis.fields.CHUNK", 5 * 36)
    functions = (analysis.correlation, analysis.radial_correlation, analysis.radial_structure_factor)
    for function in functions:
        for one, other in zip(function(packed), function(draws), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12)
    np.testing.assert_allclose(
        analysis.structure_factor(packed).mean, analysis.structure_factor(draws).mean, rtol=1e-12
    )
    assert analysis.correlation_length(packed) == analysis.correlation_length(draws)
    bare = Samples(packed, samples.energy, samples.temperature)
    np.testing.assert_array_equal(bare.observable("magnetization"), samples.info["magnetization"])
    assert bare.estimate("binder_cumulant").mean == samples.estimate("binder_cumulant").mean
    assert "draws" not in vars(bare)
    assert unpacked and max(array.size for array in unpacked) <= 5 * 36


def test_a_part_can_be_replaced():
    samples = run(OPEN, n_chains=2, n_steps=3)
    warmer = replace(samples, temperature=2 * samples.temperature)
    assert warmer.packed_draws == samples.packed_draws
    assert replace(samples, draws=None).draws is None
    with pytest.raises(AttributeError, match="no attribute 'drawings'"):
        samples.drawings  # noqa: B018
    with pytest.raises(AttributeError):
        samples.draws = None

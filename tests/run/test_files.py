# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import contextlib
import random
import sys

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from run.conftest import same_bits
from spinodal.files import FileFormatError, hdf5
from spinodal.files.atomic import remove_leftovers, replacing
from spinodal.files.encoding import decode, encode
from spinodal.files.packing import pack_spins, unpack_spins
from spinodal.samplers.run import run
from spinodal.samples import Samples, load


def random_spins(shape, seed=0):
    return (2 * np.random.default_rng(seed).integers(0, 2, shape) - 1).astype(np.int8)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=3), st.integers(0, 99))
def test_packed_spins_are_the_bits_of_numpy(shape, seed):
    spins = random_spins(shape, seed)
    bits = pack_spins(spins)
    np.testing.assert_array_equal(bits, np.packbits(spins > 0, axis=-1))
    np.testing.assert_array_equal(unpack_spins(bits, shape[-1]), spins)


@pytest.mark.parametrize("shape", [(700_003,), (3, 700_001), (3, 640_000), (200_000, 9)])
def test_packing_in_several_blocks(shape):
    spins = random_spins(shape)
    bits = pack_spins(spins)
    np.testing.assert_array_equal(bits, np.packbits(spins > 0, axis=-1))
    np.testing.assert_array_equal(unpack_spins(bits, shape[-1]), spins)


@pytest.mark.parametrize("shape", [(5,), (64,), (700_003,), (100, 9)])
@pytest.mark.parametrize("value", [0, 2, 3, -2, 127, -128])
def test_other_values_are_not_packed(shape, value):
    spins = random_spins(shape)
    spins.reshape(-1)[-1] = value
    assert pack_spins(spins) is None
    assert pack_spins(np.ones(shape, np.int16)) is None


def test_encoded_arrays_come_back(tmp_path):
    arrays = {
        "spins": random_spins((3, 5, 7))[:, ::2],
        "zeros": np.zeros((2, 3), np.int8),
        "energy": np.array([np.nan, -0.0, np.inf, 5e-324]),
        "big endian": np.arange(5, dtype=">i4"),
        "counts": np.arange(6, dtype=np.uint64).reshape(2, 3).T,
        "flags": np.array([True, False]),
        "empty": np.empty((0, 4)),
        "scalar": np.array(3.5),
    }
    meta, decoded = decode(b"".join(encode({"a": [1, None]}, arrays)))
    assert meta == {"a": [1, None]}
    for name, array in arrays.items():
        assert decoded[name].dtype == array.dtype
        assert decoded[name].shape == array.shape
        assert decoded[name].tobytes() == array.tobytes()


def test_objects_are_not_encoded():
    with pytest.raises(TypeError, match="things has dtype object"):
        encode({}, {"things": np.array([object()])})


def test_decode_refuses_other_bytes():
    good = b"".join(encode({}, {"x": np.arange(4)}))
    for bad in (b"", good[:5], good[:30], good[:-1], good.replace(b"<i8", b"|O0"), b"\xff" * 50):
        with pytest.raises(ValueError):
            decode(bad)


@pytest.mark.parametrize("keep_draws", [True, False, "last"])
def test_saved_samples_come_back(sampler, tmp_path, keep_draws):
    samples = run(sampler, n_chains=4, n_steps=6, seed=1, keep_draws=keep_draws)
    samples.save(tmp_path / "run.h5")
    back = load(str(tmp_path / "run.h5"))
    same_bits(back, samples)
    assert back.provenance == samples.provenance
    assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]


@settings(max_examples=30)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(0, 4), st.integers(1, 5), st.integers(1, 9)),
    dtype=st.sampled_from([np.int8, np.float32, np.float64, np.int32]),
)
def test_any_draws_come_back(tmp_path_factory, shape, dtype):
    path = tmp_path_factory.mktemp("any") / "x.h5"
    draws = np.random.default_rng(0).normal(size=shape).astype(dtype)
    weights = np.full(shape[:2], -np.inf)
    samples = Samples(draws, np.zeros(shape[:2]), np.ones(shape[0]), weights, provenance={"ä": [1.5, None]})
    samples.save(path)
    same_bits(load(path), samples)
    assert load(path).provenance == {"ä": [1.5, None]}


def test_spins_take_one_bit(tmp_path):
    draws = random_spins((4, 500, 32, 32))
    Samples(draws, np.zeros((4, 500)), np.ones(4)).save(tmp_path / "x.h5")
    assert (tmp_path / "x.h5").stat().st_size < draws.size / 8 + 4 * 500 * 8 + 10_000
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["draws"].fletcher32 and file["energy"].fletcher32 and file["provenance"].fletcher32
        assert file["draws"].chunks == (4, 500, 128)
        assert dict(file.attrs) == {"format": b"spinodal-samples", "format_version": 1}


def test_long_provenance_fits(tmp_path):
    samples = Samples(None, np.zeros((1, 1)), np.ones(1), provenance={"temperatures": list(range(100_000))})
    samples.save(tmp_path / "x.h5")
    assert load(tmp_path / "x.h5").provenance == samples.provenance


@pytest.fixture
def saved(tmp_path):
    draws = random_spins((2, 9, 8, 8))
    energy = np.random.default_rng(1).normal(size=(2, 9))
    info = {"magnetization": draws.sum(axis=(2, 3), dtype=np.int64)}
    samples = Samples(draws, energy, np.ones(2), None, info, {"seed": 3, "system": {"kind": "ising"}})
    samples.save(tmp_path / "x.h5")
    return tmp_path / "x.h5", samples


def test_truncated_files_are_refused(saved):
    path, _ = saved
    data = path.read_bytes()
    for length in [0, 1, 7, 8, 9, *random.Random(0).sample(range(10, len(data)), 60), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(FileFormatError, match=r"x\.h5: (the file is empty|not an HDF5 file|truncated or damaged)"):
            load(path)


def test_flipped_bits_are_caught_or_harmless(saved):
    path, samples = saved
    data = path.read_bytes()
    caught = 0
    for position in random.Random(1).sample(range(len(data)), 150):
        damaged = bytearray(data)
        damaged[position] ^= 1 << random.Random(position).randrange(8)
        path.write_bytes(damaged)
        try:
            back = load(path)
        except FileFormatError as error:
            assert str(path) in str(error)
            caught += 1
        else:
            same_bits(back, samples)
            assert back.provenance == samples.provenance
    assert caught > 30


def test_overwritten_stretches_are_caught_or_harmless(saved):
    path, samples = saved
    data = path.read_bytes()
    for seed in range(60):
        rng = random.Random(seed)
        start, length = rng.randrange(len(data)), rng.randrange(1, 200)
        filler = rng.choice([bytes(length), rng.randbytes(length), data[:length]])
        path.write_bytes(data[:start] + filler[: len(data) - start] + data[start + length :])
        with contextlib.suppress(FileFormatError):
            same_bits(load(path), samples)


def test_foreign_files_are_named(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not samples at all")
    with pytest.raises(FileFormatError, match=r"notes\.txt: not an HDF5 file"):
        load(path)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(FileFormatError, match=r"other\.h5: an HDF5 file, but not one of samples"):
        load(tmp_path / "other.h5")
    with pytest.raises(FileNotFoundError, match=r"missing\.h5"):
        load(tmp_path / "missing.h5")
    with pytest.raises(FileNotFoundError):
        load(tmp_path)


def test_newer_format_is_refused(saved):
    path, _ = saved
    with h5py.File(path, "a") as file:
        file.attrs["format_version"] = 2
    with pytest.raises(FileFormatError, match="newer spinodal: format 2, this one reads up to 1"):
        load(path)


@pytest.mark.parametrize("damage", ["missing", "lost chunks", "wrong shape", "unknown"])
def test_incomplete_hdf5_is_refused(saved, damage):
    path, _ = saved
    with h5py.File(path, "a") as file:
        if damage == "missing":
            del file["energy"]
        elif damage == "lost chunks":
            shape = file["draws"].shape
            attributes = dict(file["draws"].attrs)
            del file["draws"]
            file.create_dataset("draws", shape, "u1", chunks=shape).attrs.update(attributes)
        elif damage == "wrong shape":
            file["draws"].attrs["shape"] = [80, 80]
        else:
            del file["draws"].attrs["encoding"]
    with pytest.raises(FileFormatError):
        load(path)


def test_missing_h5py_gives_the_install_line(saved, monkeypatch):
    path, samples = saved
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"pip install 'spinodal\[io\]'"):
        samples.save(path)
    with pytest.raises(ImportError, match=r"pip install 'spinodal\[io\]'"):
        load(path)


def test_missing_xarray_gives_the_install_line(saved, monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(ImportError, match=r"pip install 'spinodal\[io\]'"):
        saved[1].to_xarray()


def test_objects_are_not_saved_and_leave_nothing(tmp_path):
    with pytest.raises(TypeError, match="info/things"):
        Samples(None, np.zeros((1, 1)), np.ones(1), None, {"things": np.array([[object()]])}).save(tmp_path / "x.h5")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_the_old_file(saved, monkeypatch):
    path, samples = saved
    monkeypatch.setattr(hdf5, "_write_raw", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        samples.save(path)
    same_bits(load(path), samples)
    assert [each.name for each in path.parent.iterdir()] == ["x.h5"]


def test_leftovers_of_killed_writers_are_found(tmp_path):
    path = tmp_path / "a[b].h5"
    (tmp_path / ".a[b].h5.0123abcd.tmp").touch()
    (tmp_path / ".other.h5.0123abcd.tmp").touch()
    remove_leftovers(path)
    assert [each.name for each in tmp_path.iterdir()] == [".other.h5.0123abcd.tmp"]


def test_files_get_the_usual_permissions(tmp_path):
    with replacing(tmp_path / "x") as temporary:
        temporary.write_bytes(b"1")
    (tmp_path / "y").touch()
    assert (tmp_path / "x").stat().st_mode == (tmp_path / "y").stat().st_mode

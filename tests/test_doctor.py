# SPDX-License-Identifier: BSD-3-Clause
"""The self-test finds broken kernels, and the report says what is there, what is missing, and why."""

from __future__ import annotations

import dataclasses
import functools
import sys

import numpy as np
import pytest

from reference import enumeration, streams
from spinodal import doctor, selftest, threads
from spinodal.backends import resolve
from spinodal.selftest import Engine


@pytest.fixture(scope="module")
def report() -> doctor.Report:
    return doctor.diagnose()


@pytest.fixture
def engine(backend) -> Engine:
    return Engine(backend)


def test_a_sound_installation_passes(report):
    assert report.ok, str(report)
    assert report.exit_code == 0
    assert str(report).endswith("checks passed")


def test_the_report_covers_every_engine_and_update(report):
    said = str(report)
    for engine in selftest.engines(["cpp", "numba"]):
        for update in selftest._updates():
            assert f"{engine}: {update} energy" in said
    assert doctor.cpu_model() in said
    assert sys.executable in said


def test_the_exact_energy_is_that_of_the_reference():
    energy = enumeration.energies((4, 4))
    weight = enumeration.boltzmann((4, 4), 1 / selftest.TEMPERATURE)
    assert selftest.exact_energy() == pytest.approx(float(energy @ weight), rel=1e-12)


def test_the_exact_energy_of_a_bar_is_that_of_enumeration():
    """Of a bar as long as 16 states a site allow; the self-test's own is longer."""
    energy, weight = enumeration.energies((2, 2, 4)), enumeration.boltzmann((2, 2, 4), 1 / selftest.BAR_TEMPERATURE)
    assert selftest.bar_energy(4) == pytest.approx(float(energy @ weight), rel=1e-12)


def test_known_blocks_are_those_of_the_reference():
    for stream, words in selftest._KNOWN_BLOCKS.items():
        expected = streams.stream_blocks(stream, selftest._KEY, selftest._COUNTER)[0]
        assert words == tuple(int(word) for word in expected)


def failed_checks() -> set[str]:
    return {f"{check.engine}: {check.name}" for check in selftest.check_all(["cpp"]) if not check.passed}


def break_cpp(monkeypatch, name, broken):
    """Replace a kernel of the compiled backend by one that calls the original."""
    backend = type(resolve("cpp"))
    original = getattr(backend, name)

    def replacement(self, *arguments, **options):
        return broken(functools.partial(original, self), *arguments, **options)

    monkeypatch.setattr(backend, name, replacement)


def test_a_kernel_at_a_wrong_temperature_fails(monkeypatch):
    def broken(good, spins, beta, *arguments, **options):
        good(spins, np.multiply(beta, 0.98), *arguments, **options)

    break_cpp(monkeypatch, "metropolis_sweep", broken)
    assert {f"cpp {isa}: metropolis energy" for isa in selftest.available_isas()} <= failed_checks()


def test_an_instruction_set_with_other_bits_fails(monkeypatch):
    def broken(good, spins, *arguments, **options):
        good(spins, *arguments, **options)
        if resolve("cpp").isa != "baseline":
            spins[..., 0, 0] *= -1

    break_cpp(monkeypatch, "metropolis_sweep", broken)
    others = [isa for isa in selftest.available_isas() if isa != "baseline"]
    assert {f"cpp {isa}: same bits as cpp baseline" for isa in others} <= failed_checks()


def test_a_wrong_stream_fails(monkeypatch):
    break_cpp(monkeypatch, "stream_blocks", lambda good, stream, seed, counters: good(stream, seed ^ 1, counters))
    assert "cpp baseline: known answers" in failed_checks()


def test_a_kernel_that_raises_fails_with_its_message(monkeypatch):
    def broken(good, *arguments, **options):
        raise RuntimeError("out of ideas")

    break_cpp(monkeypatch, "metropolis_sweep", broken)
    checks = {check.name: check for check in selftest.check_all(["cpp"])}
    assert not checks["metropolis energy"].passed
    assert checks["metropolis energy"].detail == "RuntimeError: out of ideas"


def test_a_failed_check_sets_the_exit_code(report):
    finding = doctor.Finding("cpp: metropolis energy", "-20.0000 ± 0.0500", "failed")
    broken = dataclasses.replace(report, sections={"Exactness": (finding,)})
    assert not broken.ok
    assert broken.exit_code == 1
    assert "FAILED" in str(broken)
    assert str(broken).endswith("1 of 1 checks FAILED")


def test_a_missing_backend_is_explained(monkeypatch):
    monkeypatch.setattr(doctor, "why_missing", lambda name: "no compiler (apt install g++)" if name == "cpp" else None)
    findings = {finding.name: finding for finding in doctor._backends()}
    assert findings["cpp"].status == "warning"
    assert "apt install g++" in findings["cpp"].text


def test_no_backend_at_all_is_a_failure(monkeypatch):
    monkeypatch.setattr(doctor, "why_missing", lambda name: "gone")
    assert {finding.status for finding in doctor._backends()} == {"failed"}


def test_two_openmp_runtimes_are_a_warning(monkeypatch, tmp_path):
    maps = tmp_path / "maps"
    names = ("libgomp.so.1", "libiomp5.so", "libc.so.6")
    lines = [f"7f00-7f01 r-xp 00000000 00:00 0   {tmp_path}/{name}" for name in names]
    maps.write_text("\n".join([*lines, lines[0]]))
    monkeypatch.setattr(doctor, "_MAPS", maps)
    assert doctor.openmp_runtimes() == [f"{tmp_path}/libgomp.so.1", f"{tmp_path}/libiomp5.so"]
    assert [finding.status for finding in doctor._threads()][-1] == "warning"


def test_a_missing_extra_comes_with_its_remedy(monkeypatch):
    def version(name):
        raise doctor.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    findings = {finding.name: finding.text for finding in doctor._optional_packages()}
    assert findings["h5py"] == "missing: pip install 'spinodal[io]'"


@pytest.mark.parametrize("name", ["SPINODAL_NUM_THREADS", "OMP_NUM_THREADS"])
def test_the_reason_for_the_number_of_threads(monkeypatch, name):
    monkeypatch.delenv("SPINODAL_NUM_THREADS", raising=False)
    monkeypatch.setenv(name, "3")
    assert threads.default_n_threads() == 3
    assert name in threads.why_n_threads()


def test_a_speed_is_measured(engine):
    assert all(selftest.flips_per_ns(engine, layout, seconds=0.01) > 0 for layout, *_ in selftest.SPEEDS)

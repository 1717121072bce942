# SPDX-License-Identifier: BSD-3-Clause
import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinodal.cli import values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.5:3.5:0.5", [1.5, 2.0, 2.5, 3.0, 3.5]),
        ("1.5:2.3:0.1", [1.5, 1.6, 1.7, 1.8, 1.9, 2.0, 2.1, 2.2, 2.3]),
        ("2.269", [2.269]),
        ("2,1,2", [1.0, 2.0]),
        ("2:3:0.4", [2.0, 2.4, 2.8]),
        ("1:2:0.5,2.269,1.5", [1.0, 1.5, 2.0, 2.269]),
        ("2:2:1", [2.0]),
        ("1e-3", [1e-3]),
    ],
)
def test_temperatures(text, expected):
    assert values.temperatures(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0", "must be > 0; got 0"),
        ("-1:1:1", "must be > 0; got -1"),
        ("", "must be a number; got ''"),
        ("a:2:1", "must be a number; got 'a'"),
        ("inf", "must be finite; got 'inf'"),
        ("nan", "must be finite; got 'nan'"),
        ("1:2", "start:stop:step; got '1:2'"),
        ("1:2:3:4", "start:stop:step; got '1:2:3:4'"),
        ("2:1:0.1", "stop >= start; got '2:1:0.1'"),
        ("1:2:0", "step > 0"),
        ("1:2:-0.1", "step > 0"),
        ("1:2:1e-9", "at most 1000 temperatures; '1:2:1e-9' has"),
    ],
)
def test_wrong_temperatures(text, said):
    with pytest.raises(argparse.ArgumentTypeError, match=said.replace("?", r"\?")):
        values.temperatures(text)


@given(st.text(alphabet="0123456789.:,-einfa ", max_size=20))
def test_temperatures_parse_or_refuse(text):
    try:
        found = values.temperatures(text)
    except argparse.ArgumentTypeError:
        return
    assert found == sorted(set(found))
    assert all(0 < t < float("inf") for t in found)
    assert len(found) <= values.MOST_TEMPERATURES


@given(start=st.integers(1, 400), step=st.integers(1, 50), count=st.integers(1, 200))
def test_ranges_have_both_ends(start, step, count):
    """Decimal steps, as people type them, whatever binary makes of them."""
    stop = start + step * (count - 1)
    found = values.temperatures(f"{start / 100}:{stop / 100}:{step / 100}")
    assert len(found) == count
    assert found[0] == start / 100
    assert found[-1] == stop / 100


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("64", [(64, 64)]),
        ("24x40", [(24, 40)]),
        ("16X16x16", [(16, 16, 16)]),
        ("16,32,24x40", [(16, 16), (32, 32), (24, 40)]),
    ],
)
def test_lattices(text, expected):
    assert values.lattices(text) == expected


@pytest.mark.parametrize("text", ["", "1", "0", "-4", "4x", "4x4x4x4", "4,4", "4,4x4", "4.5", "4x1", "L"])
def test_wrong_lattices(text):
    with pytest.raises(argparse.ArgumentTypeError):
        values.lattices(text)

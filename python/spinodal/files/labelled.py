# SPDX-License-Identifier: BSD-3-Clause
"""Samples as an xarray dataset, with the dimensions that ArviZ expects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import xarray

_LATTICE_DIMS = ("z", "y", "x")


def to_xarray(arrays: Mapping[str, npt.NDArray[Any]], provenance: Mapping[str, Any]) -> xarray.Dataset:
    """Return what `hdf5.write` would store, as a dataset; see ``Samples.to_xarray``."""
    try:
        import xarray
    except ImportError as error:
        raise ImportError("to_xarray needs xarray: pip install 'spinodal[io]'") from error
    variables: dict[str, tuple[tuple[str, ...], npt.NDArray[Any]]] = {}
    for name, array in arrays.items():
        dims = _configuration_dims(array.ndim - 2, provenance)
        if name == "draws" and provenance.get("keep_draws") == "last":
            variables["last_draw"] = (("chain", *dims), array[:, 0])
        elif name != "temperature":
            variables[name.removeprefix("info/")] = (("chain", "draw", *dims), array)
    n_chains, n_draws = arrays["energy"].shape
    temperature = ("chain", arrays["temperature"])
    coords = {"chain": np.arange(n_chains), "draw": np.arange(n_draws), "temperature": temperature}
    return xarray.Dataset(variables, coords, attrs={"provenance": json.dumps(provenance)})


def _configuration_dims(ndim: int, provenance: Mapping[str, Any]) -> tuple[str, ...]:
    named = provenance.get("system", {}).get("dims")
    if named is not None and len(named) == ndim:
        return tuple(named)
    return _LATTICE_DIMS[3 - ndim :] if ndim <= 3 else tuple(f"dim_{axis}" for axis in range(ndim))

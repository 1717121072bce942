# SPDX-License-Identifier: BSD-3-Clause
"""Files of samples: bit-packed HDF5 for results, an append-only journal while a run goes on.

This layer knows names and arrays, not samplers: `hdf5.write` and `hdf5.read` store a mapping of arrays
and its provenance; `journal` and `recording` hold the arrays of a run while they fill.
"""

from spinodal.files.errors import FileFormatError, FileInUseError

__all__ = ["FileFormatError", "FileInUseError"]

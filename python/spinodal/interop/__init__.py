# SPDX-License-Identifier: BSD-3-Clause
"""Other codes: their objects where ours are expected, and ours where theirs are."""

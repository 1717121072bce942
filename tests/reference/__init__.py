# SPDX-License-Identifier: BSD-3-Clause
"""Plain definitions of what the kernels compute: slow, literal, and the truth in every test."""

# SPDX-License-Identifier: BSD-3-Clause
"""Samplers: Markov kernels over the states of a system, and ``run``, which runs any of them."""

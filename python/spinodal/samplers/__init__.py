# SPDX-License-Identifier: BSD-3-Clause
"""Markov kernels over the states of a system, and the loop that runs them."""

# SPDX-License-Identifier: BSD-3-Clause
"""The raw kernels in a loop of one's own: a field quench, measured as it goes.

Run:  python examples/in_your_own_loop.py
"""

import numpy as np

import spinodal as sp

if __name__ == "__main__":
    spins = np.ones((256, 64, 64), dtype=np.int8)  # 256 lattices, all up
    field, t = -0.6, 1.6
    for sweep in range(0, 60, 5):
        # In place. Random numbers are named by (seed, chain, sweep): any cutting of the loop gives the same bits.
        sp.kernels.metropolis_sweep(spins, 1 / t, J=1.0, h=field, n_sweeps=5, seed=7, sweep=sweep)
        m = sp.kernels.magnetization(spins) / spins[0].size
        print(f"sweep {sweep + 5:3d}   m = {sp.analysis.estimate(m[:, None])}")

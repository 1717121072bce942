// SPDX-License-Identifier: BSD-3-Clause
// Lattices to sweep: the smallest, rows that end in the middle of a vector, and work worth a team.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "spinodal/ising.hpp"

namespace spinodal::testing {

using Spins = std::vector<std::int8_t>;

struct Case {
  LatticeShape shape;
  std::int64_t n_chains, n_sweeps;

  std::string name() const {
    return std::to_string(n_chains) + " of " + std::to_string(shape.lz) + "x" + std::to_string(shape.ly) + "x" +
           std::to_string(shape.lx);
  }
};

const Case even_cases[] = {
    {{1, 2, 2, true}, 3, 9},   {{1, 2, 62, true}, 3, 9}, {{1, 6, 64, true}, 3, 9}, {{1, 4, 66, true}, 3, 9},
    {{1, 4, 130, true}, 3, 9}, {{2, 2, 2, false}, 3, 9}, {{4, 2, 6, false}, 3, 9}, {{2, 4, 66, false}, 3, 9},
};
// Enough for three threads: chains shared among them, and one lattice.
const Case shared_chains = {{1, 130, 130, true}, 4, 18}, shared_lattice = {{1, 402, 402, true}, 1, 9};
const Case odd_cases[] = {
    {{1, 3, 3, true}, 3, 9},
    {{1, 5, 65, true}, 3, 9},
    {{1, 2, 127, true}, 3, 9},
    {{3, 5, 7, false}, 3, 9},
};

inline Spins random_start(const Case& c) {
  Spins spins(static_cast<std::size_t>(c.n_chains * c.shape.n_sites()));
  random_spins(spins.data(), c.n_chains, c.shape.n_sites(), 7, 0, Stream::ars7, 1);
  return spins;
}

inline SweepOptions options(std::int64_t n_sweeps, std::int64_t first, int n_threads) {
  SweepOptions result;
  result.n_sweeps = n_sweeps;
  result.seed = 12345;
  result.sweep = static_cast<std::uint64_t>(first);
  result.n_threads = n_threads;
  return result;
}

}  // namespace spinodal::testing

// SPDX-License-Identifier: BSD-3-Clause
#include "src/validate.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "src/dispatch.hpp"
#include "src/refuse.hpp"

namespace spinodal {

void check_spins(const std::int8_t* spins, std::int64_t n, int n_threads) {
  constexpr std::int64_t min_spins_a_thread = 1 << 21;  // some 100 µs
  const int team = static_cast<int>(std::clamp<std::int64_t>(n / min_spins_a_thread, 1, n_threads));
  std::int64_t first = n;
#pragma omp parallel for schedule(static) num_threads(team) reduction(min : first) if (team > 1)
  for (int part = 0; part < team; ++part) {
    const std::int64_t begin = n * part / team, size = n * (part + 1) / team - begin;
    const std::int64_t i = kernels().first_non_spin(spins + begin, size);
    if (i < size) first = std::min(first, begin + i);
  }
  if (first < n) refuse("spins must be -1 or +1; flat index ", first, " holds ", static_cast<int>(spins[first]));
}

void check_beta(const double* beta, std::int64_t n_chains) {
  for (std::int64_t c = 0; c < n_chains; ++c) {
    if (!std::isfinite(beta[c]) || beta[c] < 0) refuse("beta must be finite and >= 0; chain ", c, " has ", beta[c]);
  }
}

void check_coupling(Coupling coupling) {
  if (!std::isfinite(coupling.J)) refuse("J must be finite; got ", coupling.J);
  if (!std::isfinite(coupling.h)) refuse("h must be finite; got ", coupling.h);
}

void check_shape(LatticeShape shape) {
  const std::int64_t lengths[3] = {shape.lx, shape.ly, shape.lz};
  for (int axis = 0; axis < (shape.two_dimensional ? 2 : 3); ++axis) {
    if (lengths[axis] < 2) refuse("every lattice length must be >= 2; got ", lengths[axis]);
  }
  if (shape.lx > 1 << 20) refuse("the last lattice length must be <= 1048576; got ", shape.lx);
  if (shape.lz * shape.ly > INT32_MAX) refuse("a lattice can have at most 2147483647 rows; got ", shape.lz * shape.ly);
}

void check_cluster_size(LatticeShape shape) {
  // Padded rows and all bonds have to fit 32 bits as well.
  const std::int64_t n_padded = shape.lz * shape.ly * (shape.lx + 64);
  if (n_padded > INT32_MAX) {
    refuse("a cluster update takes lattices of at most 2147483647 sites, 64 added to each row; got ", n_padded);
  }
}

void check_even(LatticeShape shape) {
  const std::int64_t lengths[3] = {shape.lx, shape.ly, shape.lz};
  for (int axis = 0; axis < (shape.two_dimensional ? 2 : 3); ++axis) {
    if (lengths[axis] % 2 != 0) {
      refuse("a periodic checkerboard update needs even lengths; got ", lengths[axis],
             " (wolff_step and swendsen_wang_sweep take odd lengths)");
    }
  }
}

void check_options(const SweepOptions& options, std::int64_t n_chains) {
  if (options.n_sweeps < 0) refuse("n_sweeps must be >= 0; got ", options.n_sweeps);
  if (options.sweep + static_cast<std::uint64_t>(options.n_sweeps) > max_sweep) {
    refuse("sweep + n_sweeps must be <= 2^40; got ", options.sweep, " + ", options.n_sweeps);
  }
  if (options.first_chain + static_cast<std::uint64_t>(n_chains) > std::uint64_t{1} << 32) {
    refuse("first_chain + n_chains must be <= 2^32; got ", options.first_chain, " + ", n_chains);
  }
  check_threads(options.n_threads);
}

void check_threads(int n_threads) {
  if (n_threads < 1) refuse("n_threads must be >= 1; got ", n_threads);
}

void check_heat_bath_every(std::int64_t period) {
  if (period < 0) throw std::invalid_argument("heat_bath_every must be >= 0; got " + std::to_string(period));
}

}  // namespace spinodal

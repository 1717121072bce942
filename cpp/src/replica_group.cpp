// SPDX-License-Identifier: BSD-3-Clause
#include "src/replica_group.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "src/dispatch.hpp"
#include "src/packed_words.hpp"
#include "src/team.hpp"
#include "src/validate.hpp"

namespace spinodal {
namespace {

bool is_reversed(const ReplicaChains& chains) { return chains.coupling.J < 0 && chains.is_even(); }

}  // namespace

std::int64_t ReplicaChains::n_groups() const {
  const std::int64_t last = options.first_chain + n_chains - 1;
  return n_chains == 0 ? 0 : last / replica_lanes - first_group() + 1;
}

int ReplicaChains::team(std::int64_t n_sweeps) const {
  const std::int64_t updates_a_site = 16 * std::min<std::int64_t>(n_sweeps, 1 << 16) + 64;
  return team_size(options.n_threads, n_groups(), n_groups() * shape.n_sites() * updates_a_site);
}

GroupSlice::GroupSlice(const ReplicaChains& chains, std::int64_t index)
    : group(chains.first_group() + static_cast<std::uint32_t>(index)) {
  const std::int64_t first = std::int64_t{group} * replica_lanes, offset = chains.options.first_chain;
  lane_begin = static_cast<int>(std::max<std::int64_t>(offset - first, 0));
  lane_end = static_cast<int>(std::min<std::int64_t>(offset + chains.n_chains - first, replica_lanes));
  first_chain = first + lane_begin - offset;
}

void load_group(const ReplicaChains& chains, const GroupSlice& slice, const std::int8_t* spins,
                const ReplicaLattice& lattice) {
  const std::int8_t* first = spins + slice.first_chain * chains.shape.n_sites();
  kernels().replica_load(first, lattice, slice.lane_begin, slice.lane_end);
  if (is_reversed(chains)) kernels().replica_reverse_odd(lattice);
}

void store_group(const ReplicaChains& chains, const GroupSlice& slice, const ReplicaLattice& lattice,
                 std::int8_t* spins) {
  std::int8_t* first = spins + slice.first_chain * chains.shape.n_sites();
  if (is_reversed(chains)) kernels().replica_reverse_odd(lattice);
  kernels().replica_store(lattice, first, slice.lane_begin, slice.lane_end);
}

void sweep_lanes(const ReplicaChains& chains, const GroupSlice& slice, const LaneRules& rules, std::uint64_t first,
                 std::int64_t n, const ReplicaLattice& lattice) {
  const SweepOptions& options = chains.options;
  const ReplicaRun run{options.stream, options.seed, first, n, chains.heat_bath_every, slice.group};
  kernels().lane_sweeps(lattice, rules, run, packed_words(options.seed));
}

void observe_group(const ReplicaChains& chains, const GroupSlice& slice, const ReplicaLattice& lattice,
                   const ReplicaObservables& out) {
  if (out.energy == nullptr && out.magnetization == nullptr) return;
  const bool reversed = is_reversed(chains);
  if (reversed) kernels().replica_reverse_odd(lattice);
  std::uint32_t up[replica_lanes], unlike[replica_lanes];
  kernels().replica_sums(lattice, up, unlike);
  if (reversed) kernels().replica_reverse_odd(lattice);
  const std::int64_t n_sites = chains.shape.n_sites(), n_bonds = n_sites * (chains.shape.two_dimensional ? 2 : 3);
  for (int i = 0; i < slice.n_chains(); ++i) {
    const int lane = slice.lane_begin + i;
    const std::int64_t total = 2 * std::int64_t{up[lane]} - n_sites, bonds = n_bonds - 2 * std::int64_t{unlike[lane]};
    if (out.magnetization != nullptr) out.magnetization[slice.first_chain + i] = total;
    if (out.energy != nullptr) {
      out.energy[slice.first_chain + i] =
          -chains.coupling.J * static_cast<double>(bonds) - chains.coupling.h * static_cast<double>(total);
    }
  }
}

void check_replicas(const ReplicaChains& chains, const std::int8_t* spins, const double* beta, std::int64_t n_betas) {
  check_shape(chains.shape);
  check_beta(beta, n_betas);
  check_coupling(chains.coupling);
  check_options(chains.options, chains.n_chains);
  check_spins(spins, chains.n_chains * chains.shape.n_sites(), chains.options.n_threads);
  check_heat_bath_every(chains.heat_bath_every);
  constexpr std::int64_t max_sites = std::int64_t{1} << 23;  // blocks of 16 vectors are counted by 19 bits
  if (chains.shape.n_sites() > max_sites) {
    throw std::invalid_argument("replica-packed chains can have at most 8388608 sites; got " +
                                std::to_string(chains.shape.n_sites()));
  }
}

}  // namespace spinodal

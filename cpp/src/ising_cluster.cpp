// SPDX-License-Identifier: BSD-3-Clause
// Cluster updates: probabilities, buffers, and the partition of chains among threads.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "spinodal/cluster.hpp"
#include "src/buffer.hpp"
#include "src/dispatch.hpp"
#include "src/team.hpp"
#include "src/threshold.hpp"
#include "src/validate.hpp"

namespace spinodal {
namespace {

ClusterRule make_rule(double beta, Coupling coupling) {
  const double bond = 2 * beta * std::abs(coupling.J), ghost = 2 * beta * std::abs(coupling.h);
  const int field_sign = ghost == 0 ? 0 : coupling.h > 0 ? 1 : -1;
  return {threshold_of(-std::expm1(-bond)), threshold_of(-std::expm1(-ghost)), ghost, field_sign, coupling.J < 0};
}

ClusterKey make_key(const SweepOptions& options, std::int64_t chain) {
  return {options.stream, options.seed, options.sweep, options.n_sweeps,
          options.first_chain + static_cast<std::uint32_t>(chain)};
}

class WolffBuffer {
 public:
  explicit WolffBuffer(LatticeShape shape)
      : row_(shape.lx + 16),  // rows a power of two apart would share few cache sets
        site_(shape.lz * shape.ly * row_),
        queue_(shape.n_sites() * (shape.two_dimensional ? 2 : 3) + 1 + WolffLattice::queue_margin),
        lattice_{site_.data(), queue_.data(), shape.lz,        shape.ly,
                 shape.lx,     row_,          row_ * shape.ly, shape.two_dimensional} {}
  const WolffLattice& lattice() const { return lattice_; }

 private:
  const std::int64_t row_;
  const Buffer<std::uint8_t> site_;
  const Buffer<std::uint32_t> queue_;
  const WolffLattice lattice_;
};

class ClusterBuffer {
 public:
  explicit ClusterBuffer(LatticeShape shape)
      : n_words_(shape.lz * shape.ly * ((shape.lx + 63) / 64)),
        n_labels_(shape.n_sites() + ClusterLattice::label_margin),
        down_(n_words_),
        starts_(n_words_),
        first_run_(n_words_),
        label_(n_labels_),
        parent_(n_labels_),
        state_(n_labels_),
        turned_(n_labels_ / 8 + 16),
        lattice_{down_.data(),   starts_.data(), first_run_.data(), label_.data(), parent_.data(),       state_.data(),
                 turned_.data(), shape.lz,       shape.ly,          shape.lx,      shape.two_dimensional} {}
  const ClusterLattice& lattice() const { return lattice_; }

 private:
  const std::int64_t n_words_, n_labels_;
  const Buffer<std::uint64_t> down_, starts_;
  const Buffer<std::uint32_t> first_run_, label_, parent_;
  const Buffer<std::uint8_t> state_, turned_;
  const ClusterLattice lattice_;
};

/// update(chain, lattice) for every chain, one lattice a thread.
template <class Workspace, class Update>
void for_each_chain(std::int64_t n_chains, LatticeShape shape, const SweepOptions& options, Update update) {
  constexpr std::int64_t cost = 8;                                                  // of a site, in local updates
  const std::int64_t n_sweeps = std::min<std::int64_t>(options.n_sweeps, 1 << 16);  // enough for any team
  const int team = team_size(options.n_threads, n_chains, cost * n_chains * shape.n_sites() * n_sweeps);
  std::vector<std::unique_ptr<Workspace>> workspaces;  // here, where a failure may be thrown
  workspaces.reserve(static_cast<std::size_t>(team));
  for (int i = 0; i < team; ++i) workspaces.push_back(std::make_unique<Workspace>(shape));
#pragma omp parallel num_threads(team) if (team > 1)
  {
    const auto& lattice = workspaces[static_cast<std::size_t>(omp_get_thread_num())]->lattice();
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t c = 0; c < n_chains; ++c) update(c, lattice);
  }
}

void check_cluster(const std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, const double* beta,
                   Coupling coupling, const SweepOptions& options) {
  check_shape(shape);
  check_cluster_size(shape);
  check_beta(beta, n_chains);
  check_coupling(coupling);
  check_options(options, n_chains);
  check_spins(spins, n_chains * shape.n_sites());
}

}  // namespace

void wolff_step(std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, const double* beta, Coupling coupling,
                const SweepOptions& options, std::int64_t* flipped, std::int64_t* cluster_size) {
  check_cluster(spins, n_chains, shape, beta, coupling, options);
  for_each_chain<WolffBuffer>(n_chains, shape, options, [&](std::int64_t c, const WolffLattice& lattice) {
    const WolffTotals totals = kernels().wolff_steps(spins + c * shape.n_sites(), lattice, make_rule(beta[c], coupling),
                                                     make_key(options, c), cluster_size != nullptr);
    flipped[c] = totals.flipped;
    if (cluster_size != nullptr) cluster_size[c] = totals.cluster_size;
  });
}

void swendsen_wang_sweep(std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, const double* beta,
                         Coupling coupling, const SweepOptions& options, std::int64_t* n_clusters) {
  check_cluster(spins, n_chains, shape, beta, coupling, options);
  for_each_chain<ClusterBuffer>(n_chains, shape, options, [&](std::int64_t c, const ClusterLattice& lattice) {
    n_clusters[c] = kernels().swendsen_wang_sweeps(spins + c * shape.n_sites(), lattice, make_rule(beta[c], coupling),
                                                   make_key(options, c));
  });
}

}  // namespace spinodal

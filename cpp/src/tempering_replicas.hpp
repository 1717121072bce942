// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>

#include "spinodal/tempering.hpp"

namespace spinodal {

struct TemperingJob {
  std::int8_t* spins;
  std::int64_t n_chains;
  LatticeShape shape;
  Coupling coupling;
  const TemperingRule& rule;
  const SweepOptions& options;
};

/// The replicas of a call to parallel_tempering, in the layout it asks for.
class Replicas {
 public:
  virtual ~Replicas() = default;

  /// Sweep every replica swap_every times at the temperature of its rung; tell the energies.
  virtual void sweep(const std::int64_t* rung, std::uint64_t first_sweep, double* energy) = 0;
  /// Bring the job's spins up to date.
  virtual void store() {}
};

std::unique_ptr<Replicas> make_replicas(const TemperingJob& job);

}  // namespace spinodal

// SPDX-License-Identifier: BSD-3-Clause
/// Pairs of particles within a distance of one another: listed, or counted.
///
///   D = r_j - r_i + S · box,   d = |D| < cutoff                                                              (1)
///
/// with S the lengths of the box, along each axis, by which j is shifted; positions may lie outside the box. All images
/// are counted, those of a particle itself too, in boxes of any ratio to the cutoff (up to 8 lengths). A half list has
/// each pair once: (i, j, S) or (j, i, -S).
///
/// Pairs are those of double precision, and their order is one of positions and box alone: the same for any number of
/// threads and any instruction set. Every function throws std::invalid_argument on input it cannot take.
#pragma once

#include <cstdint>
#include <memory>

#include "spinodal/lennard_jones.hpp"

namespace spinodal {

/// Columns of a list of pairs; null: not wanted.
struct PairTables {
  std::int64_t *i, *j;   ///< (n_pairs)
  double* distances;     ///< (n_pairs) d
  double* vectors;       ///< (n_pairs, dim) D
  std::int32_t* shifts;  ///< (n_pairs, dim) S
};

/// All pairs of one system. The positions are not needed after it is made.
class NeighborList {
 public:
  NeighborList(const double* positions, std::int64_t n_particles, const Box& box, double cutoff, bool half,
               int n_threads);
  ~NeighborList();
  NeighborList(const NeighborList&) = delete;
  NeighborList& operator=(const NeighborList&) = delete;

  std::int64_t n_pairs() const;

  void write(const PairTables& tables, int n_threads) const;

 private:
  struct Found;
  std::unique_ptr<Found> found_;
  bool half_;
};

/// How many pairs of each system, each pair once, have their distance in each of n_bins equal bins of [0, r_max).
///
///   bin = floor(d · (n_bins / r_max))                                                                         (2)
///
/// A distance at an edge, to rounding, may be counted on either side.
/// @param positions  (n_systems, n_particles, dim)
/// @param counts     (n_systems, n_bins)
void pair_histogram(const double* positions, std::int64_t n_systems, std::int64_t n_particles, const Box& box,
                    double r_max, std::int64_t n_bins, std::int64_t* counts, int n_threads);

constexpr std::int64_t max_bins = 65536;

}  // namespace spinodal

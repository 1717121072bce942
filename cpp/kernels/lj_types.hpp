// SPDX-License-Identifier: BSD-3-Clause
// What the Lennard-Jones kernels work on.
#pragma once

#include <cstdint>

#include "spinodal/stream.hpp"

namespace spinodal {

/// Eq. (1) of spinodal/lennard_jones.hpp with its constants folded. With q = scale / ρ²,
///
///   F/r = q⁴ (q³ - attraction) - slope / ρ,   U = repulsive q⁶ - attractive q³ + offset + slope ρ   (2)
struct LjPotential {
  double cutoff2, softening2;
  double scale, attraction;  ///< scale⁷ = 48 ε σ^12: no factor is left at q³
  double repulsive, attractive, offset, slope;
  bool plain;  ///< neither softening nor slope
};

struct LjTotals {
  double energy, virial;
};

/// All pairs of several systems, one a lane.
struct LjBatch {
  std::int64_t n_particles;
  double length[3];  ///< where periodic, of at least twice the cutoff
  bool periodic;
};

/// Particles sorted for neighbour search. The box, one axis of which may be degenerate, is divided into
/// nx × ny columns along z; each holds its particles in the order of z, padded to whole clusters of 8.
///
/// A half is a record of 4 particles: x[4] y[4] z[4], then the forces on them. Pads are far from everything.
struct LjCells {
  static constexpr std::int64_t half_size = 24, single_size = 24;

  double* halves;                ///< (n_clusters, 2, 24)
  float* singles;                ///< (n_clusters, 24) the positions again: x[8] y[8] z[8]
  float* bounds;                 ///< (6, bounds_stride) of each cluster: lowest x, y, z, then highest
  std::int32_t* n_in_half;       ///< (n_clusters, 2) particles in it
  std::int32_t* column_begin;    ///< (nx · ny + 1) first cluster of each column
  std::int32_t* cluster_column;  ///< (n_clusters)
  std::int32_t* bin_end;         ///< (nx · ny, n_z) particles up to the end of each z bin of the columns
  std::int64_t bounds_stride, n_clusters;
  std::int64_t nx, ny, n_z;
  double length[3], side[2];  ///< of the box; of a column
  double bins;                ///< z bins by length
  bool periodic[3];
  float rounding;  ///< no distance between floats is wrong by more

  /// The z bin of a height. It is monotonic, whatever the rounding.
  std::int64_t bin_of(double z) const {
    const auto bin = static_cast<std::int64_t>(z * bins);
    return bin < 0 ? 0 : bin >= n_z ? n_z - 1 : bin;
  }
};

/// The neighbours of one half within one periodic image: where the half is shifted by -image · length.
///
/// Only pairs forward in (x, y, z) are listed: each pair once. With image 0 the half's own pairs belong to it too.
struct LjRow {
  std::int32_t half, image[3];
  std::int64_t outer_begin, outer_end;  ///< clusters
  std::int64_t inner_begin[5];          ///< halves within reach of each of the half's particles
};

/// The rows of some clusters, in memory that is given.
struct LjRows {
  LjRow* row;
  std::uint32_t* outer;  ///< clusters
  std::uint32_t* inner;  ///< offsets of halves in LjCells::halves
  std::int64_t n_rows, row_capacity, n_outer, outer_capacity;
};

/// The particles within a cutoff of each particle of some rows, in memory that is given; LjRow::inner_begin counts
/// them.
struct LjPartners {
  std::uint32_t* slot;  ///< 8 a cluster
  std::int64_t n, capacity;
};

/// Tables of pairs, see neighbors.hpp; null: not wanted.
struct LjPairTables {
  std::int64_t *i, *j;
  double *distances, *vectors;
  std::int32_t* shifts;
  const std::int32_t* particle;  ///< of each slot
  const std::int32_t* wraps;     ///< (n, dim) lengths of the box a particle was moved by; null: none of them
  int dim;
  bool half;
};

/// Where pairs fall, by distance.
struct LjBins {
  static constexpr std::int64_t n_copies = 8;  ///< one for each lane, so that no increment waits for another

  double scale;  ///< bins by length
  std::int64_t n_bins;
  std::int64_t* counts;  ///< (n_bins + 1, n_copies), the last bin for all that is beyond
};

/// Particles of one system for local moves, in cells of at least the moves' reach; see local_moves.hpp.
///
/// A cell has room for `capacity` occupants; of each, its distance from the cell's corner in single precision, NaN
/// where there is none. The box has one cell along an axis on which it has no room for three.
struct LjDwellings {
  std::int64_t n, n_cells[3], capacity;
  int dim;
  bool periodic;
  bool single;    ///< one cell: no list of neighbours is needed
  bool filtered;  ///< three cells or more along every axis
  bool tight;     ///< the nearest image may change with a move
  double length[3], side[3];
  double* place;              ///< (n + 1, 4) x, y, z, 0; the last is NaN
  float* corner;              ///< (cells, 3, capacity)
  std::uint32_t* occupant;    ///< (cells, capacity)
  std::int32_t* count;        ///< (cells)
  std::int32_t *cell, *slot;  ///< (n) of each particle
  std::uint32_t* candidates;  ///< room for n + 16; with one cell, all particles, padded to fours by n
};

/// The cell of a coordinate; monotonic, whatever the rounding.
static inline std::int64_t lj_cell_along(const LjDwellings& at, int axis, double x) {
  if (at.n_cells[axis] == 1) return 0;
  const auto cell = static_cast<std::int64_t>(x / at.side[axis]);
  return cell < at.n_cells[axis] ? cell : at.n_cells[axis] - 1;
}

/// Moves of one sweep.
struct LjWalk {
  Stream stream;
  std::uint64_t seed, sweep;
  std::uint32_t chain, block;  ///< block of Purpose::particles
  double step, temperature, confinement;
};

/// What the moves of a sweep have come to; `drift` is that of the mean position.
struct LjWalked {
  double energy;
  std::int64_t accepted;
  double mean[3], drift[3];
};

/// One step of eq. (1) of molecular_dynamics.hpp, with its constants.
struct LjMotion {
  Stream stream;
  std::uint64_t seed, step;
  std::uint32_t chain, block;  ///< block of Purpose::particles
  int dim;
  double kick, drift, damping;  ///< dt/2m; dt/2; c, 1 without a bath
  double mass, confinement;
};

/// What moves with LjCells: (n_clusters, 2, 12) each, x[4] y[4] z[4].
struct LjMoving {
  double* velocities;
  const double* listed;          ///< positions when the list was built
  const double* pruned;          ///< and when it was last pruned
  const std::int32_t* particle;  ///< of each slot, or -1
  double noise;                  ///< sqrt((1 - c²) T/m)
};

struct LjMoved {
  double kinetic_energy;            ///< of the step that ends
  double from_listed, from_pruned;  ///< largest squared displacements after the drift
};

}  // namespace spinodal

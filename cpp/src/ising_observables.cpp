// SPDX-License-Identifier: BSD-3-Clause
#include "spinodal/ising.hpp"
#include "src/dispatch.hpp"
#include "src/team.hpp"
#include "src/validate.hpp"

namespace spinodal {
namespace {

template <class F>
void for_each_chain(std::int64_t n_chains, LatticeShape shape, int n_threads, F f) {
  check_threads(n_threads);
  const int team = team_size(n_threads, n_chains, n_chains * shape.n_sites());
#pragma omp parallel for schedule(static) num_threads(team) if (team > 1)
  for (std::int64_t c = 0; c < n_chains; ++c) f(c);
}

}  // namespace

void ising_energy(const std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, Coupling coupling,
                  double* energy, int n_threads) {
  check_shape(shape);
  check_coupling(coupling);
  const std::int64_t n = shape.n_sites();
  check_spins(spins, n_chains * n);
  for_each_chain(n_chains, shape, n_threads, [&](std::int64_t c) {
    const auto bonds = static_cast<double>(kernels().bond_sum(spins + c * n, shape));
    const auto total = static_cast<double>(kernels().sum_spins(spins + c * n, n));
    energy[c] = -coupling.J * bonds - coupling.h * total;
  });
}

void magnetization(const std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, std::int64_t* out,
                   int n_threads) {
  check_shape(shape);
  const std::int64_t n = shape.n_sites();
  check_spins(spins, n_chains * n);
  for_each_chain(n_chains, shape, n_threads, [&](std::int64_t c) { out[c] = kernels().sum_spins(spins + c * n, n); });
}

void local_field(const std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, Coupling coupling, double* field,
                 int n_threads) {
  check_shape(shape);
  check_coupling(coupling);
  const std::int64_t lx = shape.lx, ly = shape.ly, lz = shape.lz, n = shape.n_sites();
  check_spins(spins, n_chains * n);
  for_each_chain(n_chains, shape, n_threads, [&](std::int64_t c) {
    const std::int8_t* s = spins + c * n;
    for (std::int64_t r = 0; r < lz * ly; ++r) {
      const std::int64_t y = r % ly, z = r / ly;
      const std::int8_t* row = s + r * lx;
      const std::int8_t* below = s + (z * ly + (y + 1) % ly) * lx;
      const std::int8_t* above = s + (z * ly + (y + ly - 1) % ly) * lx;
      const std::int8_t* front = s + ((z + 1) % lz * ly + y) * lx;
      const std::int8_t* back = s + ((z + lz - 1) % lz * ly + y) * lx;
      double* target = field + c * n + r * lx;
      for (std::int64_t x = 0; x < lx; ++x) {
        int sum = row[x == 0 ? lx - 1 : x - 1] + row[x == lx - 1 ? 0 : x + 1] + above[x] + below[x];
        if (!shape.two_dimensional) sum += front[x] + back[x];
        target[x] = coupling.J * sum + coupling.h;
      }
    }
  });
}

void random_spins(std::int8_t* spins, std::int64_t n_chains, std::int64_t n_sites, std::uint64_t seed,
                  std::uint32_t first_chain, Stream stream, int n_threads) {
  SweepOptions options;
  options.first_chain = first_chain;
  options.n_threads = n_threads;
  check_options(options, n_chains);
  for_each_chain(n_chains, {1, 1, n_sites, true}, n_threads, [&](std::int64_t c) {
    kernels().random_spins(spins + c * n_sites, n_sites, stream, seed, first_chain + static_cast<std::uint32_t>(c));
  });
}

}  // namespace spinodal

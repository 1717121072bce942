// SPDX-License-Identifier: BSD-3-Clause
#include "src/dispatch.hpp"

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "spinodal/isa.hpp"

namespace spinodal {
namespace {

std::vector<const KernelTable*> runnable() {
  std::vector<const KernelTable*> tables{&baseline::kernel_table};
#if defined(__x86_64__)
  __builtin_cpu_init();
  [[maybe_unused]] const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
                                         __builtin_cpu_supports("fma") && __builtin_cpu_supports("aes");
  [[maybe_unused]] const bool has_vaes = has_avx2 && __builtin_cpu_supports("vaes");
#if defined(SPINODAL_HAVE_AVX2)
  if (has_avx2) tables.push_back(&avx2::kernel_table);
#endif
#if defined(SPINODAL_HAVE_VAES)
  if (has_vaes) tables.push_back(&vaes::kernel_table);
#endif
#if defined(SPINODAL_HAVE_AVX512)
  const bool has_avx512 = has_vaes && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi2");
  if (has_avx512) tables.push_back(&avx512::kernel_table);
#endif
#endif
  return tables;
}

const KernelTable* find(const std::string& name, const char* origin) {
  std::string names;
  for (const KernelTable* table : runnable()) {
    if (name == table->isa) return table;
    names += std::string(names.empty() ? "" : ", ") + table->isa;
  }
  throw std::invalid_argument(std::string(origin) + "='" + name + "' cannot run here; choose one of: " + names);
}

const KernelTable* choose() {
  const char* wanted = std::getenv("SPINODAL_ISA");
  return wanted != nullptr && *wanted != '\0' ? find(wanted, "SPINODAL_ISA") : runnable().back();
}

std::atomic<const KernelTable*> in_use{nullptr};

}  // namespace

const KernelTable& kernels() {
  const KernelTable* table = in_use.load(std::memory_order_acquire);
  if (table == nullptr) in_use.store(table = choose(), std::memory_order_release);
  return *table;
}

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (const KernelTable* table : runnable()) names.emplace_back(table->isa);
  return names;
}

std::string active_isa() { return kernels().isa; }

void select_isa(const std::string& name) { in_use.store(find(name, "isa"), std::memory_order_release); }

}  // namespace spinodal

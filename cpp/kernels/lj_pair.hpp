// SPDX-License-Identifier: BSD-3-Clause
// The force of a pair, eq. (2) of lj_types.hpp.
#pragma once

#include "kernels/lj_types.hpp"
#include "kernels/pack.hpp"

SPINODAL_KERNELS_BEGIN

/// What a kernel is compiled for.
template <bool is_plain, bool is_measured>
struct LjVariant {
  static constexpr bool plain = is_plain;        ///< LjPotential::plain
  static constexpr bool measured = is_measured;  ///< energy and virial are wanted
};

/// Call f(variant).
template <class F>
SPINODAL_INLINE auto with_variant(bool plain, bool measured, F&& f) {
  if (plain) return measured ? f(LjVariant<true, true>()) : f(LjVariant<true, false>());
  return measured ? f(LjVariant<false, true>()) : f(LjVariant<false, false>());
}

template <class Variant, class P>
class LjPairs {
 public:
  P energy = P::all(0), virial = P::all(0);

  explicit SPINODAL_INLINE LjPairs(const LjPotential& u)
      : cutoff2_(all(u.cutoff2)),
        softening2_(all(u.softening2)),
        scale_(all(u.scale)),
        attraction_(all(u.attraction)),
        slope_(all(u.slope)),
        repulsive_(all(u.repulsive)),
        attractive_(all(u.attractive)),
        offset_(all(u.offset)) {}

  /// Which pairs at r² count.
  SPINODAL_INLINE typename P::Mask inside(P r2) const { return r2 < cutoff2_; }

  /// F/r of the pairs at r², 0 for those that do not count; measured, they are added to the totals.
  SPINODAL_INLINE P force(P r2, const typename P::Mask& counts) {
    const P rho2 = Variant::plain ? r2 : r2 + softening2_;
    const P q = scale_ / rho2, q3 = q * q * q;
    P f = q * q3 * (q3 - attraction_);
    if constexpr (Variant::plain) {
      if constexpr (Variant::measured) {
        energy = energy + (q3 * (repulsive_ * q3 - attractive_) + offset_).where(counts);
      }
    } else {
      const P rho = rho2.sqrt();
      f = f - slope_ / rho;
      if constexpr (Variant::measured) {
        energy = energy + (q3 * (repulsive_ * q3 - attractive_) + (offset_ + slope_ * rho)).where(counts);
      }
    }
    f = f.where(counts);
    if constexpr (Variant::measured) virial = virial + (f * r2).where(counts);  // r² of a pad is infinite in floats
    return f;
  }

 private:
  static SPINODAL_INLINE P all(double value) { return P::all(static_cast<typename P::Scalar>(value)); }

  P cutoff2_, softening2_, scale_, attraction_, slope_, repulsive_, attractive_, offset_;
};

SPINODAL_KERNELS_END

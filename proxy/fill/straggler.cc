#include "proxy/fill/straggler.h"

namespace paddock {
namespace {

using Seconds = std::chrono::duration<double>;

// How long it would still take; a piece that has brought nothing takes for ever.
double time_left(const PieceProgress& piece) {
  constexpr double for_ever = 1e9;
  return piece.rate > 0 ? static_cast<double>(piece.missing) / piece.rate : for_ever;
}

}  // namespace

std::optional<std::size_t> find_straggler(std::span<const PieceProgress> pieces, double usual_rate,
                                          const StragglerPolicy& policy) {
  std::optional<std::size_t> worst;
  double worst_time = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto& piece = pieces[i];
    if (piece.missing == 0) continue;
    const double left = time_left(piece);
    const double anew = usual_rate > 0 ? static_cast<double>(piece.missing) / usual_rate : left;
    const bool slow = piece.awaited && piece.age >= policy.least && left > policy.factor * anew &&
                      left - anew > Seconds(policy.least).count();
    const bool stuck = usual_rate > 0 && piece.silent >= policy.silence;
    if (!stuck && !slow) continue;
    if (!worst || left > worst_time) {
      worst = i;
      worst_time = left;
    }
  }
  return worst;
}

}  // namespace paddock

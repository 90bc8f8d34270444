// Which of the pieces on their way comes too slowly, so that another connection should fetch the rest of it too.
// Pure; thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace paddock {

struct PieceProgress {
  std::uint64_t missing = 0;            // bytes
  double rate = 0;                      // bytes a second, since it was asked for
  std::chrono::milliseconds silent{0};  // since its last byte
  std::chrono::milliseconds age{0};     // since it was asked for
  bool awaited = false;                 // a reader stands at it, or it is all that is left: slowness counts too
};

struct StragglerPolicy {
  std::chrono::milliseconds silence{3'000};  // so long without a byte is a straggler, awaited or not
  std::chrono::milliseconds least{2'000};    // what a twin must be able to save, and the age from which rates count
  double factor = 4;                         // slower than a usual connection by this
};

// The index of the worst; nothing when all are fine. `usual_rate` is what a connection of this fill brings, 0 when not
// a byte has come yet: then the upstream is slow, not a connection.
std::optional<std::size_t> find_straggler(std::span<const PieceProgress> pieces, double usual_rate,
                                          const StragglerPolicy& policy);

}  // namespace paddock

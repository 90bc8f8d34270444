#include "proxy/fill/least_rate.h"

#include <algorithm>

namespace paddock {

bool LeastRate::enough(std::uint64_t bytes, SteadyTime::duration waited) {
  bytes_ += bytes;
  waited_ += std::min<SteadyTime::duration>(waited, options_.window / 2);
  if (waited_ < options_.window) return true;
  const double seconds = std::chrono::duration<double>(waited_).count();
  const bool reached = static_cast<double>(bytes_) >= static_cast<double>(options_.rate) * seconds;
  bytes_ = 0;
  waited_ = {};
  return reached;
}

}  // namespace paddock

#include "proxy/warm/rate_meter.h"

#include <cmath>

namespace paddock {

void RateMeter::sample(std::uint64_t bytes, SteadyTime now) {
  if (!at_ || bytes < bytes_) {
    at_ = now;
    bytes_ = bytes;
    return;
  }
  if (now - *at_ < shortest) return;
  const double seconds = std::chrono::duration<double>(now - *at_).count();
  const double rate = static_cast<double>(bytes - bytes_) / seconds;
  const double old = known_ ? std::exp(-seconds / memory) : 0;
  rate_ = old * rate_ + (1 - old) * rate;
  known_ = true;
  at_ = now;
  bytes_ = bytes;
}

std::optional<std::chrono::seconds> RateMeter::eta(std::uint64_t missing) const {
  constexpr double longest = 100.0 * 86400;
  if (missing == 0) return std::chrono::seconds(0);
  if (rate_ < 1 || static_cast<double>(missing) / rate_ > longest) return std::nullopt;
  return std::chrono::seconds(static_cast<std::int64_t>(std::ceil(static_cast<double>(missing) / rate_)));
}

}  // namespace paddock

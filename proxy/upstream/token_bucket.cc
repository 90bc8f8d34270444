#include "proxy/upstream/token_bucket.h"

#include <algorithm>

namespace paddock {

using Seconds = std::chrono::duration<double>;

namespace {

constexpr std::size_t least_portion = 4096;
constexpr std::chrono::milliseconds portion_time{20};

}  // namespace

TokenBucket::TokenBucket(std::uint64_t rate, std::chrono::milliseconds burst)
    : burst_(Seconds(burst).count()), rate_(static_cast<double>(rate)), there_(rate_ * burst_) {}

void TokenBucket::refill(SteadyTime now) {
  if (now <= at_) return;
  // The first call finds the bucket full, however long the clock has run.
  const double passed = at_ == SteadyTime{} ? burst_ : Seconds(now - at_).count();
  there_ = std::min(there_ + passed * rate_, burst_ * rate_);
  at_ = now;
}

void TokenBucket::set_rate(std::uint64_t rate, SteadyTime now) {
  const MutexLock lock(mutex_);
  refill(now);
  rate_ = static_cast<double>(rate);
  // An old debt must not last for ever at a lower rate, nor an old credit be a burst.
  there_ = std::clamp(there_, -burst_ * rate_, burst_ * rate_);
}

std::uint64_t TokenBucket::rate() const {
  const MutexLock lock(mutex_);
  return static_cast<std::uint64_t>(rate_);
}

std::size_t TokenBucket::portion() const {
  const MutexLock lock(mutex_);
  if (rate_ <= 0) return SIZE_MAX;
  return std::max(least_portion, static_cast<std::size_t>(rate_ * Seconds(portion_time).count()));
}

std::chrono::nanoseconds TokenBucket::take(std::uint64_t bytes, SteadyTime now) {
  const MutexLock lock(mutex_);
  if (rate_ <= 0) return std::chrono::nanoseconds(0);
  refill(now);
  there_ -= static_cast<double>(bytes);
  if (there_ >= 0) return std::chrono::nanoseconds(0);
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Seconds(-there_ / rate_));
}

}  // namespace paddock

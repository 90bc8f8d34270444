// TokenBucket: a cap on bytes a second, decided without sleeping. Bytes are taken when they have come; who has taken
// more than there was waits until the debt is paid, and asks again meanwhile, as the rate may change. Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "storage/clock.h"
#include "storage/mutex.h"

namespace paddock {

class TokenBucket {
 public:
  // `rate` in bytes a second, 0 for no limit. What is not used in `burst` is lost.
  explicit TokenBucket(std::uint64_t rate, std::chrono::milliseconds burst = std::chrono::milliseconds(250));

  void set_rate(std::uint64_t rate, SteadyTime now);
  [[nodiscard]] std::uint64_t rate() const;
  // How much to read at a time, so that many who share the rate all get something every now and then.
  [[nodiscard]] std::size_t portion() const;
  // How long to wait before the next read; 0 bytes only ask.
  std::chrono::nanoseconds take(std::uint64_t bytes, SteadyTime now);

 private:
  void refill(SteadyTime now) PADDOCK_REQUIRES(mutex_);

  const double burst_;  // seconds
  mutable Mutex mutex_;
  double rate_ PADDOCK_GUARDED_BY(mutex_);
  double there_ PADDOCK_GUARDED_BY(mutex_);  // bytes; below 0 is debt
  SteadyTime at_ PADDOCK_GUARDED_BY(mutex_){};
};

}  // namespace paddock

// ManualClock: a Clock that stands still until a test moves it. Thread-safe.
#pragma once

#include <chrono>

#include "storage/clock.h"
#include "storage/mutex.h"

namespace paddock {

class ManualClock final : public Clock {
 public:
  // An arbitrary day, so that a time is never mistaken for "not set".
  explicit ManualClock(WallTime start = WallTime(std::chrono::seconds(1'700'000'000))) : wall_(start) {}

  [[nodiscard]] SteadyTime now() const override {
    const MutexLock lock(mutex_);
    return now_;
  }
  [[nodiscard]] WallTime wall() const override {
    const MutexLock lock(mutex_);
    return wall_;
  }
  void advance(std::chrono::seconds by) {
    const MutexLock lock(mutex_);
    now_ += by;
    wall_ += by;
  }

 private:
  mutable Mutex mutex_;
  SteadyTime now_ PADDOCK_GUARDED_BY(mutex_){std::chrono::hours(1)};
  WallTime wall_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock

// Rendezvous: the first `count` threads that meet() wait for each other, with a limit, so that a test of things that
// happen at the same time fails, and does not hang, when they do not.
#pragma once

#include <chrono>

#include "storage/mutex.h"

namespace paddock {

class Rendezvous {
 public:
  explicit Rendezvous(unsigned count) : missing_(count) {}

  void meet() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    const MutexLock lock(mutex_);
    if (over_) return;
    if (--missing_ == 0) over_ = met_ = true;
    came_.notify_all();
    while (!over_) {
      if (!came_.wait_until(mutex_, deadline)) over_ = true;
    }
  }
  [[nodiscard]] bool met() {
    const MutexLock lock(mutex_);
    return met_;
  }

 private:
  Mutex mutex_;
  Condition came_;
  unsigned missing_ PADDOCK_GUARDED_BY(mutex_);
  bool over_ PADDOCK_GUARDED_BY(mutex_) = false;
  bool met_ PADDOCK_GUARDED_BY(mutex_) = false;
};

}  // namespace paddock

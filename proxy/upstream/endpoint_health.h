// In which order the equivalent endpoints of an upstream are tried: as configured, but those that have just failed
// last. Thread-safe. An endpoint is taken at its word again after `rest`, or as soon as it answers.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "storage/clock.h"
#include "storage/mutex.h"

namespace paddock {

class EndpointHealth {
 public:
  EndpointHealth(std::size_t endpoints, std::chrono::seconds rest, const Clock& clock);

  [[nodiscard]] std::vector<std::size_t> order() const;
  [[nodiscard]] bool resting(std::size_t endpoint) const;
  void failed(std::size_t endpoint);
  void answered(std::size_t endpoint);

 private:
  const std::chrono::seconds rest_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::vector<SteadyTime> rests_until_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock

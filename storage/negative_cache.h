// NegativeCache: names of what is not worth asking for just now, remembered briefly and boundedly. Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <unordered_map>

#include "storage/clock.h"
#include "storage/mutex.h"

namespace paddock {

class NegativeCache {
 public:
  NegativeCache(const Clock& clock, std::chrono::seconds ttl, std::size_t limit = 10'000)
      : clock_(clock), ttl_(ttl), limit_(limit) {}

  void add(const std::string& key);
  void remove(const std::string& key);
  [[nodiscard]] bool contains(const std::string& key);

 private:
  const Clock& clock_;
  const std::chrono::seconds ttl_;
  const std::size_t limit_;
  Mutex mutex_;
  std::unordered_map<std::string, SteadyTime> until_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock

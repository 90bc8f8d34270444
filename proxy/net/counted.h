// Counted: one more in a count, for as long as it lives; also where the coroutine that holds it is destroyed while it
// waits. The count must outlive it; thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

namespace paddock {

class Counted {
 public:
  explicit Counted(std::atomic<std::uint64_t>& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::atomic<std::uint64_t>& count_;
};

}  // namespace paddock

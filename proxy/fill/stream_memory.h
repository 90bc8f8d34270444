// StreamMemory: how much memory the windows of all uncached streams may take together. Thread-safe.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>

namespace paddock {

class StreamMemory : public std::enable_shared_from_this<StreamMemory> {
 public:
  struct Limits {
    std::uint64_t total = std::uint64_t{64} << 20U;  // bytes
    std::uint64_t most = std::uint64_t{32} << 20U;   // of one stream
    std::uint64_t least = std::uint64_t{1} << 20U;   // which it gets in any case
  };
  // Given back at its end.
  struct Grant {
    std::uint64_t bytes = 0;
    std::shared_ptr<void> token;
  };

  explicit StreamMemory(Limits limits) : limits_(limits) {}

  // Half of what is left.
  Grant take() {
    auto used = used_.load();
    std::uint64_t bytes = 0;
    do {
      const auto left = limits_.total > used ? limits_.total - used : 0;
      bytes = std::clamp(left / 2, limits_.least, limits_.most);
    } while (!used_.compare_exchange_weak(used, used + bytes));
    return grant(bytes);
  }
  // Just so much; without a token when that is not there.
  Grant take(std::uint64_t bytes) {
    auto used = used_.load();
    do {
      if (used + bytes > limits_.total) return {};
    } while (!used_.compare_exchange_weak(used, used + bytes));
    return grant(bytes);
  }
  [[nodiscard]] std::uint64_t used() const { return used_; }

 private:
  Grant grant(std::uint64_t bytes) {
    return {.bytes = bytes, .token = {this, [self = shared_from_this(), bytes](void*) { self->used_ -= bytes; }}};
  }

  const Limits limits_;
  std::atomic<std::uint64_t> used_{0};
};

}  // namespace paddock

// Seldom: what may happen a thousand times a second is logged once in a while, with how often it happened.
// One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace paddock {

class Seldom {
 public:
  using Time = std::chrono::steady_clock::time_point;
  explicit Seldom(std::chrono::seconds interval = std::chrono::minutes(1)) : interval_(interval) {}

  // It happened: how often since it was last reported, when it is to be reported now.
  std::optional<std::uint64_t> happened(Time now) {
    ++count_;
    if (reported_ && now - *reported_ < interval_) return std::nullopt;
    reported_ = now;
    return std::exchange(count_, 0);
  }

 private:
  const std::chrono::seconds interval_;
  std::optional<Time> reported_;
  std::uint64_t count_ = 0;
};

}  // namespace paddock

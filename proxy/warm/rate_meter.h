// RateMeter: how fast a number of bytes grows, smoothed, and when it will have grown far enough. A plain value: no
// clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "storage/clock.h"

namespace paddock {

class RateMeter {
 public:
  // `bytes` in all by now. Samples closer together than `shortest` are left out.
  void sample(std::uint64_t bytes, SteadyTime now);
  [[nodiscard]] std::uint64_t rate() const { return static_cast<std::uint64_t>(rate_); }  // bytes a second
  // Nothing while next to nothing comes.
  [[nodiscard]] std::optional<std::chrono::seconds> eta(std::uint64_t missing) const;

 private:
  static constexpr std::chrono::milliseconds shortest{100};
  static constexpr double memory = 5;  // seconds, after which a rate counts a third

  std::optional<SteadyTime> at_;
  std::uint64_t bytes_ = 0;
  bool known_ = false;
  double rate_ = 0;
};

}  // namespace paddock

// LeastRate: whether a transfer only drips: bytes come, so that no read of it ever times out, but too few to be worth
// the wait. A plain value: no clock, no I/O.
//
// Only the time in which we wait for the upstream counts; when our disk or a cap on bandwidth holds a transfer back,
// bytes stand ready at each read. One long silence is no drip: it is the read's own time limit that judges it.
#pragma once

#include <chrono>
#include <cstdint>

#include "storage/clock.h"

namespace paddock {

class LeastRate {
 public:
  struct Options {
    std::uint64_t rate = std::uint64_t{4} << 10U;  // bytes a second; 0: any rate will do
    std::chrono::milliseconds window{30'000};      // of waiting, over which it must be reached
  };

  explicit LeastRate(Options options) : options_(options) {}

  // A read ended after `waited`. False: it is too slow.
  [[nodiscard]] bool enough(std::uint64_t bytes, SteadyTime::duration waited);

 private:
  Options options_;
  std::uint64_t bytes_ = 0;  // in this window
  SteadyTime::duration waited_{0};
};

}  // namespace paddock

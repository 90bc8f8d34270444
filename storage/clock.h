// Clock: the seam through which everything asks for the time, so that tests move it by hand.
// Thread-safe. Socket deadlines use the event loop's own timers, not this.
#pragma once

#include <chrono>

namespace paddock {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::sys_seconds;  // what is stored on disk

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual SteadyTime now() const = 0;  // for durations
  [[nodiscard]] virtual WallTime wall() const = 0;   // for records and headers
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] WallTime wall() const override {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  }
};

}  // namespace paddock

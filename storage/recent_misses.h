// RecentMisses: where in which files pages were lately not in memory, so that a disk may still be bringing them.
//
// A table of times by neighbourhoods, of 32 MiB: more than kernels read ahead. Neighbourhoods that share a place in it
// are taken for one another, which errs towards "lately". Of fixed size; thread-safe; never waits.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace paddock {

class RecentMisses {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::uint64_t neighbourhood = std::uint64_t{32} << 20U;  // bytes
  static constexpr std::chrono::seconds lately{5};                          // reads from a disk end within that

  // The page of that byte was not there; it and what follows are being read from now on. `file` is a number of the
  // caller's, far from that of any other file.
  void note(std::uint64_t file, std::uint64_t offset, Time now) {
    const std::uint64_t here = offset / neighbourhood;
    for (const auto number : {here, here + 1}) {
      place(file, number).store(now.time_since_epoch().count(), std::memory_order_relaxed);
    }
  }
  [[nodiscard]] bool near(std::uint64_t file, std::uint64_t offset, Time now) {
    const auto noted = place(file, offset / neighbourhood).load(std::memory_order_relaxed);
    return noted != never && now - Time(Time::duration(noted)) <= lately;
  }

 private:
  static constexpr unsigned bits = 12;
  static constexpr Time::rep never = 0;

  std::atomic<Time::rep>& place(std::uint64_t file, std::uint64_t number) {
    constexpr std::uint64_t spread = 0x9e37'79b9'7f4a'7c15;  // 2^64 over the golden ratio
    return times_.at(((file + number) * spread) >> (64U - bits));
  }

  std::array<std::atomic<Time::rep>, std::size_t{1} << bits> times_{};
};

}  // namespace paddock

// RecentMisses: files of which pages were lately not in memory, so that a disk may still be bringing some.
//
// A table of fixed size, by the files' numbers: those that share a place in it are taken for one another, which errs
// towards "lately". Thread-safe; never waits.
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
  static constexpr std::chrono::seconds lately{5};  // what the kernel reads ahead has come by then

  void note(std::uint64_t file, Time now) {
    place(file).last.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  // Between these two somebody waits for the disk, however long.
  void begin(std::uint64_t file) { place(file).waiting.fetch_add(1, std::memory_order_relaxed); }
  void end(std::uint64_t file) { place(file).waiting.fetch_sub(1, std::memory_order_relaxed); }

  [[nodiscard]] bool has(std::uint64_t file, Time now) const {
    const Place& at = places_.at(index(file));
    const auto last = at.last.load(std::memory_order_relaxed);
    return at.waiting.load(std::memory_order_relaxed) > 0 ||
           (last != never && now - Time(Time::duration(last)) <= lately);
  }

 private:
  static constexpr unsigned bits = 12;
  static constexpr Time::rep never = 0;
  struct Place {
    std::atomic<Time::rep> last{never};
    std::atomic<std::uint32_t> waiting{0};
  };

  static std::size_t index(std::uint64_t file) {
    constexpr std::uint64_t spread = 0x9e37'79b9'7f4a'7c15;  // 2^64 over the golden ratio
    return (file * spread) >> (64U - bits);
  }
  Place& place(std::uint64_t file) { return places_.at(index(file)); }

  std::array<Place, std::size_t{1} << bits> places_{};
};

}  // namespace paddock

// ConnectionScaler: how many connections a fill is worth. A plain value: no clock, no I/O.
//
// One connection first; more, as long as more bring more. When doubling did not pay, it steps back and tries again
// after a while, as the network may have changed: soon at first, as what was measured may have been a burst.
#pragma once

#include <algorithm>
#include <cstddef>

namespace paddock {

class ConnectionScaler {
 public:
  struct Options {
    std::size_t limit = 8;
    double worthwhile = 0.3;     // what added connections must bring, against those there were before
    std::size_t first_hold = 2;  // samples until the next try; doubled each time that it did not pay
    std::size_t hold = 20;       // at most
  };

  explicit ConnectionScaler(Options options) : options_(options) {}

  [[nodiscard]] std::size_t target() const { return target_; }
  // One sample: the fill's total rate, in bytes a second, over an interval in which `target()` connections were at
  // work all the time.
  void sample(double rate);
  // The upstream does not want more (429, refused connections): fewer, and no more tries for a while.
  void back_off();

 private:
  const Options options_;
  std::size_t next_hold_ = std::min(options_.first_hold, options_.hold);
  std::size_t target_ = 1;
  std::size_t before_ = 0;   // the target before the try that is being judged; 0: none is
  double rate_before_ = 0;   // what it brought
  std::size_t holding_ = 0;  // samples still to wait
};

}  // namespace paddock

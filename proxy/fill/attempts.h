// Attempts: how often a fill asks again after transfers that brought nothing, and when. A plain value: no clock, no
// I/O.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "proxy/upstream/retry.h"
#include "storage/error.h"

namespace paddock {

class Attempts {
 public:
  struct Options {
    RetryPolicy retry;              // those in a row that bring nothing, and the waits between them
    std::size_t limited = 0;        // instead of retry.attempts, while the upstream says that it is asked too often
    std::chrono::seconds patience;  // the longest Retry-After that is obeyed
  };

  explicit Attempts(Options options) : options_(options) {}

  // One brought something: the row begins anew.
  void succeeded();
  // How long to wait before the next one; nothing means give up. `ended`: the upstream had no more to send, and said so
  // in good order. `random` is in [0, 1).
  std::optional<std::chrono::milliseconds> failed(const Error& why, bool ended, double random);
  // All of the row ended like that: there is no more to be had, though there should be.
  [[nodiscard]] bool all_ended() const { return ended_ > 0 && ended_ == fruitless_ + limited_; }

 private:
  Options options_;
  std::size_t fruitless_ = 0, limited_ = 0, ended_ = 0;  // in a row
};

}  // namespace paddock

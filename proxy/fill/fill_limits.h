// What fills from one upstream may take of it, shared by all of them. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "proxy/fill/token_bucket.h"

namespace paddock {

// Connections beyond the first of each fill. What is taken is given back by the token's end.
class ConnectionBudget : public std::enable_shared_from_this<ConnectionBudget> {
 public:
  explicit ConnectionBudget(std::size_t limit) : limit_(limit) {}

  // Null when there is none left.
  std::shared_ptr<void> take() {
    auto used = used_.load();
    do {
      if (used >= limit_) return nullptr;
    } while (!used_.compare_exchange_weak(used, used + 1));
    return {this, [self = shared_from_this()](void*) { --self->used_; }};
  }
  void set_limit(std::size_t limit) { limit_ = limit; }
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  std::atomic<std::size_t> limit_, used_{0};
};

struct FillLimits {
  std::size_t connections = 8;                 // of one fill
  std::shared_ptr<ConnectionBudget> budget{};  // of all fills; absent: no limit
  std::shared_ptr<TokenBucket> bandwidth{};    // of all fills; absent: no limit
};

}  // namespace paddock

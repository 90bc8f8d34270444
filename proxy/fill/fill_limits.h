// What fills that asked one upstream may take, shared by all of them; its mirrors bring bytes within the same limits.
// Bandwidth is whose bytes they are: see BlobTransfer. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "proxy/fill/fill_priority.h"

namespace paddock {

// Connections beyond the first of each fill. What is taken is given back by the token's end.
class ConnectionBudget : public std::enable_shared_from_this<ConnectionBudget> {
 public:
  explicit ConnectionBudget(std::size_t limit) : limit_(limit) {}

  // Null when there is none left. What nobody waits for leaves half of them to clients.
  std::shared_ptr<void> take(FillPriority priority = FillPriority::client) {
    auto used = used_.load();
    do {
      const std::size_t limit = limit_;
      if (used >= (priority == FillPriority::client ? limit : limit / 2)) return nullptr;
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
  std::shared_ptr<ConnectionBudget> budget{};  // of all fills, beyond the first connection of each; absent: no limit
};

}  // namespace paddock

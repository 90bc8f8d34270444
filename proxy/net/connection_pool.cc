#include "proxy/net/connection_pool.h"

#include <utility>
#include <vector>

namespace paddock {
namespace {

constexpr std::size_t max_idle = 1024;

// Lives in a loop and tells the pools when that loop is about to go.
class LoopGuard final : public asio::execution_context::service {
 public:
  using key_type = LoopGuard;
  // Asio finds services by this member, whatever the house style says.
  inline static asio::execution_context::id id;  // NOLINT(readability-identifier-naming)

  explicit LoopGuard(asio::execution_context& loop) : service(loop) {}

  void add(const std::shared_ptr<ConnectionPool>& pool) {
    const MutexLock lock(mutex_);
    std::erase_if(pools_, [](const auto& known) { return known.expired(); });
    for (const auto& known : pools_) {
      if (known.lock() == pool) return;
    }
    pools_.push_back(pool);
  }

 private:
  void shutdown() override {
    std::vector<std::weak_ptr<ConnectionPool>> pools;
    {
      const MutexLock lock(mutex_);
      pools.swap(pools_);
    }
    for (const auto& known : pools) {
      if (const auto pool = known.lock()) pool->close_loop(&context());
    }
  }

  Mutex mutex_;
  std::vector<std::weak_ptr<ConnectionPool>> pools_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Connection> ConnectionPool::take(const PoolKey& key) {
  Shelves stale;  // closed after the lock
  for (;;) {
    std::unique_ptr<Connection> connection;
    {
      const MutexLock lock(mutex_);
      stale.merge(take_stale(std::chrono::steady_clock::now()));
      const auto shelf = shelves_.find(key);
      if (shelf == shelves_.end()) return nullptr;
      connection = std::move(shelf->second.back().connection);
      shelf->second.pop_back();
      --count_;
      if (shelf->second.empty()) shelves_.erase(shelf);
    }
    if (connection->reusable()) return connection;
  }
}

void ConnectionPool::put(PoolKey key, std::unique_ptr<Connection> connection) {
  if (per_key_ == 0) return;
  asio::use_service<LoopGuard>(*key.loop).add(shared_from_this());
  const auto now = std::chrono::steady_clock::now();
  std::unique_ptr<Connection> surplus;
  Shelves stale;  // both closed after the lock
  const MutexLock lock(mutex_);
  stale = take_stale(now);
  if (count_ >= max_idle) {
    surplus = std::move(connection);
    return;
  }
  auto& shelf = shelves_[std::move(key)];
  if (shelf.size() >= per_key_) {
    surplus = std::move(shelf.front().connection);
    shelf.pop_front();
    --count_;
  }
  shelf.push_back({std::move(connection), now});
  ++count_;
}

void ConnectionPool::close_all() {
  Shelves gone;  // closed after the lock
  const MutexLock lock(mutex_);
  gone.swap(shelves_);
  count_ = 0;
}

void ConnectionPool::close_loop(const asio::execution_context* loop) {
  Shelves gone;  // closed after the lock
  const MutexLock lock(mutex_);
  for (auto shelf = shelves_.begin(); shelf != shelves_.end();) {
    const auto next = std::next(shelf);
    if (shelf->first.loop == loop) {
      count_ -= shelf->second.size();
      gone.insert(shelves_.extract(shelf));
    }
    shelf = next;
  }
}

std::size_t ConnectionPool::idle() {
  const MutexLock lock(mutex_);
  return count_;
}

// All shelves are looked through once in a while only, so that a request does not pay for every idle connection.
ConnectionPool::Shelves ConnectionPool::take_stale(std::chrono::steady_clock::time_point now) {
  Shelves stale;
  if (now - last_sweep_ < idle_timeout_ / 4) return stale;
  last_sweep_ = now;
  for (auto shelf = shelves_.begin(); shelf != shelves_.end();) {
    auto& waiting = shelf->second;
    while (!waiting.empty() && now - waiting.front().since >= idle_timeout_) {
      stale[shelf->first].push_back(std::move(waiting.front()));
      waiting.pop_front();
      --count_;
    }
    shelf = waiting.empty() ? shelves_.erase(shelf) : std::next(shelf);
  }
  return stale;
}

}  // namespace paddock

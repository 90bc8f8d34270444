// ConnectionPool: kept-alive connections of a client that wait for their next request.
//
// Thread-safe, but a connection is only ever given back to the loop it came from, and goes with that loop at the
// latest. Bounded for each key and in all. What has been idle too long is closed when the pool is next used: a timer
// would keep a loop from running out of work.
#pragma once

#include <boost/asio/execution_context.hpp>
#include <chrono>
#include <compare>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "proxy/net/client.h"
#include "proxy/net/connection.h"
#include "storage/mutex.h"

namespace paddock {

// What has to agree for a connection to be used again.
struct PoolKey {
  asio::execution_context* loop = nullptr;
  std::string origin;
  std::string proxy;  // with its credentials; empty: direct
  std::shared_ptr<const TlsClientContext> tls;
  std::shared_ptr<const HostAddresses> addresses{};
  bool public_addresses_only = false;
  auto operator<=>(const PoolKey&) const = default;
};

class ConnectionPool : public std::enable_shared_from_this<ConnectionPool> {
 public:
  ConnectionPool(std::size_t per_key, std::chrono::steady_clock::duration idle_timeout)
      : per_key_(per_key), idle_timeout_(idle_timeout) {}

  // The one used last, so that the others can age; null when there is none that is still open.
  std::unique_ptr<Connection> take(const PoolKey& key);
  // On the connection's loop; the connection at rest.
  void put(PoolKey key, std::unique_ptr<Connection> connection);
  void close_all();
  void close_loop(const asio::execution_context* loop);  // before that loop is destroyed; it asks for it itself
  [[nodiscard]] std::size_t idle();

 private:
  struct Idle {
    std::unique_ptr<Connection> connection;
    std::chrono::steady_clock::time_point since;
  };
  using Shelves = std::map<PoolKey, std::deque<Idle>>;

  Shelves take_stale(std::chrono::steady_clock::time_point now) PADDOCK_REQUIRES(mutex_);

  const std::size_t per_key_;
  const std::chrono::steady_clock::duration idle_timeout_;
  Mutex mutex_;
  Shelves shelves_ PADDOCK_GUARDED_BY(mutex_);
  std::size_t count_ PADDOCK_GUARDED_BY(mutex_) = 0;
  std::chrono::steady_clock::time_point last_sweep_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock

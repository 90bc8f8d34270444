// ClientAuth: whether a client may pull, by name and password (RFC 7617) against an htpasswd file.
//
// Passwords are checked on a pool of their own, as each takes tenths of a second; who passed is remembered by a hash
// that means nothing outside of this process, so that the next request costs a look-up. A line of those who wait for
// their check is limited: a stranger who guesses keeps nobody out who is known already.
// Thread-safe; check() on any event loop. Must outlive them; `passwords` is joined before.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/ingress/basic_credentials.h"
#include "proxy/ingress/htpasswd.h"
#include "storage/blocking_pool.h"
#include "storage/digest.h"
#include "storage/lru_cache.h"
#include "storage/mutex.h"
#include "storage/task.h"

namespace paddock {

class ClientAuth {
 public:
  enum class Verdict : std::uint8_t { allowed, missing, wrong, busy };
  struct Options {
    std::size_t remembered = 1000;
    std::size_t waiting = 64;
  };

  ClientAuth(BlockingPool& passwords, Options options);

  // From now on, with nobody remembered. Nothing: nobody is asked. `anonymous`: who gives no password may pull too.
  void require(std::optional<Htpasswd> file, bool anonymous);
  [[nodiscard]] bool asks() const { return asks_.load(std::memory_order_relaxed); }
  // `authorization`: the request's header.
  Task<Verdict> check(std::optional<std::string> authorization);

 private:
  struct Rules {
    Rules(Htpasswd names, bool everyone, std::size_t remembered)
        : file(std::move(names)), anonymous(everyone), known(remembered) {}

    bool knows(const Digest& key);
    void remember(const Digest& key);

    const Htpasswd file;
    const bool anonymous;
    Mutex mutex;
    LruCache<Digest, bool> known PADDOCK_GUARDED_BY(mutex);
  };

  [[nodiscard]] std::shared_ptr<Rules> rules() const;
  // Blocks.
  static bool verify(Rules& rules, const Digest& key, const BasicCredentials& credentials);

  BlockingPool& passwords_;
  const Options options_;
  const std::string secret_;
  std::atomic<bool> asks_{false};
  std::atomic<std::size_t> waiting_{0};
  mutable Mutex mutex_;
  std::shared_ptr<Rules> rules_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock

// ClientAuth: whether a client may pull, by name and password (RFC 7617) against an htpasswd file.
//
// Passwords are checked on a pool of their own, as each takes tenths of a second; what came of it is remembered by a
// hash that means nothing outside of this process, so that the next request costs a look-up. A crowd with one password
// is one check. The line of those who wait is limited, for each peer and for all, and so is the wait: a stranger who
// guesses keeps nobody out who is known already.
// Thread-safe; check() on any event loop. Must outlive the loops' threads; stop() before `passwords` is joined.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "proxy/ingress/basic_credentials.h"
#include "proxy/ingress/htpasswd.h"
#include "storage/blocking_pool.h"
#include "storage/digest.h"
#include "storage/lru_cache.h"
#include "storage/mutex.h"
#include "storage/single_flight.h"
#include "storage/task.h"

namespace paddock {

class ClientAuth {
 public:
  enum class Verdict : std::uint8_t { allowed, missing, wrong, busy };
  struct Options {
    std::size_t remembered = 1000;  // of each kind, right and wrong
    std::size_t waiting = 64;
    std::size_t waiting_of_peer = 8;
    std::chrono::milliseconds patience{10'000};
  };

  ClientAuth(BlockingPool& passwords, Options options) : passwords_(passwords), options_(options) {}

  // From now on. Who is known stays so while the file says the same. Nothing: nobody is asked. `anonymous`: who gives
  // no password may pull too.
  void require(std::optional<Htpasswd> file, bool anonymous);
  [[nodiscard]] bool asks() const { return asks_.load(std::memory_order_relaxed); }
  // `authorization`: the request's header; `peer`: its address, with a port or without.
  Task<Verdict> check(std::optional<std::string> authorization, std::string peer);
  // From now on strangers are told that it is busy, those who wait too.
  void stop() { stopping_ = true; }

 private:
  struct Names {
    Names(Htpasswd from, std::size_t remembered);

    std::optional<Verdict> known(const Digest& key);
    void remember(const Digest& key, Verdict verdict);

    const Htpasswd file;
    const std::string secret;
    Mutex mutex;
    LruCache<Digest, Verdict> right PADDOCK_GUARDED_BY(mutex);
    LruCache<Digest, Verdict> wrong PADDOCK_GUARDED_BY(mutex);
  };

  Task<Result<Verdict>> verify(std::shared_ptr<Names> names, Digest key, BasicCredentials credentials);
  bool enter(const std::string& address);
  void leave(const std::string& address);

  BlockingPool& passwords_;
  const Options options_;
  std::atomic<bool> asks_{false}, stopping_{false};
  SingleFlight<Digest, Verdict> checks_;
  mutable Mutex mutex_;
  std::shared_ptr<Names> names_ PADDOCK_GUARDED_BY(mutex_);
  bool anonymous_ PADDOCK_GUARDED_BY(mutex_) = true;
  std::map<std::string, std::size_t> waiting_ PADDOCK_GUARDED_BY(mutex_);  // by address
  std::size_t all_waiting_ PADDOCK_GUARDED_BY(mutex_) = 0;
};

}  // namespace paddock

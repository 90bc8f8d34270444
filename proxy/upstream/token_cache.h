// TokenCache: tokens of registries, by where and for what they were made.
//
// One request at a time for a key, over all event loops; who comes meanwhile waits for its outcome, failure included. A
// refusal is remembered for a moment only, a failure to reach the token endpoint not at all. A token is not given out
// shortly before it expires. Bounded. Thread-safe. Flights hold on to whatever their `Fetch` holds, so that one may
// outlive the request that began it: let it own the TokenCache too.
#pragma once

#include <chrono>
#include <compare>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "proxy/upstream/auth_challenge.h"
#include "storage/clock.h"
#include "storage/mutex.h"
#include "storage/single_flight.h"
#include "storage/task.h"

namespace paddock {

struct TokenKey {
  std::string realm, service, scope, username;
  friend auto operator<=>(const TokenKey&, const TokenKey&) = default;
};

struct HeldToken {
  std::string value;
  SteadyTime made;
};

class TokenCache {
 public:
  using Fetch = std::function<Task<Result<Token>>()>;
  struct Options {
    std::size_t capacity = 4096;
    std::chrono::seconds remember_failure{1};
  };

  explicit TokenCache(const Clock& clock);
  TokenCache(const Clock& clock, Options options);

  // A token for `key`, from `fetch` where there is none. `refused` is one that the registry has just turned down: it is
  // forgotten, and another is made unless somebody has done so already.
  Task<Result<HeldToken>> get(TokenKey key, std::string refused, Fetch fetch, SteadyTime deadline);
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    Result<HeldToken> token;
    SteadyTime good_until;
  };
  std::optional<Result<HeldToken>> lookup(const TokenKey& key, const std::string& refused);
  Task<Result<HeldToken>> fill(TokenKey key, Fetch fetch);
  void store(const TokenKey& key, const Result<Token>& token, SteadyTime now);

  const Clock& clock_;
  const Options options_;
  SingleFlight<TokenKey, HeldToken> flights_;
  mutable Mutex mutex_;
  std::map<TokenKey, Entry> entries_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock

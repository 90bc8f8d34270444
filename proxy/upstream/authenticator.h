// Authenticator: which Authorization goes with a request to an endpoint, and what to do when it is refused.
//
// Remembers what each repository of an endpoint demanded, so that only the first request meets a 401. Tokens are made
// at the realm the registry names, with our credentials only where decide_realm() lets them go.
// Thread-safe; held by shared_ptr, as a token request may outlive who began it.
// Errors: unauthorized and denied (the realm will not), rate_limited, protocol, unavailable, timeout.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "proxy/net/client.h"
#include "proxy/upstream/auth_challenge.h"
#include "proxy/upstream/realm_trust.h"
#include "proxy/upstream/token_cache.h"
#include "proxy/upstream/upstream_options.h"
#include "storage/clock.h"
#include "storage/mutex.h"

namespace paddock {

class Authenticator : public std::enable_shared_from_this<Authenticator> {
 public:
  // `client` and `clock` outlive the event loops' work.
  Authenticator(std::shared_ptr<const UpstreamOptions> options, HttpClient& client, const Clock& clock);

  struct Credential {
    std::string header;      // value of Authorization; empty: none
    std::string token;       // when it is one
    bool just_made = false;  // the registry has no excuse for refusing it as expired
    SteadyTime made{};       // the token
  };

  // What the repository is known to want; nothing when that cannot be had.
  Task<Result<Credential>> prepare(Url endpoint, std::string repository, SteadyTime deadline);
  // After a 401 that came in spite of `used`, or a 403 where it may have expired. Without a challenge the one before
  // is taken to hold.
  Task<Result<Credential>> answer(Url endpoint, std::string repository, std::optional<AuthChallenge> challenge,
                                  Credential used, SteadyTime deadline);

 private:
  using Place = std::pair<std::string, std::string>;  // endpoint's origin, repository
  Task<Result<Credential>> satisfy(Url endpoint, std::string repository, AuthChallenge challenge, std::string refused,
                                   SteadyTime deadline);
  Task<Result<Token>> request_token(Url realm, TokenKey key, RealmDecision decision);
  [[nodiscard]] std::string basic() const;
  [[nodiscard]] bool have_credentials() const { return !options_->username.empty() || !options_->password.empty(); }
  std::optional<AuthChallenge> recall(const Place& place) const;
  void remember(const Place& place, const AuthChallenge& challenge);
  void forget(const Place& place);
  void warn_once(const std::string& reason);

  const std::shared_ptr<const UpstreamOptions> options_;
  HttpClient& client_;
  const Clock& clock_;
  TokenCache tokens_;
  mutable Mutex mutex_;
  std::map<Place, AuthChallenge> known_ PADDOCK_GUARDED_BY(mutex_);
  std::set<std::string> warned_ PADDOCK_GUARDED_BY(mutex_);
};

// Some registries answer 403 where a token has expired: worth a fresh one, unless it is too young for that. So what is
// really denied does not cost a token each time.
bool may_have_expired(const Authenticator::Credential& used, SteadyTime now);
// The target of a token request: `realm` with its own query, service and scope.
std::string token_target(const Url& realm, const TokenKey& key);
std::string base64(std::string_view bytes);

}  // namespace paddock

// PrivateAccess: lets a client have what the registry refuses to the cache itself, but gives to the client's own
// credentials.
//
// Each time the registry is asked whether it does; its yes holds for a minute, for those credentials and that
// repository, its no for some seconds. Credentials are kept in memory alone, for ten minutes from their first use, if
// forget_idle() is called now and then. While the registry is away nobody gets in, as nobody can be asked. Thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "proxy/ingress/basic_credentials.h"
#include "proxy/oci/route.h"
#include "proxy/registry/context.h"
#include "storage/clock.h"
#include "storage/digest.h"
#include "storage/lru_cache.h"
#include "storage/mutex.h"

namespace paddock {

class PrivateAccess {
 public:
  explicit PrivateAccess(const Clock& clock);

  // The request as it is to be served: under its private key, from an upstream that is asked in the client's name.
  // Errors as of the registry; unavailable without a way to ask it.
  Task<Result<RepositoryRequest>> enter(RepositoryRequest request, Route::Kind kind, BasicCredentials credentials);

  // Whether the registry has refused the repository to the cache itself within the last minute.
  [[nodiscard]] bool is_closed(const RepositoryKey& repository);
  void note_closed(const RepositoryKey& repository);
  void forget_idle();

 private:
  struct Client {
    std::shared_ptr<Upstream> made_from, upstream;
    SteadyTime until;
  };
  struct Refusal {
    Error error;
    SteadyTime until;
  };
  [[nodiscard]] Digest key_of(const RepositoryRequest& request, const BasicCredentials& credentials) const;
  std::shared_ptr<Upstream> upstream_for(const RepositoryRequest& request, const Digest& key,
                                         const BasicCredentials& credentials);
  // A client with a wrong password asks for every layer: the registry is not to take us for somebody who guesses.
  std::optional<Error> refusal_of(const Digest& question);
  static Task<Result<void>> ask(std::shared_ptr<Upstream> upstream, std::string repository, Route::Kind kind,
                                std::string reference);

  const Clock& clock_;
  const std::string secret_;
  Mutex mutex_;
  std::map<Digest, Client> clients_ PADDOCK_GUARDED_BY(mutex_);
  LruCache<Digest, Refusal> refused_ PADDOCK_GUARDED_BY(mutex_);
  LruCache<Digest, SteadyTime> admitted_ PADDOCK_GUARDED_BY(mutex_);  // until when
  LruCache<Digest, SteadyTime> closed_ PADDOCK_GUARDED_BY(mutex_);    // until when
};

}  // namespace paddock

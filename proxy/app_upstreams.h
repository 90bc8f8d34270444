// From the configured upstreams to the set that requests are served from, and what is known of their health.
// Thread-safe, but for make_upstreams (start and reload, one at a time).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "config/options.h"
#include "proxy/ingress/upstream_set.h"
#include "proxy/net/client.h"
#include "proxy/upstream/upstream_options.h"
#include "storage/clock.h"
#include "storage/mutex.h"

namespace paddock {

// How the last request to each upstream went.
class UpstreamHealth {
 public:
  struct State {
    bool reachable = false;
    std::string last_error;
  };
  void note(const std::string& upstream, int status, const std::string& endpoint);
  [[nodiscard]] std::optional<State> get(const std::string& upstream) const;

 private:
  mutable Mutex mutex_;
  std::map<std::string, State> states_ PADDOCK_GUARDED_BY(mutex_);
};

// What fills may take of each upstream. Once apply() says so, a reload changes bandwidth and max_connections for fills
// that are running too; `connections` is for those that begin later.
class UpstreamLimits {
 public:
  struct Limits {
    FillLimits fills;
    std::shared_ptr<TokenBucket> bandwidth{};
  };
  Limits get(const config::UpstreamOptions& configured);
  void apply(const config::Config& config);

 private:
  Mutex mutex_;
  std::map<std::string, Limits> limits_ PADDOCK_GUARDED_BY(mutex_);
};

struct UpstreamParts {
  HttpClient& client;
  const Clock& clock;
  const ProxyEnvironment& proxy;
  UpstreamLimits& limits;
  UpstreamObserver observer;
};

// invalid_argument names the upstream and the file that cannot be read. Blocking: reads certificate and password files.
Result<std::shared_ptr<const UpstreamSet>> make_upstreams(const config::Config& config, const UpstreamParts& parts);

}  // namespace paddock

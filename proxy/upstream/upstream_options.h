// What HttpUpstream is told about one upstream, and what it tells those who watch.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/net/client.h"
#include "proxy/net/url.h"
#include "proxy/upstream/endpoint_health.h"
#include "proxy/upstream/proxy_environment.h"
#include "proxy/upstream/redirect.h"
#include "proxy/upstream/retry.h"
#include "proxy/upstream/token_bucket.h"

namespace paddock {

struct UpstreamOptions {
  std::string name{};
  std::vector<Url> endpoints{};  // at least one; equivalent, tried in this order. A path is put before /v2/
  std::string username{};        // with `password`, never logged
  std::string password{};
  std::shared_ptr<const TlsClientContext> tls{};
  ProxyEnvironment proxy{};
  std::shared_ptr<const HostAddresses> addresses{};
  std::vector<std::string> trusted_realms{};  // https hosts besides the endpoints' own that may see the password
  RedirectPolicy redirects{};
  RetryPolicy retry{};
  Deadlines deadlines{.connect = std::chrono::seconds(5)};
  std::chrono::milliseconds metadata_budget{12'000};  // everything but blobs: the whole answer, all tries together
  std::chrono::milliseconds blob_budget{20'000};      // until a blob's first byte; clients give up at 30 s
  std::shared_ptr<TokenBucket> bandwidth{};           // given out with every transfer; absent: no limit
  EndpointHealth::Options health{};                   // which endpoint is asked next
  std::size_t manifest_limit = std::size_t{4} << 20U;
  std::size_t list_limit = std::size_t{8} << 20U;
  std::function<double()> random{};  // in [0, 1), thread-safe; for jitter, one of its own if absent
};

// Called on whatever thread the request is on. `endpoint` is the configured one, wherever it redirected to.
struct UpstreamObserver {
  // Status 0: no answer came.
  std::function<void(const std::string& upstream, int status, const std::string& endpoint)> on_request{};
  std::function<void(const std::string& upstream, const std::string& endpoint, std::uint64_t bytes)> on_bytes{};
};

}  // namespace paddock

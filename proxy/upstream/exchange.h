// Exchange: one request to one endpoint of an upstream, with what it takes: tokens, redirects, retries.
//
// Where a question may be asked again and again, as for the pieces of a blob, its redirect is remembered (LinkCache)
// and asked directly, without credentials. A link that is not answered by bytes is forgotten, and the registry asked
// in the same breath.
//
// Thread-safe; the caller keeps it alive while it waits. What comes out is the answer to the question, of whatever
// status the registry gave it, or an error when there is none: unavailable, timeout, rate_limited, unauthorized,
// denied, protocol. 401, redirects and the passing failures of 5xx do not come out as answers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "proxy/net/client.h"
#include "proxy/upstream/authenticator.h"
#include "proxy/upstream/link_cache.h"
#include "proxy/upstream/upstream_options.h"
#include "storage/clock.h"

namespace paddock {

struct UpstreamQuestion {
  Method method = Method::get;
  std::string repository{};
  std::string target{};  // "/v2/..."
  Headers headers{};
  bool keep_link = false;  // a GET for bytes that never change
};

struct UpstreamAnswer {
  std::unique_ptr<ClientResponse> response;
  std::string endpoint;                           // as configured: host and port
  bool redirected = false;                        // it comes from somewhere else, object storage most likely
  std::shared_ptr<const LinkCache::Link> link{};  // that led there, while it is kept

  [[nodiscard]] int status() const { return response->status(); }
};

// Where and how long.
struct Effort {
  std::size_t endpoint = 0;  // index
  std::size_t attempts = 1;
  SteadyTime deadline{};  // until the answer's header is there
  bool whole = true;      // the body is to come before the deadline too
};

class Exchange {
 public:
  Exchange(std::shared_ptr<const UpstreamOptions> options, HttpClient& client, const Clock& clock,
           UpstreamObserver observer);

  Task<Result<UpstreamAnswer>> ask(UpstreamQuestion question, Effort effort);
  // The rest of a small body, before the deadline.
  Task<Result<std::string>> body(UpstreamAnswer& answer, std::size_t limit, SteadyTime deadline);
  // What a refusal means, with what its body says about it.
  Task<Error> refusal(UpstreamAnswer& answer, SteadyTime deadline);
  void count_bytes(const std::string& endpoint, std::uint64_t bytes) const;
  // The bytes behind it were not as they should be.
  void forget_link(const UpstreamAnswer& answer);
  void forget_links(std::size_t endpoint) { links_.forget_endpoint(endpoint); }

 private:
  // What a kept link gives; nothing when there is none, or no good one.
  Task<std::optional<UpstreamAnswer>> ask_link(UpstreamQuestion question, Effort effort);
  Task<Result<UpstreamAnswer>> ask_once(UpstreamQuestion question, Effort effort);
  Task<Result<std::unique_ptr<ClientResponse>>> send(const UpstreamQuestion& question, const RedirectStep& step,
                                                     const std::string& authorization, const Effort& effort);
  [[nodiscard]] ClientRequest make_request(const UpstreamQuestion& question, const RedirectStep& step,
                                           const std::string& authorization, const Effort& effort) const;
  [[nodiscard]] double random() const;

  const std::shared_ptr<const UpstreamOptions> options_;
  HttpClient& client_;
  const Clock& clock_;
  const UpstreamObserver observer_;
  const std::shared_ptr<Authenticator> authenticator_;
  LinkCache links_;
};

}  // namespace paddock

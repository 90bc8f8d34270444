// Whether and how a redirect of an upstream is followed; decided without I/O.
//
// Registries send blobs to object storage on other hosts by signed URLs. Credentials stay behind when the origin
// changes, an encrypted exchange is not continued in the clear, and a public upstream cannot send us to this machine or
// a private network. Pure; thread-safe. RFC 9110, 15.4.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/url.h"
#include "storage/error.h"

namespace paddock {

struct RedirectPolicy {
  std::size_t max_hops = 5;
  std::vector<std::string> allow{};  // hosts (".suffix" too) that may be private or plain http all the same
  bool only_allowed = false;         // nowhere but to these, and to the endpoint's own host
};

// One request of a chain.
struct RedirectStep {
  Url url{};
  bool authorized = true;              // our credentials may go along
  bool public_addresses_only = false;  // for ClientRequest
  std::size_t hops = 0;                // followed so far
};

bool is_redirect(int status);  // 301, 302, 303, 307, 308

// The step after `from`, which was answered with `location`. protocol for nonsense and loops, denied by policy; both
// blame the upstream.
Result<RedirectStep> decide_redirect(const Url& endpoint, const RedirectStep& from,
                                     std::optional<std::string_view> location, const RedirectPolicy& policy);

}  // namespace paddock

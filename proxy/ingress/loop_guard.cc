#include "proxy/ingress/loop_guard.h"

#include <algorithm>
#include <random>
#include <spdlog/fmt/fmt.h>

#include "proxy/net/url.h"
#include "proxy/oci/registry_error.h"

namespace paddock {

LoopGuard::LoopGuard()
    : via_(fmt::format("1.1 paddock-{:08x}{:08x}", std::random_device{}(), std::random_device{}())) {}

std::optional<Response> LoopGuard::refusal(const Request& request) const {
  const auto ways = request.headers.all("Via");
  if (std::ranges::none_of(ways, [this](std::string_view way) { return way.contains(via_); })) return std::nullopt;
  const auto url = Url::parse(std::string("http://").append(request.headers.get("Host").value_or("")));
  const std::string host = url ? url->host : "HOST";
  auto response = error_response(508, "UNAVAILABLE",
                                 "this cache asked itself: " + host +
                                     " leads back to it, as a DNS override may do; say in its "
                                     "configuration where the registry is: resolve: {" +
                                     host + ": ADDRESS}");
  response.route = "unknown";
  response.cache = "bypass";
  return response;
}

}  // namespace paddock

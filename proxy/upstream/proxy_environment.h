// HTTPS_PROXY, HTTP_PROXY and NO_PROXY towards upstreams, as curl and Go understand them.
//
// Read once at start through a look-up that is passed in. Lower case wins over upper case; HTTP_PROXY counts in lower
// case only, as a CGI header "Proxy:" sets the other. Immutable; thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/url.h"
#include "storage/error.h"

namespace paddock {

class ProxyEnvironment {
 public:
  using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

  ProxyEnvironment() = default;  // no proxy at all
  // invalid_argument names the variable that is no http URL.
  static Result<ProxyEnvironment> read(const Lookup& lookup);
  static std::optional<std::string> process_environment(const std::string& name);  // a Lookup

  // The proxy to ask for `url`; nothing: directly. Loopback is always reached directly.
  [[nodiscard]] std::optional<Url> proxy_for(const Url& url) const;

 private:
  [[nodiscard]] bool excepted(const Url& url) const;

  std::optional<Url> https_;
  std::optional<Url> http_;
  std::vector<std::string> exceptions_;
};

// One entry of NO_PROXY: "*", a name (with all below it), ".suffix", an address, a CIDR block; each with ":port" or
// not.
bool matches_no_proxy(std::string_view entry, std::string_view host, std::uint16_t port);

}  // namespace paddock

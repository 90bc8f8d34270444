// Url: an absolute http(s) URL in parts, as configuration, redirects and auth challenges give them (RFC 3986).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/error.h"

namespace paddock {

struct Url {
  bool tls = false;
  std::string host;            // lower case, without brackets
  std::uint16_t port = 0;      // always set
  std::string target = "/";    // path and query as sent on the wire, percent-encoded, starts with '/'
  std::string user, password;  // percent-decoded userinfo; only a forward proxy's is ever used

  // invalid_argument for anything but http and https, without a host, or with a bad port.
  static Result<Url> parse(std::string_view text);
  // "host:port", as a CONNECT says where it goes (RFC 9112, 3.2.3). invalid_argument as parse.
  static Result<Url> parse_authority(std::string_view text);
  // RFC 3986, 5.2: `reference` may be absolute, start with '//' or '/', or be relative. invalid_argument as parse.
  [[nodiscard]] Result<Url> resolve(std::string_view reference) const;
  [[nodiscard]] Url with_target(std::string target) const;

  [[nodiscard]] std::string authority() const;  // host[:port], the port left out when it is the scheme's
  [[nodiscard]] std::string origin() const;     // scheme://authority
  [[nodiscard]] std::string to_string() const;  // without userinfo
  [[nodiscard]] bool same_origin(const Url& other) const;
};

// A path segment or query value made safe for a target.
std::string percent_encode(std::string_view text);
// invalid_argument on a broken escape or an encoded NUL.
Result<std::string> percent_decode(std::string_view text);

}  // namespace paddock

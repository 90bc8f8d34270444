// parse_basic: the name and password of an `Authorization: Basic ...` header. RFC 7617; RFC 4648, section 4, padded.
// Pure; thread-safe. Nothing for another scheme, and for what is malformed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace paddock {

struct BasicCredentials {
  std::string user;
  std::string password;
};

std::optional<BasicCredentials> parse_basic(std::string_view authorization);

}  // namespace paddock

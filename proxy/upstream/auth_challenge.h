// What a registry demands with 401, and what a token endpoint answers; decided without I/O.
//
// Pure; thread-safe. Everything in here was sent by a stranger: what does not follow the grammar is left out, what is
// too long too. RFC 9110, 11.6.1 (WWW-Authenticate), RFC 6750 (Bearer), and Docker's token authentication.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/error.h"

namespace paddock {

struct AuthChallenge {
  enum class Scheme : std::uint8_t { bearer, basic };
  Scheme scheme = Scheme::bearer;
  std::string realm;    // where tokens are made, for bearer
  std::string service;  // bearer
  std::string scope;    // bearer
  std::string error;    // "invalid_token", "insufficient_scope"

  friend bool operator==(const AuthChallenge&, const AuthChallenge&) = default;
};

// Bearer and Basic challenges of all WWW-Authenticate fields, in their order; other schemes are skipped.
std::vector<AuthChallenge> parse_challenges(std::span<const std::string_view> fields);
// The one to answer: Bearer that says where, else Basic.
std::optional<AuthChallenge> choose_challenge(const std::vector<AuthChallenge>& challenges);

// The scope to ask a token for: the challenge's, if it is no more than pulling this repository (registries may put
// their own prefix before its name), else the plain one.
std::string pull_scope(std::string_view asked, std::string_view repository);

struct Token {
  std::string value;
  std::chrono::seconds lifetime{60};
};

// protocol when it is not JSON, or holds no token that can be put in a header.
Result<Token> parse_token(std::string_view body);

}  // namespace paddock

// Errors as values. Every fallible call below main() returns Result<T>; exceptions are for start-up and bugs.
//
// A layer that passes an error on adds what it was doing (`with`), so that the message reads from the outermost
// operation inwards. Only proxy/oci/registry_error turns codes into HTTP and OCI terms.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace paddock {

enum class ErrorCode : std::uint8_t {
  invalid_argument,  // malformed input: reference, digest, range, header, configuration
  not_found,         // it does not exist, said by somebody who knows
  denied,            // not allowed, by configuration or by the upstream
  unauthorized,      // the upstream wants (other) credentials
  digest_mismatch,   // bytes do not match the digest they were asked by
  too_large,         // above a limit of ours
  no_space,          // the disk, or our share of it, is full
  io,                // the disk failed
  corrupt,           // stored data is not what was written
  unavailable,       // a peer cannot be reached, or broke the connection
  timeout,           // a deadline passed
  rate_limited,      // the upstream answered 429
  protocol,          // a peer broke its protocol
  unsupported,       // valid, but not offered here
  conflict,          // somebody else holds it (lock, address in use)
  cancelled,         // given up because of shutdown
};

enum class Blame : std::uint8_t { client, upstream, us };

std::string_view to_string(ErrorCode code);
std::string_view to_string(Blame blame);

struct Error {
  ErrorCode code;
  Blame blame = Blame::us;
  std::string context;                                // a sentence for a person, without a final full stop
  bool retryable = false;                             // the same call may succeed later
  std::optional<std::chrono::seconds> retry_after{};  // what the peer asked for

  // Puts what was being done in front: "outer: inner".
  Error with(std::string_view doing) && {
    context.insert(0, ": ").insert(0, doing);
    return std::move(*this);
  }
  Error with(std::string_view doing) const& { return Error(*this).with(doing); }
};

template <typename T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorCode code, Blame blame, std::string context, bool retryable = false) {
  return std::unexpected(Error{code, blame, std::move(context), retryable});
}

}  // namespace paddock

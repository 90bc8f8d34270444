// LoopGuard: knows its own requests again when they come back, as with a name of an upstream that leads to the cache
// itself. By the Via header (RFC 9110, 7.6.3). Immutable, thread-safe.
#pragma once

#include <optional>
#include <string>

#include "proxy/net/http.h"

namespace paddock {

class LoopGuard {
 public:
  LoopGuard();

  // For every request that is sent: HttpClient::Options::via.
  [[nodiscard]] const std::string& via() const { return via_; }
  // 508, for a request of our own.
  [[nodiscard]] std::optional<Response> refusal(const Request& request) const;

 private:
  const std::string via_;
};

}  // namespace paddock

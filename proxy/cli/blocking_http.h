// One HTTP request and its whole answer, for subcommands, which have nothing else to do meanwhile.
//
// Blocking, but never for longer than `patience`: a server that trickles bytes keeps every deadline of the connection,
// so the whole has one too. Thread-safe. Errors: those of HttpClient; timeout, too_large.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "proxy/net/client.h"
#include "storage/error.h"

namespace paddock {

struct HttpAnswer {
  int status = 0;
  Headers headers{};
  std::string body{};
};

// The request's deadlines are set from `patience`, its TLS context from the system's CAs where it needs one and has
// none.
Result<HttpAnswer> ask_http(ClientRequest request, std::chrono::milliseconds patience, std::size_t body_limit);

}  // namespace paddock

// A response's header as bytes, and how long the body behind it is. Pure.
//
// The session owns the framing (RFC 9112, 6): whatever a handler says about Content-Length, Transfer-Encoding or
// Connection is replaced, except a HEAD response's own Content-Length. A field that could break out of the header is
// left out.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "proxy/net/http.h"

namespace paddock {

struct ResponseFrame {
  std::string header;             // status line to empty line
  std::uint64_t body_length = 0;  // of what is to be sent; 0 for HEAD, 204, 304
  bool keep_alive = true;         // as FrameRules says, but for a body that only the connection's end can end
};

struct FrameRules {
  bool head = false;
  bool keep_alive = true;
  std::chrono::system_clock::time_point now;
};

ResponseFrame frame_response(const Response& response, const FrameRules& rules);

// The body as it lies in memory; empty for a stream.
std::string_view body_text(const Response& response);

// The specification's error JSON, for what fails before a handler has seen it. `code` and `message` need no escaping.
Response plain_error(int status, std::string_view code, std::string_view message);

}  // namespace paddock

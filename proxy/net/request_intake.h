// What a client sent, checked, as a Request. Pure. RFC 9112 (2, 3, 6) says what is malformed; what a lenient reader
// and a strict one could take for different requests is refused.
#pragma once

#include <boost/system/error_code.hpp>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/net/http.h"

namespace paddock {

struct Refusal {
  int status = 400;
  std::string_view code = "UNSUPPORTED";  // of the distribution specification
  std::string_view message;
};

// As it was sent: the request line, and the fields.
struct RequestHead {
  std::string method, target;
  int version = 11;  // ten times HTTP's
  Headers headers{};
};

// Method, path, query and headers; the rest is the session's to fill in. A head that is refused stays as it is.
std::expected<Request, Refusal> take_request(RequestHead&& head);

// The first line of what was received, with its CR, at most 256 bytes.
std::string_view first_line(std::string_view received);

// Method and path of what cannot be taken as a request, so that the log says what it was. Without the query.
Request request_for_log(std::string_view line);
Request request_for_log(const RequestHead& head);

// The answer to a parser's error; nothing when the client is gone and no answer would be read. `line` is the first one.
std::optional<Refusal> refusal_for(boost::system::error_code error, std::string_view line = {});

// Whether another request may follow on the connection (RFC 9112, 9.3).
bool keeps_alive(int version, const Headers& headers);

enum class Expectation : std::uint8_t { none, go_on, unknown };
Expectation expectation_of(int version, const Headers& headers);  // RFC 9110, 10.1.1

}  // namespace paddock

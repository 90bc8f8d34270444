// What a client sent, checked, as a Request. Pure. RFC 9112 (2, 3, 6) says what is malformed; what a lenient reader
// and a strict one could take for different requests is refused.
#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/system/error_code.hpp>
#include <expected>
#include <optional>

#include "proxy/net/http.h"

namespace paddock {

struct Refusal {
  int status = 400;
  std::string_view code = "UNSUPPORTED";  // of the distribution specification
  std::string_view message;
};

using RequestHeader = boost::beast::http::request_header<>;

// Method, path, query and headers; the rest is the session's to fill in.
std::expected<Request, Refusal> take_request(const RequestHeader& header);

// The first line of what was received, with its CR, at most 256 bytes.
std::string_view first_line(std::string_view received);

// Method and path of what cannot be taken as a request, so that the log says what it was. Without the query.
Request request_for_log(std::string_view line);
Request request_for_log(const RequestHeader& header);

// The answer to a parser's error; nothing when the client is gone and no answer would be read. `line` is the first one.
std::optional<Refusal> refusal_for(boost::system::error_code error, std::string_view line = {});

enum class Expectation : std::uint8_t { none, go_on, unknown };
Expectation expectation_of(const RequestHeader& header);  // RFC 9110, 10.1.1

}  // namespace paddock

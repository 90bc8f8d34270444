#include "proxy/net/request_intake.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <iterator>

#include "proxy/net/client_message.h"
#include "proxy/net/header_rules.h"
#include "proxy/net/url.h"

namespace paddock {
namespace {

namespace http = boost::beast::http;
constexpr std::ptrdiff_t max_fields = 128;

std::unexpected<Refusal> refuse(std::string_view message, int status = 400) {
  return std::unexpected(Refusal{status, "UNSUPPORTED", message});
}

std::expected<void, Refusal> check_fields(const RequestHeader& header) {
  if (std::distance(header.begin(), header.end()) > max_fields) return refuse("too many header fields", 431);
  const auto hosts = header.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && header.version() >= 11)) return refuse("exactly one Host header is needed");
  const std::string_view host = header[http::field::host];
  if (host.contains(' ') || host.contains('/') || host.contains('@')) return refuse("the Host header is malformed");
  for (const auto& field : header) {
    if (!is_field_value(field.value())) return refuse("a header has control characters");
  }
  const bool encoded = header.count(http::field::transfer_encoding) != 0;
  if (encoded && (header.version() < 11 || !boost::beast::iequals(header[http::field::transfer_encoding], "chunked"))) {
    return refuse("this Transfer-Encoding is not supported");
  }
  return {};
}

// Origin form, absolute form (as to a proxy; its host wins over the header), or '*' of OPTIONS.
std::expected<std::string, Refusal> take_target(const RequestHeader& header, Request& request) {
  std::string_view target = header.target();
  if (std::ranges::any_of(target, [](char c) { return c <= ' ' || c >= 0x7F || c == '#'; })) {
    return refuse("the request target is malformed");
  }
  if (header.method() == http::verb::connect) return refuse("CONNECT is not offered here", 405);
  if (target.starts_with('/') || (target == "*" && header.method() == http::verb::options)) return std::string(target);
  const auto url = Url::parse(target);
  if (!url) return refuse("the request target is malformed");
  request.headers.set("Host", url->authority());
  return url->target;
}

}  // namespace

std::expected<Request, Refusal> take_request(const RequestHeader& header) {
  if (auto checked = check_fields(header); !checked) return std::unexpected(checked.error());
  Request request;
  request.method_name = std::string(header.method_string());
  request.method = method_from(request.method_name);
  for (const auto& field : header) request.headers.add(std::string(field.name_string()), std::string(field.value()));
  const auto target = take_target(header, request);
  if (!target) return std::unexpected(target.error());
  const auto question = target->find('?');
  request.path = target->substr(0, question);
  if (question != std::string::npos) request.query = target->substr(question + 1);
  return request;
}

std::optional<Refusal> refusal_for(boost::system::error_code error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return Refusal{431, "UNSUPPORTED", "the request's header is too large"};
  }
  if (error == http::error::body_limit) return Refusal{413, "SIZE_INVALID", "the request's body is too large"};
  if (error == http::error::bad_version) return Refusal{505, "UNSUPPORTED", "only HTTP/1.0 and 1.1 are spoken here"};
  const bool parsing = error.category() == http::make_error_code(http::error::bad_version).category();
  if (!parsing || error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  return Refusal{400, "UNSUPPORTED", "the request is not HTTP/1.1 as it should be"};
}

Expectation expectation_of(const RequestHeader& header) {
  if (header.count(http::field::expect) == 0) return Expectation::none;
  if (!boost::beast::iequals(header[http::field::expect], "100-continue")) return Expectation::unknown;
  return header.version() >= 11 ? Expectation::go_on : Expectation::none;
}

}  // namespace paddock

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
constexpr std::size_t max_logged_line = 256;

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
  const auto encodings = header.count(http::field::transfer_encoding);
  if (encodings > 1) return refuse("at most one Transfer-Encoding header is taken");
  const bool encoded = encodings != 0;
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
  if (header.method() == http::verb::connect) {
    if (!Url::parse_authority(target)) return refuse("CONNECT wants host:port");
    return std::string(target);
  }
  if (target.starts_with('/') || (target == "*" && header.method() == http::verb::options)) return std::string(target);
  const auto url = Url::parse(target);
  if (!url) return refuse("the request target is malformed");
  request.headers.set("Host", url->authority());
  return url->target;
}

// "METHOD TARGET HTTP/2.0", well-formed but for the version.
bool wants_other_version(std::string_view line) {
  if (!line.ends_with('\r') || std::ranges::count(line, ' ') != 2) return false;
  line.remove_suffix(1);
  const auto version = line.substr(line.rfind(' ') + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool is_version = version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
                          version[6] == '.' && is_digit(version[7]);
  return is_version && version != "HTTP/1.0" && version != "HTTP/1.1";
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

std::string_view first_line(std::string_view received) {
  return received.substr(0, std::min(received.find('\n'), max_logged_line));
}

Request request_for_log(std::string_view line) {
  Request request;
  line = line.substr(0, line.find('\r'));
  const auto space = std::min(line.find(' '), line.size());
  request.method_name = std::string(line.substr(0, space));
  const auto target = line.substr(std::min(space + 1, line.size()));
  request.path = std::string(target.substr(0, target.find_first_of(" ?")));
  return request;
}

Request request_for_log(const RequestHeader& header) {
  Request request;
  request.method_name = std::string(header.method_string());
  request.method = method_from(request.method_name);  // a refused HEAD has no body either
  const std::string_view target = header.target();
  request.path = std::string(target.substr(0, std::min(target.find('?'), max_logged_line)));
  return request;
}

std::optional<Refusal> refusal_for(boost::system::error_code error, std::string_view line) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return Refusal{431, "UNSUPPORTED", "the request's header is too large"};
  }
  if (error == http::error::body_limit) return Refusal{413, "SIZE_INVALID", "the request's body is too large"};
  if (error == http::error::bad_version && wants_other_version(line)) {
    return Refusal{505, "UNSUPPORTED", "only HTTP/1.0 and 1.1 are spoken here"};
  }
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

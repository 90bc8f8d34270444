#include "proxy/net/request_intake.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include "proxy/net/client_message.h"
#include "proxy/net/header_rules.h"
#include "proxy/net/url.h"

namespace paddock {
namespace {

namespace http = boost::beast::http;
constexpr std::size_t max_fields = 128;
constexpr std::size_t max_logged_line = 256;

std::unexpected<Refusal> refuse(std::string_view message, int status = 400) {
  return std::unexpected(Refusal{status, "UNSUPPORTED", message});
}

std::expected<void, Refusal> check_fields(const RequestHead& head) {
  std::size_t fields = 0, hosts = 0, encodings = 0;
  std::string_view host, encoding;
  for (const auto& [name, value] : head.headers) {
    if (++fields > max_fields) return refuse("too many header fields", 431);
    if (!is_field_value(value)) return refuse("a header has control characters");
    if (boost::beast::iequals(name, "Host")) {
      ++hosts;
      host = value;
    } else if (boost::beast::iequals(name, "Transfer-Encoding")) {
      ++encodings;
      encoding = value;
    }
  }
  if (hosts > 1 || (hosts == 0 && head.version >= 11)) return refuse("exactly one Host header is needed");
  if (host.contains(' ') || host.contains('/') || host.contains('@')) return refuse("the Host header is malformed");
  if (encodings > 1) return refuse("at most one Transfer-Encoding header is taken");
  if (encodings != 0 && (head.version < 11 || !boost::beast::iequals(encoding, "chunked"))) {
    return refuse("this Transfer-Encoding is not supported");
  }
  return {};
}

// What a target in absolute form, as to a proxy, is taken for.
struct Target {
  std::string text;
  std::string host{};  // wins over the header
};

// Origin form, absolute form, or '*' of OPTIONS.
std::expected<Target, Refusal> take_target(RequestHead& head) {
  const std::string_view target = head.target;
  if (std::ranges::any_of(target, [](char c) { return c <= ' ' || c >= 0x7F || c == '#'; })) {
    return refuse("the request target is malformed");
  }
  if (head.method == "CONNECT") {
    if (!Url::parse_authority(target)) return refuse("CONNECT wants host:port");
    return Target{std::move(head.target)};
  }
  if (target.starts_with('/') || (target == "*" && head.method == "OPTIONS")) return Target{std::move(head.target)};
  auto url = Url::parse(target);
  if (!url) return refuse("the request target is malformed");
  return Target{std::move(url->target), url->authority()};
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

std::expected<Request, Refusal> take_request(RequestHead&& head) {
  if (auto checked = check_fields(head); !checked) return std::unexpected(checked.error());
  auto target = take_target(head);
  if (!target) return std::unexpected(target.error());
  Request request;
  request.method_name = std::move(head.method);
  request.method = method_from(request.method_name);
  request.headers = std::move(head.headers);
  if (!target->host.empty()) request.headers.set("Host", target->host);
  request.path = std::move(target->text);
  if (const auto question = request.path.find('?'); question != std::string::npos) {
    request.query = request.path.substr(question + 1);
    request.path.resize(question);
  }
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

Request request_for_log(const RequestHead& head) {
  Request request;
  request.method_name = head.method;
  request.method = method_from(request.method_name);  // a refused HEAD has no body either
  request.path = head.target.substr(0, std::min(head.target.find('?'), max_logged_line));
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

bool keeps_alive(int version, const Headers& headers) {
  const auto says = [lines = headers.all("Connection")](std::string_view option) {
    return std::ranges::any_of(lines, [option](auto line) { return http::token_list(line).exists(option); });
  };
  return version >= 11 ? !says("close") : says("keep-alive") && !says("close");
}

Expectation expectation_of(int version, const Headers& headers) {
  const auto expected = headers.get("Expect");
  if (!expected) return Expectation::none;
  if (!boost::beast::iequals(*expected, "100-continue")) return Expectation::unknown;
  return version >= 11 ? Expectation::go_on : Expectation::none;
}

}  // namespace paddock

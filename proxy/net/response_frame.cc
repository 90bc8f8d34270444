#include "proxy/net/response_frame.h"

#include <algorithm>
#include <array>
#include <boost/beast/http/status.hpp>
#include <ctime>

#include "proxy/net/header_rules.h"

namespace paddock {
namespace {

constexpr std::size_t usual_header = 512;  // bytes

std::uint64_t body_size(const Response& response) {
  const auto* const stream = std::get_if<BodyStream>(&response.body);
  return stream != nullptr ? stream->length : body_text(response).size();
}

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

bool is_framing(std::string_view name) {
  constexpr std::array<std::string_view, 4> framing{"content-length", "transfer-encoding", "connection", "keep-alive"};
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::any_of(framing,
                             [&](std::string_view own) { return std::ranges::equal(own, name, {}, {}, lower); });
}

bool is_length(std::string_view text) {
  return !text.empty() && text.size() <= 19 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// RFC 9110, 5.6.7. Made once a second.
std::string_view http_date(std::chrono::system_clock::time_point now) {
  thread_local std::time_t made_for = -1;
  thread_local std::array<char, 40> text{};
  thread_local std::size_t size = 0;
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  if (size == 0 || seconds != made_for) {
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    made_for = seconds;
  }
  return {text.data(), size};
}

std::string content_length(const Response& response, bool head) {
  const auto own = response.headers.get("Content-Length");
  if (head && std::holds_alternative<std::monostate>(response.body) && own && is_length(*own)) return std::string(*own);
  return std::to_string(body_size(response));
}

}  // namespace

std::string_view body_text(const Response& response) {
  if (const auto* const text = std::get_if<std::string>(&response.body)) return *text;
  const auto* const shared = std::get_if<std::shared_ptr<const std::string>>(&response.body);
  return shared != nullptr && *shared != nullptr ? std::string_view(**shared) : std::string_view();
}

ResponseFrame frame_response(const Response& response, const FrameRules& rules) {
  ResponseFrame frame{.header = {}, .keep_alive = rules.keep_alive};
  std::string& out = frame.header;
  out.reserve(usual_header);
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(response.status));
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ").append(std::string_view(reason));
  out.append("\r\n");
  const auto add = [&out](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  for (const auto& [name, value] : response.headers) {
    if (is_token(name) && is_field_value(value) && !is_framing(name)) add(name, value);
  }
  if (!response.headers.get("Date")) add("Date", http_date(rules.now));
  if (!has_no_body(response.status)) {
    frame.keep_alive = rules.keep_alive && body_size(response) != BodyStream::endless;
    if (body_size(response) != BodyStream::endless) add("Content-Length", content_length(response, rules.head));
    frame.body_length = rules.head ? 0 : body_size(response);
  }
  add("Connection", frame.keep_alive ? "keep-alive" : "close");
  out.append("\r\n");
  return frame;
}

Response plain_error(int status, std::string_view code, std::string_view message) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body =
      std::string(R"({"errors":[{"code":")").append(code).append(R"(","message":")").append(message).append(R"("}]})");
  response.log_note = message;
  return response;
}

}  // namespace paddock

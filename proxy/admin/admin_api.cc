#include "proxy/admin/admin_api.h"

#include <boost/asio/this_coro.hpp>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "proxy/admin/answer.h"
#include "proxy/admin/report_json.h"
#include "proxy/admin/status_page.h"
#include "proxy/host/gpu_probe.h"
#include "proxy/net/url.h"
#include "proxy/oci/reference.h"
#include "proxy/upstream/private_key.h"

namespace paddock {
namespace {

constexpr std::string_view images_prefix = "/api/v1/images/";
constexpr std::string_view pins_path = "/api/v1/pins", pins_prefix = "/api/v1/pins/";
constexpr std::size_t reference_limit = 1024;  // bytes
constexpr std::size_t page_limit = 1000;

Response page(std::string html) {
  auto response = answer(200, "text/html; charset=utf-8", std::move(html));
  response.headers.set("Content-Security-Policy",
                       "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  return response;
}

Response readiness(const std::vector<std::string>& reasons) {
  return json_answer({{"ready", reasons.empty()}, {"reasons", reasons}}, reasons.empty() ? 200 : 503);
}

Response unauthorized() {
  auto response = json_error(401, "unauthorized", "this address wants a token: Authorization: Bearer TOKEN");
  response.headers.set("WWW-Authenticate", "Bearer realm=\"paddock\"");
  return response;
}

Response method_not_allowed(std::string_view allowed) {
  auto response = json_error(405, "method not allowed", "answered here: " + std::string(allowed));
  response.headers.set("Allow", allowed);
  return response;
}

std::string_view methods(std::string_view path) {
  if (path == pins_path) return "GET, HEAD, POST";
  return path.starts_with(pins_prefix) ? "DELETE" : "GET, HEAD";
}

bool is_among(Method method, std::string_view allowed) {
  switch (method) {
    case Method::get:
    case Method::head:
      return allowed.starts_with("GET");
    case Method::post:
      return allowed.contains("POST");
    case Method::del:
      return allowed.contains("DELETE");
    default:
      return false;
  }
}

// The same for reports that cannot fail.
template <typename F>
auto infallible(const F& function) {
  return [&function]() -> Result<std::invoke_result_t<const F&>> { return function(); };
}

const auto as_json = [](const auto& value) { return json_answer(to_json_report(value)); };

Result<ImageCursor> parse_cursor(std::string_view text) {
  const auto slash = text.find('/');
  const auto colon = text.rfind(':');
  if (slash == std::string_view::npos || colon == std::string_view::npos || colon < slash || slash == 0) {
    return fail(ErrorCode::invalid_argument, Blame::client, "after: want an image's name, as `next` gave it");
  }
  ImageCursor cursor{{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1, colon - slash - 1))},
                     std::string(text.substr(colon + 1))};
  if (!is_repository(without_mark(cursor.repository.repository)) || !is_tag(cursor.tag)) {
    return fail(ErrorCode::invalid_argument, Blame::client, "after: not an image's name");
  }
  return cursor;
}

}  // namespace

bool bearer_matches(std::string_view authorization, std::string_view token) {
  constexpr std::string_view scheme = "bearer ";
  if (authorization.size() < scheme.size() || token.empty()) return false;
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    const char c = authorization[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != scheme[i]) return false;
  }
  authorization.remove_prefix(scheme.size());
  // As long as what was sent, whatever the token is.
  std::size_t difference = authorization.size() ^ token.size();
  for (std::size_t i = 0; i < authorization.size(); ++i) {
    difference |= static_cast<unsigned char>(authorization[i]) ^ static_cast<unsigned char>(token[i % token.size()]);
  }
  return difference == 0;
}

Result<ImageQuery> parse_image_query(const Request& request) {
  ImageQuery query;
  if (const auto text = request.parameter("limit")) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), query.limit);
    if (error != std::errc() || end != text->data() + text->size() || query.limit == 0 || query.limit > page_limit) {
      return fail(ErrorCode::invalid_argument, Blame::client, "limit: want a number from 1 to 1000");
    }
  }
  if (const auto text = request.parameter("after")) {
    auto cursor = parse_cursor(*text);
    if (!cursor) return std::unexpected(cursor.error());
    query.after = *std::move(cursor);
  }
  return query;
}

AdminApi::AdminApi(BlockingPool& pool, AdminData data, std::string token)
    : pool_(pool), data_(std::move(data)), warm_(pool, data_.warm), token_(std::move(token)) {}

std::vector<std::string> AdminApi::paths() {
  std::vector<std::string> paths{"/",
                                 "/healthz",
                                 "/readyz",
                                 "/metrics",
                                 "/api/v1/status",
                                 "/api/v1/images",
                                 std::string(images_prefix) + "{ref}",
                                 "/api/v1/fills",
                                 "/api/v1/compat",
                                 std::string(pins_path),
                                 std::string(pins_prefix) + "{ref}"};
  for (auto& path : WarmApi::paths()) paths.push_back(std::move(path));
  return paths;
}

Task<Response> AdminApi::handle(const Request& request) const {
  auto response = co_await dispatch(request);
  response.route = "admin";
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("X-Content-Type-Options", "nosniff");
  co_return response;
}

Task<Response> AdminApi::dispatch(const Request& request) const {
  const auto& path = request.path;
  const auto of_warm = WarmApi::methods(path);
  const auto allowed = of_warm.empty() ? methods(path) : of_warm;
  if (!is_among(request.method, allowed)) co_return method_not_allowed(allowed);
  if (path == "/healthz") co_return answer(200, "text/plain; charset=utf-8", "ok\n");
  if (path == "/readyz") co_return co_await reported(pool_, infallible(data_.not_ready), readiness);
  if (!authorized(request)) co_return unauthorized();
  if (!of_warm.empty()) co_return co_await warm_.handle(request);
  if (path == "/")
    co_return co_await reported(pool_, infallible(data_.status),
                                [](const auto& status) { return page(status_page(status)); });
  if (path == "/metrics")
    co_return co_await reported(pool_, infallible(data_.metrics), [](const auto& text) {
      return answer(200, "text/plain; version=0.0.4; charset=utf-8", text);
    });
  if (path == "/api/v1/status") co_return co_await reported(pool_, infallible(data_.status), as_json);
  if (path == "/api/v1/fills") co_return co_await reported(pool_, infallible(data_.fills), as_json);
  if (path == "/api/v1/images") co_return co_await images(request);
  if (path == "/api/v1/compat") co_return co_await compat(request);
  if (path == pins_path && request.method == Method::post) co_return co_await pin(request);
  if (path == pins_path) co_return co_await reported(pool_, data_.pins, as_json);
  if (path.starts_with(pins_prefix)) co_return co_await unpin(path.substr(pins_prefix.size()));
  if (path.starts_with(images_prefix)) co_return co_await image(path.substr(images_prefix.size()));
  co_return json_error(404, "not found", "no such path; deploy/docs/api.md lists them");
}

Task<Response> AdminApi::images(const Request& request) const {
  const auto query = parse_image_query(request);
  if (!query) co_return json_error(query.error());
  co_return co_await reported(pool_, [this, query = *query] { return data_.images(query); }, as_json);
}

Task<Response> AdminApi::image(std::string escaped) const {
  if (escaped.size() > reference_limit) co_return json_error(400, "invalid argument", "the reference is too long");
  auto reference = percent_decode(escaped);
  if (!reference) co_return json_error(reference.error());
  co_return co_await reported(pool_, [this, name = *reference] { return data_.image(name); }, as_json);
}

Task<Response> AdminApi::compat(const Request& request) const {
  auto page = parse_image_query(request);
  if (!page) co_return json_error(page.error());
  auto host = host_with_driver(request.parameter("driver").value_or(""));
  if (!host) co_return json_error(host.error().with("driver"));
  CompatQuery query{*std::move(host), *std::move(page)};
  co_return co_await reported(pool_, [this, query = std::move(query)] { return data_.compat(query); }, as_json);
}

Task<Response> AdminApi::pin(const Request& request) const {
  if (!has_json_body(request)) co_return wants_json();
  auto order = parse_pin_order(request.body);
  if (!order) co_return json_error(order.error());
  co_return co_await reported(pool_, [this, wanted = *std::move(order)] { return data_.pin(wanted); }, as_json);
}

Task<Response> AdminApi::unpin(std::string escaped) const {
  if (escaped.size() > reference_limit) co_return json_error(400, "invalid argument", "the reference is too long");
  auto reference = percent_decode(escaped);
  if (!reference) co_return json_error(reference.error());
  co_return co_await reported(pool_, [this, name = *reference] { return data_.unpin(name); }, as_json);
}

bool AdminApi::set_token(const std::string& token) {
  const MutexLock lock(mutex_);
  return std::exchange(token_, token) != token;
}

bool AdminApi::authorized(const Request& request) const {
  const MutexLock lock(mutex_);
  return token_.empty() || bearer_matches(request.headers.get("Authorization").value_or(""), token_);
}

}  // namespace paddock

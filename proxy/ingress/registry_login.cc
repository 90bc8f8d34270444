#include "proxy/ingress/registry_login.h"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include "proxy/net/url.h"
#include "proxy/oci/ascii.h"
#include "proxy/oci/registry_error.h"

namespace paddock {
namespace {

constexpr std::string_view token_path = "/paddock/token";
constexpr std::string_view anonymous = "anonymous";
constexpr std::size_t longest_login = std::size_t{4} * 1024;  // bytes
constexpr std::chrono::seconds token_life{std::chrono::hours(1)};

// Of "Bearer TOKEN" (RFC 6750).
std::optional<std::string_view> bearer_of(const Request& request) {
  const auto given = request.headers.get("Authorization");
  constexpr std::string_view scheme = "Bearer ";
  if (!given || given->size() < scheme.size() || !same_without_case(given->substr(0, scheme.size()), scheme)) {
    return std::nullopt;
  }
  return given->substr(scheme.size());
}

}  // namespace

std::string_view RegistryLogin::registry_of(const Request& request) const {
  if (!request.connect_host.empty()) return request.connect_host;
  const bool by_name = !request.tls_name.empty() && is_registry_ && is_registry_(request.tls_name);
  return by_name ? std::string_view(request.tls_name) : std::string_view();
}

std::optional<Response> RegistryLogin::answer(const Request& request) const {
  // Elsewhere a token that is no good is none: a restart of the cache is not to end pulls of what anybody may have.
  const bool greeting = request.path == "/v2/" || request.path == "/v2";
  const bool wants_token = request.path == token_path && request.method == Method::get;
  if ((!greeting && !wants_token) || registry_of(request).empty()) return std::nullopt;
  if (wants_token) return give_token(request);
  if (!request.headers.get("Authorization")) return challenge(request, "a token is wanted, which anybody gets");
  const auto bearer = bearer_of(request);
  if (!bearer || *bearer == anonymous || credentials_of(request)) return std::nullopt;
  return challenge(request, "this token is not the cache's, or too old");
}

std::optional<BasicCredentials> RegistryLogin::credentials_of(const Request& request) const {
  const auto registry = registry_of(request);
  if (registry.empty()) return std::nullopt;
  if (const auto bearer = bearer_of(request)) return tokens_.open(*bearer, registry, clock_.wall());
  return parse_basic(request.headers.get("Authorization").value_or(""));
}

Response RegistryLogin::challenge(const Request& request, const std::string& message) const {
  auto response = error_response(401, "UNAUTHORIZED", message);
  response.route = "base";
  response.cache = "bypass";
  const auto url = Url::parse(std::string("https://").append(request.headers.get("Host").value_or("")));
  const auto registry = registry_of(request);
  const auto origin = url ? url->origin() : "https://" + std::string(registry);
  response.headers.set("WWW-Authenticate",
                       fmt::format(R"(Bearer realm="{}{}",service="{}")", origin, token_path, registry));
  return response;
}

Response RegistryLogin::give_token(const Request& request) const {
  const auto given = request.headers.get("Authorization");
  if (given && given->size() > longest_login) {
    return error_response(400, "UNAUTHORIZED", "name and password are too long");
  }
  const auto credentials = parse_basic(given.value_or(""));
  if (given && !credentials) return error_response(400, "UNAUTHORIZED", "name and password are taken as Basic alone");
  const auto token = credentials ? tokens_.seal(*credentials, registry_of(request), clock_.wall() + token_life)
                                 : std::string(anonymous);
  Response response;
  response.route = "base";
  response.cache = "bypass";
  response.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
  response.body = nlohmann::json{{"token", token}, {"access_token", token}, {"expires_in", token_life.count()}}.dump();
  return response;
}

}  // namespace paddock

#include "proxy/ingress/registry_login.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/manual_clock.h"

namespace paddock {
namespace {

constexpr auto basic = "Basic Y2k6c2VjcmV0";  // ci:secret

Request request_for(const std::string& path, const std::string& authorization = "",
                    const std::string& connect_host = "registry.example") {
  Request request;
  request.path = path;
  request.connect_host = connect_host;
  request.headers.add("Host", "registry.example");
  if (!authorization.empty()) request.headers.add("Authorization", authorization);
  return request;
}

std::string token_of(const Response& response) {
  return nlohmann::json::parse(std::get<std::string>(response.body)).at("token");
}

TEST_CASE("who greets without a token is told where there is one, and anybody gets it") {
  const ManualClock clock;
  const RegistryLogin login(clock);
  const auto greeting = login.answer(request_for("/v2/"));
  REQUIRE(greeting);
  CHECK(greeting->status == 401);
  CHECK(greeting->headers.get("WWW-Authenticate") ==
        R"(Bearer realm="https://registry.example/paddock/token",service="registry.example")");
  const auto given = login.answer(request_for("/paddock/token"));
  REQUIRE(given);
  const auto token = "Bearer " + token_of(*given);
  CHECK_FALSE(login.answer(request_for("/v2/", token)));
  CHECK_FALSE(login.credentials_of(request_for("/v2/a/manifests/1", token)));
}

TEST_CASE("credentials come back in the token, until it is too old") {
  ManualClock clock;
  const RegistryLogin login(clock);
  const auto token = "bearer " + token_of(*login.answer(request_for("/paddock/token", basic)));
  const auto request = request_for("/v2/a/manifests/1", token);
  CHECK_FALSE(login.answer(request));
  CHECK(login.credentials_of(request)->user == "ci");
  CHECK(login.credentials_of(request)->password == "secret");
  CHECK_FALSE(login.credentials_of(request_for("/v2/", token, "other.example")));
  clock.advance(std::chrono::hours(1));
  CHECK_FALSE(login.credentials_of(request));
  CHECK_FALSE(login.answer(request));
  CHECK(login.answer(request_for("/v2/", token))->status == 401);
}

TEST_CASE("a name and a password are taken as they are too") {
  const ManualClock clock;
  const RegistryLogin login(clock);
  CHECK_FALSE(login.answer(request_for("/v2/", basic)));
  CHECK(login.credentials_of(request_for("/v2/", basic))->user == "ci");
}

TEST_CASE("another's token sends the client for one of ours") {
  const ManualClock clock;
  const RegistryLogin login(clock);
  CHECK(login.answer(request_for("/v2/", "Bearer of.somebody.else"))->status == 401);
  CHECK_FALSE(login.answer(request_for("/v2/a/manifests/1", "Bearer of.somebody.else")));
  CHECK_FALSE(login.credentials_of(request_for("/v2/a/manifests/1", "Bearer of.somebody.else")));
  CHECK(login.answer(request_for("/paddock/token", "Basic " + std::string(5000, 'A')))->status == 400);
  CHECK(login.answer(request_for("/paddock/token", "Bearer x"))->status == 400);
}

TEST_CASE("a client that comes by the registry's own name in TLS is one of these") {
  const ManualClock clock;
  const RegistryLogin login(clock, [](std::string_view name) { return name == "registry.example"; });
  auto request = request_for("/v2/", "", "");
  CHECK_FALSE(login.answer(request));
  request.tls_name = "registry.example";
  CHECK(login.answer(request)->status == 401);
  request.tls_name = "cache.lan";
  CHECK_FALSE(login.answer(request));
}

TEST_CASE("what did not come through a CONNECT is not spoken to about it") {
  const ManualClock clock;
  const RegistryLogin login(clock);
  for (const auto* path : {"/v2/", "/paddock/token", "/v2/a/manifests/1"}) {
    for (const auto* authorization : {"", basic, "Bearer x"}) {
      CHECK_FALSE(login.answer(request_for(path, authorization, "")));
      CHECK_FALSE(login.credentials_of(request_for(path, authorization, "")));
    }
  }
}

}  // namespace
}  // namespace paddock

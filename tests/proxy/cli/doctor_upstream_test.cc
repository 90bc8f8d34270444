#include "proxy/cli/doctor_upstream.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "proxy/upstream/authenticator.h"
#include "tests/support/scripted_registry.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::ScriptedRegistry;

constexpr std::chrono::seconds patience{30};

// A registry that wants something, and who asks it.
struct Asked {
  ScriptedRegistry registry;
  TemporaryFolder folder;
  config::UpstreamOptions upstream;

  explicit Asked(const std::string& challenge) {
    registry.script("GET /v2/", {.status = 401, .headers = {{"WWW-Authenticate", challenge}}}, 0);
  }
  void log_in() {
    upstream.username = "ci";
    upstream.password_file = (folder / "password").string();
    std::ofstream(upstream.password_file) << "secret\n";
  }
  [[nodiscard]] EndpointTrial trial() const { return try_endpoint(registry.url(), upstream, patience).trial; }
};

TEST_CASE("an endpoint that answers is asked once, and says the time") {
  ScriptedRegistry registry;
  registry.script("GET /v2/", {.headers = {{"Date", "now"}}}, 0);
  const auto answer = try_endpoint(registry.url(), {}, patience);
  CHECK(answer.trial.status == 200);
  CHECK(answer.date == "now");
  CHECK(registry.requests().size() == 1);
}

TEST_CASE("a token is asked for where the registry says, without credentials where there are none") {
  ScriptedRegistry realm;
  const Asked asked("Bearer realm=\"" + realm.url() + "/token\",service=\"x\"");
  const auto trial = asked.trial();
  CHECK(trial.wants == EndpointTrial::Wants::token);
  CHECK_FALSE(trial.auth_error);  // it knows no /token: what it says to nobody proves nothing
  REQUIRE(realm.requests().size() == 1);
  CHECK(realm.requests()[0].query("service") == "x");
  CHECK(realm.requests()[0].header("Authorization").empty());
}

TEST_CASE("a token server that is away is found, though the registry answers") {
  ScriptedRegistry realm;
  realm.go_away();
  const auto trial = Asked("Bearer realm=\"" + realm.url() + "/token\"").trial();
  REQUIRE(trial.auth_error);
  CHECK(trial.auth_error->code != ErrorCode::unauthorized);
  CHECK_THAT(trial.auth_error->context, Contains(realm.url()));
}

TEST_CASE("a password is tried, and a refusal told from a password that is right") {
  Asked asked("Basic realm=\"x\"");
  CHECK(asked.trial().wants == EndpointTrial::Wants::password);
  CHECK_FALSE(asked.trial().auth_error);
  asked.log_in();
  const auto refused = asked.trial();
  REQUIRE(refused.auth_error);
  CHECK(refused.auth_error->code == ErrorCode::unauthorized);
  CHECK(asked.registry.requests().back().header("Authorization") == "Basic " + base64("ci:secret"));
  CHECK_THAT(refused.auth_error->context, !Contains("secret"));
}

TEST_CASE("a password goes to no token server that the registry names elsewhere") {
  ScriptedRegistry elsewhere;
  Asked asked("Bearer realm=\"http://localhost:" + std::to_string(elsewhere.port()) + "/token\"");
  asked.log_in();
  elsewhere.script("GET /token", {.status = 401}, 0);
  const auto trial = asked.trial();
  REQUIRE(trial.auth_error);
  CHECK(trial.auth_error->code == ErrorCode::denied);
  CHECK_THAT(trial.auth_error->context, Contains("trusted realms"));
  REQUIRE_FALSE(elsewhere.requests().empty());
  for (const auto& request : elsewhere.requests()) CHECK(request.header("Authorization").empty());
}

TEST_CASE("a challenge that nobody knows is something") {
  CHECK(Asked("Negotiate").trial().wants == EndpointTrial::Wants::something);
}

TEST_CASE("an endpoint that does not resolve, or is away, is not asked further") {
  CHECK(try_endpoint("http://paddock-test.invalid", {}, patience).trial.name_error);
  const auto told =
      try_endpoint("http://paddock-test.invalid", {}, patience, {{"paddock-test.invalid", {"127.0.0.1"}}});
  CHECK_FALSE(told.trial.name_error);
  ScriptedRegistry registry;
  registry.go_away();
  const auto away = try_endpoint(registry.url(), {}, patience).trial;
  CHECK_FALSE(away.status);
  CHECK_FALSE(away.untrusted);
}

}  // namespace
}  // namespace paddock

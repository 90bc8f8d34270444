#include <catch2/catch.hpp>

#include "tests/proxy/upstream/upstream_fixture.h"

namespace paddock::test {
namespace {

const std::string basic_of_user = "Basic dXNlcjpzZWNyZXQ=";  // user:secret

struct Fixture : UpstreamFixture {
  TestImage image = registry.add_image(repository, "2.6", {"layer"});
  ScriptedRegistry other;  // a token server or object storage on another origin

  static std::shared_ptr<TokenIssuer> issuer(TokenIssuer::Options with = {}) {
    return std::make_shared<TokenIssuer>(std::move(with));
  }
  UpstreamOptions with_password(const std::string& endpoint) {
    auto out = options({endpoint});
    out.username = "user";
    out.password = "secret";
    return out;
  }
  // "localhost" and "127.0.0.1" are one machine, but different hosts to whoever guards credentials.
  static std::string by_name(const ScriptedRegistry& of) { return "http://localhost:" + std::to_string(of.port()); }
  static bool leaked(const ScriptedRegistry& to) {
    for (const auto& request : to.requests()) {
      for (const auto& [name, value] : request.headers) {
        if (value.contains("dXNlcjpzZWNyZXQ") || value.contains("secret")) return true;
      }
      if (request.target.contains("secret") || !request.header("Authorization").empty()) return true;
    }
    return false;
  }
};

TEST_CASE_METHOD(Fixture, "a token is made on demand and used again") {
  const auto tokens = issuer();
  registry.require_token(tokens);
  REQUIRE(manifest("2.6"));
  const auto asked = registry.requests("/token").at(0);
  CHECK(asked.query("service") == "test-service");
  CHECK(asked.query("scope") == "repository:paddlepaddle/paddle:pull");
  CHECK(asked.query("account").empty());
  CHECK(asked.header("Authorization").empty());
  REQUIRE(manifest("2.6"));
  REQUIRE(blob(image.config));
  CHECK(tokens->issued() == 1);
  // Only the first request met a 401: it, the token, and three with the token.
  CHECK(registry.count() == 5);
}

TEST_CASE_METHOD(Fixture, "tokens are read under either name, and from another host") {
  for (const auto* field : {"token", "access_token"}) {
    const auto tokens = issuer({.field = field, .expires_in = std::nullopt});
    registry.require_token(tokens, other.url() + "/token");
    other.serve_tokens(tokens);
    use(options());
    REQUIRE(manifest("2.6"));
    CHECK(tokens->issued() == 1);
  }
  CHECK(other.count("GET /token") == 2);
  CHECK(registry.count("/token") == 0);
}

TEST_CASE_METHOD(Fixture, "concurrent requests make one token") {
  const auto tokens = issuer();
  registry.require_token(tokens, other.url() + "/token");
  other.serve_tokens(tokens);
  other.script("/token", {.stall_before_header = true});
  constexpr std::size_t clients = 12;
  // All of them have asked without a token before the first hears that it takes one.
  registry.script("/manifests/", {.stall_before_header = true}, clients);
  std::vector<std::future<Result<FetchedManifest>>> pulls;
  for (std::size_t i = 0; i < clients; ++i) pulls.push_back(start(up().get_manifest(repository, "2.6")));
  REQUIRE(registry.wait_for_stalled(clients));
  registry.release();
  REQUIRE(other.wait_for_stalled());
  other.release();
  for (auto& pull : pulls) CHECK(pull.get());
  CHECK(tokens->issued() == 1);
  CHECK(other.count() == 1);
}

TEST_CASE_METHOD(Fixture, "each repository has its own token") {
  const auto tokens = issuer();
  registry.require_token(tokens);
  const auto elsewhere = registry.add_image("library/busybox", "1", {"x"});
  REQUIRE(manifest("2.6"));
  REQUIRE(run(up().get_manifest("library/busybox", "1")));
  CHECK(tokens->issued() == 2);
}

TEST_CASE_METHOD(Fixture, "a token is replaced before it expires") {
  const auto tokens = issuer({.expires_in = 100});
  registry.require_token(tokens);
  REQUIRE(manifest("2.6"));
  clock.advance(std::chrono::seconds(74));
  REQUIRE(manifest("2.6"));
  CHECK(tokens->issued() == 1);
  clock.advance(std::chrono::seconds(1));
  REQUIRE(manifest("2.6"));
  CHECK(tokens->issued() == 2);
  CHECK(registry.count("/manifests/") == 4);  // one 401 in all
}

TEST_CASE_METHOD(Fixture, "a token that is no longer good is replaced once") {
  const auto tokens = issuer();
  registry.require_token(tokens);
  REQUIRE(manifest("2.6"));
  tokens->revoke_all();
  REQUIRE(manifest("2.6"));
  CHECK(tokens->issued() == 2);
}

TEST_CASE_METHOD(Fixture, "a token refused right after it was made is a refusal") {
  const auto tokens = issuer();
  tokens->issue_useless(true);
  registry.require_token(tokens);
  const auto fetched = manifest("2.6");
  CHECK(code_of(fetched) == ErrorCode::denied);
  CHECK_FALSE(fetched.error().retryable);
  CHECK(registry.count("/manifests/") == 2);
  tokens->issue_useless(false);
  CHECK(manifest("2.6"));
}

TEST_CASE_METHOD(Fixture, "credentials go to a realm on the endpoint's host") {
  registry.require_token(issuer({.username = "user", .password = "secret"}));
  use(with_password(registry.url()));
  REQUIRE(manifest("2.6"));
  CHECK(registry.requests("/token").at(0).header("Authorization") == basic_of_user);
  CHECK(registry.requests("/token").at(0).query("account") == "user");
  for (const auto& request : registry.requests("/v2/")) CHECK(request.header("Authorization") != basic_of_user);
}

TEST_CASE_METHOD(Fixture, "credentials never go to a realm on another host") {
  const auto tokens = issuer();
  registry.require_token(tokens, by_name(other) + "/token");
  other.serve_tokens(tokens);
  use(with_password(registry.url()));
  REQUIRE(manifest("2.6"));
  CHECK(other.count("GET /token") == 1);
  CHECK_FALSE(leaked(other));
}

TEST_CASE_METHOD(Fixture, "a realm that refuses us is a refusal, with its reason") {
  registry.require_token(issuer({.username = "user", .password = "other"}));
  CHECK(code_of(manifest("2.6")) == ErrorCode::unauthorized);
  use(with_password(registry.url()));
  const auto fetched = manifest("2.6");
  CHECK(code_of(fetched) == ErrorCode::unauthorized);
  CHECK(fetched.error().context.find("secret") == std::string::npos);
  CHECK(registry.count("/token") == 2);
}

TEST_CASE_METHOD(Fixture, "a token endpoint out of order is no refusal") {
  registry.require_token(issuer());
  registry.script("/token", {.status = 503}, 0);
  CHECK(code_of(manifest("2.6")) == ErrorCode::unavailable);
  registry.clear_script();
  registry.script("/token", html_page());
  use(options());
  CHECK(code_of(manifest("2.6")) == ErrorCode::protocol);
  registry.script("/token", {.status = 404});
  use(options());
  CHECK(code_of(manifest("2.6")) == ErrorCode::protocol);
  registry.script("/token", rate_limited("120"));
  use(options());
  const auto limited = manifest("2.6");
  CHECK(code_of(limited) == ErrorCode::rate_limited);
  CHECK(limited.error().retry_after == std::chrono::seconds(120));
  use(options());
  registry.script("/token", {.status = 500});
  CHECK(manifest("2.6"));  // passing failures are tried again
}

TEST_CASE_METHOD(Fixture, "a refusal by the token endpoint is remembered for a moment only") {
  registry.require_token(issuer());
  registry.script("/token", {.status = 403}, 1);
  CHECK(code_of(manifest("2.6")) == ErrorCode::denied);
  CHECK(code_of(manifest("2.6")) == ErrorCode::denied);
  CHECK(registry.count("/token") == 1);
  clock.advance(std::chrono::seconds(2));
  CHECK(manifest("2.6"));
}

TEST_CASE_METHOD(Fixture, "a registry that names another realm than before is followed") {
  const auto tokens = issuer({.expires_in = 60});
  registry.require_token(tokens, other.url() + "/token");
  other.serve_tokens(tokens);
  REQUIRE(manifest("2.6"));
  other.go_away();
  registry.require_token(tokens);
  clock.advance(std::chrono::seconds(60));
  tokens->revoke_all();
  CHECK(manifest("2.6"));
  CHECK(registry.count("/token") == 1);
}

TEST_CASE_METHOD(Fixture, "Basic is answered where a password is configured") {
  registry.require_basic("user", "secret");
  CHECK(code_of(manifest("2.6")) == ErrorCode::unauthorized);
  use(with_password(registry.url()));
  REQUIRE(manifest("2.6"));
  CHECK(registry.requests().back().header("Authorization") == basic_of_user);
  const auto before = registry.count();
  REQUIRE(manifest("2.6"));
  CHECK(registry.count() == before + 1);
  registry.require_basic("user", "changed");
  const auto fetched = manifest("2.6");
  CHECK(code_of(fetched) == ErrorCode::unauthorized);
  CHECK(fetched.error().context.find("secret") == std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a registry that changes from Basic to tokens is followed") {
  registry.require_basic("user", "secret");
  use(with_password(registry.url()));
  REQUIRE(manifest("2.6"));
  registry.require_basic("", "");
  registry.require_token(issuer({.username = "user", .password = "secret"}));
  CHECK(code_of(manifest("2.6")) == ErrorCode::unauthorized);
  CHECK(manifest("2.6"));
}

TEST_CASE_METHOD(Fixture, "a 401 without a challenge, or with nonsense, is unauthorized or a protocol error") {
  registry.script("/v2/", {.status = 401});
  CHECK(code_of(manifest("2.6")) == ErrorCode::unauthorized);
  registry.script("/v2/", {.status = 401, .headers = {{"WWW-Authenticate", "Negotiate"}}});
  CHECK(code_of(manifest("2.6")) == ErrorCode::unauthorized);
  registry.script("/v2/", {.status = 401, .headers = {{"WWW-Authenticate", "Bearer realm=\"gopher://x\""}}});
  CHECK(code_of(manifest("2.6")) == ErrorCode::protocol);
  registry.script("/v2/", {.status = 401, .headers = {{"WWW-Authenticate", "Bearer realm=\"http://[\""}}});
  CHECK(code_of(manifest("2.6")) == ErrorCode::protocol);
}

TEST_CASE_METHOD(Fixture, "neither token nor password follows a redirect to another origin") {
  registry.require_token(issuer({.username = "user", .password = "secret"}));
  use(with_password(registry.url()));
  other.add_object("/bucket/layer?sig=1", "layer");
  registry.hook([&](const SeenRequest& request) -> std::optional<Behaviour> {
    if (!request.target.contains("/blobs/") || request.header("Authorization").empty()) return std::nullopt;
    return Behaviour{.redirect = other.url() + "/bucket/layer?sig=1"};
  });
  const auto got = blob(image.layers[0]);
  REQUIRE(got);
  CHECK(got->bytes == "layer");
  CHECK(other.count() == 1);
  CHECK_FALSE(leaked(other));
}

TEST_CASE_METHOD(Fixture, "the token does follow a redirect within the registry") {
  const auto tokens = issuer();
  registry.require_token(tokens);
  registry.script("/manifests/latest", {.redirect = "/v2/paddlepaddle/paddle/manifests/2.6"}, 0);
  CHECK(manifest("latest")->digest == image.manifest);
  CHECK(registry.requests("/manifests/2.6").back().header("Authorization") == "Bearer token-1");
}

// A registry that answers 403 where a token has expired.
struct Forbidding : Fixture {
  std::shared_ptr<TokenIssuer> tokens = issuer();
  std::string scope = "repository:paddlepaddle/paddle:pull";
  std::string content = sample(50'000);
  Digest digest = registry.add_blob(repository, content);

  Forbidding() {
    registry.require_token(tokens);
    registry.hook([this](const SeenRequest& request) -> std::optional<Behaviour> {
      const std::string authorization = request.header("Authorization");
      if (authorization.empty() || tokens->valid(authorization.substr(7), scope)) return std::nullopt;
      return Behaviour{.status = 403, .body = "expired"};
    });
  }
  ~Forbidding() { registry.hook(nullptr); }
  std::string piece(std::uint64_t offset) {
    auto got = blob(digest, offset, 10'000);
    return got && !got->error ? got->bytes : "failed";
  }
};

TEST_CASE_METHOD(Fixture, "a token that expires between two pieces of a blob is replaced, once for all that find out") {
  const auto tokens = issuer();
  const std::string content = sample(50'000);
  const auto digest = registry.add_blob(repository, content);
  registry.require_token(tokens);
  REQUIRE(blob(digest, 0, 10'000)->bytes == content.substr(0, 10'000));
  tokens->revoke_all();
  std::vector<std::future<Result<ReadBlob>>> pieces;
  for (std::uint64_t at = 10'000; at < 50'000; at += 10'000) {
    pieces.push_back(start(whole_blob(&up(), digest, at, 10'000)));
  }
  std::string rest;
  for (auto& piece : pieces) rest += piece.get().value().bytes;
  CHECK(rest == content.substr(10'000));
  CHECK(tokens->issued() == 2);
}

TEST_CASE_METHOD(Fixture, "a piece that finds its token expired gets through a token endpoint that stumbles") {
  const auto tokens = issuer();
  const std::string content = sample(50'000);
  const auto digest = registry.add_blob(repository, content);
  registry.require_token(tokens);
  REQUIRE(blob(digest, 0, 10'000));
  tokens->revoke_all();
  registry.script("/token", {.status = 500}, 2);
  CHECK(blob(digest, 10'000, 10'000)->bytes == content.substr(10'000, 10'000));
}

TEST_CASE_METHOD(Fixture, "an old token refused without a challenge is replaced as the registry asked before") {
  const auto tokens = issuer();
  registry.require_token(tokens);
  REQUIRE(manifest("2.6"));
  tokens->revoke_all();
  registry.script("/manifests/", {.status = 401});
  CHECK(manifest("2.6"));
  CHECK(tokens->issued() == 2);
}

TEST_CASE_METHOD(Forbidding, "a token that has expired is replaced where the registry answers 403 to it") {
  CHECK(piece(0) == content.substr(0, 10'000));
  clock.advance(std::chrono::seconds(60));
  tokens->revoke_all();
  CHECK(piece(10'000) == content.substr(10'000, 10'000));
  CHECK(tokens->issued() == 2);
  CHECK(piece(20'000) == content.substr(20'000, 10'000));
  CHECK(tokens->issued() == 2);
}

TEST_CASE_METHOD(Forbidding, "what is denied to a fresh token is denied, and does not cost a token each time") {
  REQUIRE(manifest("2.6"));
  clock.advance(std::chrono::seconds(60));
  registry.script("/manifests/", {.status = 403}, 0);
  for (int i = 0; i < 5; ++i) CHECK(code_of(manifest("2.6")) == ErrorCode::denied);
  CHECK(tokens->issued() == 2);
  CHECK(registry.count("/manifests/") == 2 + 6);
}

TEST_CASE("a token may have expired when it is a while old, not when it was just made") {
  const SteadyTime made{std::chrono::hours(1)};
  Authenticator::Credential token{.header = "Bearer t", .token = "t", .made = made};
  CHECK_FALSE(may_have_expired(token, made));
  CHECK_FALSE(may_have_expired(token, made + std::chrono::seconds(29)));
  CHECK(may_have_expired(token, made + std::chrono::seconds(30)));
  token.just_made = true;
  CHECK_FALSE(may_have_expired(token, made + std::chrono::hours(1)));
  CHECK_FALSE(may_have_expired({.header = "Basic x", .token = {}}, made + std::chrono::hours(1)));
  CHECK_FALSE(may_have_expired({}, made));
}

}  // namespace
}  // namespace paddock::test

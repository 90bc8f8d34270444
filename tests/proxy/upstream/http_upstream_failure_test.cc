#include <catch2/catch.hpp>

#include "proxy/upstream/offline_upstream.h"
#include "tests/proxy/upstream/upstream_fixture.h"

namespace paddock::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Fixture : UpstreamFixture {
  TestImage image = registry.add_image(repository, "2.6", {"layer"});
};

struct TwoEndpoints : UpstreamFixture {
  ScriptedRegistry second;
  TestImage image = registry.add_image(repository, "2.6", {"layer"});

  TwoEndpoints() {
    second.add_image(repository, "2.6", {"layer"});
    use(options({registry.url(), second.url()}));
  }
};

TEST_CASE_METHOD(Fixture, "passing failures are tried again") {
  const Behaviour passing[] = {{.status = 500}, {.status = 502},   {.status = 503},
                               {.status = 408}, rate_limited("0"), {.drop = true}};
  for (const auto& behaviour : passing) {
    registry.script("/manifests/", behaviour, 2);
    const auto before = registry.count();
    CHECK(manifest("2.6"));
    CHECK(registry.count() >= before + 3);
  }
}

TEST_CASE_METHOD(Fixture, "failures that do not pass are given up after the last attempt") {
  registry.script("/manifests/", {.status = 503, .body = R"({"errors":[{"code":"DOWN","message":"back at 8"}]})"}, 0);
  const auto fetched = manifest("2.6");
  CHECK(code_of(fetched) == ErrorCode::unavailable);
  CHECK(fetched.error().retryable);
  CHECK(fetched.error().blame == Blame::upstream);
  CHECK(fetched.error().context.find("DOWN: back at 8") != std::string::npos);
  CHECK(registry.count() == 3);
}

TEST_CASE_METHOD(Fixture, "refusals are not tried again") {
  for (const int status : {400, 403, 404, 501}) {
    registry.script("GET ", {.status = status});
    const auto before = registry.count();
    CHECK_FALSE(manifest("2.6"));
    CHECK(registry.count() == before + 1);
  }
}

TEST_CASE_METHOD(Fixture, "a long Retry-After is passed on, not waited for") {
  registry.script("/manifests/", rate_limited("3600"), 0);
  const auto fetched = manifest("2.6");
  CHECK(code_of(fetched) == ErrorCode::rate_limited);
  CHECK(fetched.error().retry_after == seconds(3600));
  CHECK(registry.count() == 1);
}

TEST_CASE_METHOD(Fixture, "an upstream where nobody listens is unavailable, and found again") {
  registry.go_away();
  CHECK(code_of(manifest("2.6")) == ErrorCode::unavailable);
  CHECK(code_of(blob(image.config)) == ErrorCode::unavailable);
  CHECK(seen("up.example " + registry.host() + " 0") > 0);
  registry.come_back();
  CHECK(manifest("2.6"));
}

TEST_CASE_METHOD(Fixture, "an endpoint that has just failed is tried once, not again and again") {
  registry.script("/manifests/", {.status = 503}, 0);
  CHECK_FALSE(manifest("2.6"));
  CHECK_FALSE(manifest("2.6"));
  CHECK(registry.count() == 4);
  clock.advance(seconds(11));
  CHECK_FALSE(manifest("2.6"));
  CHECK(registry.count() == 7);
}

TEST_CASE_METHOD(Fixture, "a silent upstream costs the budget and no more, all tries together") {
  auto hasty = options();
  hasty.metadata_budget = milliseconds(200);
  hasty.blob_budget = milliseconds(200);
  use(hasty);
  registry.script("GET ", {.stall_before_header = true}, 0);
  const auto before = std::chrono::steady_clock::now();
  CHECK(code_of(manifest("2.6")) == ErrorCode::timeout);
  CHECK(code_of(blob(image.config)) == ErrorCode::timeout);
  CHECK(std::chrono::steady_clock::now() - before < seconds(20));
}

TEST_CASE_METHOD(Fixture, "who needs an answer sooner than the budget says gets it, or a timeout") {
  const auto patient = up().until(std::chrono::steady_clock::now() + seconds(30));
  CHECK(run(patient->get_blob(repository, Digest::of("x"), 0, std::nullopt)).error().code == ErrorCode::not_found);
  registry.script("", {.stall_before_header = true}, 0);
  const auto limited = up().until(std::chrono::steady_clock::now() + milliseconds(300));
  const auto began = std::chrono::steady_clock::now();
  CHECK(run(limited->head_blob(repository, Digest::of("x"))).error().code == ErrorCode::timeout);
  CHECK(run(limited->get_blob(repository, Digest::of("x"), 0, std::nullopt)).error().code == ErrorCode::timeout);
  CHECK(std::chrono::steady_clock::now() - began < seconds(8));
}

TEST_CASE_METHOD(Fixture, "a manifest that stalls in the middle costs the budget and no more") {
  auto hasty = options();
  hasty.metadata_budget = milliseconds(200);
  use(hasty);
  registry.script("/manifests/", {.stall_at = 10}, 0);
  CHECK(code_of(manifest("2.6")) == ErrorCode::timeout);
}

TEST_CASE_METHOD(Fixture, "a manifest cut off in the middle is unavailable") {
  registry.script("/manifests/", {.close_at = 10}, 0);
  CHECK(code_of(manifest("2.6")) == ErrorCode::unavailable);
}

TEST_CASE_METHOD(Fixture, "connections are kept and used again") {
  for (int i = 0; i < 10; ++i) REQUIRE(manifest("2.6"));
  for (int i = 0; i < 10; ++i) REQUIRE(head("2.6"));
  for (int i = 0; i < 10; ++i) CHECK(code_of(manifest("absent")) == ErrorCode::not_found);
  CHECK(registry.connections() <= loops.size());
}

TEST_CASE_METHOD(TwoEndpoints, "the first endpoint is asked, the second when the first is away") {
  REQUIRE(manifest("2.6"));
  CHECK(second.count() == 0);
  registry.go_away();
  REQUIRE(manifest("2.6"));
  CHECK(second.count() == 1);
  REQUIRE(blob(image.config));
  CHECK(second.count() == 2);
  registry.come_back();
  const auto before = registry.count();
  REQUIRE(manifest("2.6"));
  CHECK(registry.count() == before);  // resting
  clock.advance(seconds(11));
  REQUIRE(manifest("2.6"));
  CHECK(registry.count() == before + 1);
}

TEST_CASE_METHOD(TwoEndpoints, "an endpoint that lies or talks nonsense makes room for the next") {
  registry.script("/manifests/", {.corrupt_at = 3});
  CHECK(manifest(image.manifest.to_string()));
  registry.script("/manifests/", html_page());
  CHECK(manifest("2.6"));
  CHECK(second.count() == 2);
}

TEST_CASE_METHOD(TwoEndpoints, "a digest that one endpoint has not got is asked of the next") {
  const auto only_there = second.add_blob(repository, "only there");
  CHECK(blob(only_there));
  CHECK(run(up().head_blob(repository, only_there)));
  registry.script(image.manifest.to_string(), {.status = 404});
  CHECK(manifest(image.manifest.to_string()));
  const auto nowhere = Digest::of("nowhere");
  CHECK(code_of(run(up().head_blob(repository, nowhere))) == ErrorCode::not_found);
  SECTION("one that cannot be reached does not make it less missing, and is not waited for") {
    second.go_away();
    for (int i = 0; i < 2; ++i) CHECK(code_of(run(up().head_blob(repository, nowhere))) == ErrorCode::not_found);
    CHECK(up().endpoints().at(1).state == EndpointStatus::State::resting);
  }
}

TEST_CASE_METHOD(TwoEndpoints, "a tag that an endpoint says does not exist, or denies, is not asked of the next") {
  CHECK(code_of(manifest("absent")) == ErrorCode::not_found);
  registry.script("/manifests/", {.status = 403});
  CHECK(code_of(manifest("2.6")) == ErrorCode::denied);
  CHECK(second.count() == 0);
}

TEST_CASE_METHOD(TwoEndpoints, "an endpoint that swallows requests leaves time for the next") {
  auto hasty = options({registry.url(), second.url()});
  hasty.metadata_budget = seconds(6);
  use(hasty);
  registry.script("GET ", {.stall_before_header = true}, 0);
  CHECK(manifest("2.6"));
  CHECK(second.count() == 1);
}

TEST_CASE_METHOD(TwoEndpoints, "when all endpoints fail the last failure is told") {
  registry.go_away();
  second.go_away();
  CHECK(code_of(manifest("2.6")) == ErrorCode::unavailable);
}

TEST_CASE_METHOD(Fixture, "an upstream without endpoints is unavailable") {
  use(options({}));
  CHECK(code_of(manifest("2.6")) == ErrorCode::unavailable);
}

TEST_CASE_METHOD(Fixture, "the forward proxy is asked for what is not on this machine") {
  auto proxied = options({"http://registry.example.com"});
  proxied.proxy = ProxyEnvironment::read([&](const std::string& name) -> std::optional<std::string> {
                    return name == "http_proxy" ? std::optional(registry.url()) : std::nullopt;
                  }).value();
  use(proxied);
  const auto fetched = manifest("2.6");
  REQUIRE(fetched);
  CHECK(fetched->digest == image.manifest);
  CHECK(registry.requests().back().target == "http://registry.example.com/v2/paddlepaddle/paddle/manifests/2.6");
  CHECK(registry.requests().back().header("Host") == "registry.example.com");
}

TEST_CASE_METHOD(Fixture, "an offline upstream answers at once and asks nobody") {
  OfflineUpstream offline("up.example");
  CHECK(offline.name() == "up.example");
  CHECK(code_of(run(offline.get_manifest(repository, "2.6"))) == ErrorCode::unavailable);
  CHECK(code_of(run(offline.head_manifest(repository, "2.6"))) == ErrorCode::unavailable);
  CHECK(code_of(run(offline.head_blob(repository, image.config))) == ErrorCode::unavailable);
  CHECK(code_of(run(offline.get_blob(repository, image.config, 0, {}))) == ErrorCode::unavailable);
  CHECK(code_of(run(offline.list_tags(repository, 1, ""))) == ErrorCode::unavailable);
  const auto referrers = run(offline.referrers(repository, image.manifest));
  CHECK(code_of(referrers) == ErrorCode::unavailable);
  CHECK(referrers.error().context == "offline mode");
}

}  // namespace
}  // namespace paddock::test

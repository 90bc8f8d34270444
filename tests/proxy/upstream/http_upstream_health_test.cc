// What an HttpUpstream tells about its endpoints.
#include <catch2/catch.hpp>

#include "proxy/upstream/offline_upstream.h"
#include "tests/proxy/upstream/upstream_fixture.h"

namespace paddock::test {
namespace {

using State = EndpointStatus::State;

struct Fixture : UpstreamFixture {
  ScriptedRegistry second;
  std::string content = sample(1'000'000);
  Digest digest = registry.add_blob(repository, content);

  Fixture() {
    second.add_blob(repository, content);
    use(options({registry.url(), second.url()}));
  }
  EndpointStatus first() { return up().endpoints().at(0); }
};

TEST_CASE_METHOD(Fixture, "endpoints are told as configured, by host, and in order at first") {
  const auto all = up().endpoints();
  REQUIRE(all.size() == 2);
  CHECK(all[0].host == registry.host());
  CHECK(all[1].host == second.host());
  for (const auto& endpoint : all) {
    CHECK(endpoint.state == State::ok);
    CHECK(endpoint.transfers == 0);
    CHECK(endpoint.rate == 0);
  }
  CHECK(OfflineUpstream("up.example").endpoints().empty());
}

TEST_CASE_METHOD(Fixture, "a transfer at work is counted until it has gone, and leaves its rate") {
  {
    const auto transfer = run(up().get_blob(repository, digest, 0, {}));
    REQUIRE(transfer);
    CHECK(first().transfers == 1);
  }
  CHECK(first().transfers == 0);
  REQUIRE(blob(digest));
  CHECK(first().rate > 0);
}

TEST_CASE_METHOD(Fixture, "an endpoint that cannot be reached rests, until it answers") {
  registry.go_away();
  CHECK(code_of(head("absent")) == ErrorCode::not_found);
  CHECK(first().state == State::resting);
  CHECK(up().endpoints().at(1).state == State::ok);
  clock.advance(std::chrono::seconds(11));
  CHECK(first().state == State::ok);
}

TEST_CASE_METHOD(Fixture, "an endpoint that sent wrong bytes is distrusted, resting or not") {
  registry.go_away();
  CHECK(code_of(head("absent")) == ErrorCode::not_found);
  up().distrust(registry.host());
  CHECK(first().state == State::distrusted);
  clock.advance(std::chrono::seconds(300));
  CHECK(first().state == State::ok);
}

TEST_CASE("every state has a name of its own") {
  CHECK(to_string(State::ok) == "ok");
  CHECK(to_string(State::slow) == "slow");
  CHECK(to_string(State::resting) == "resting");
  CHECK(to_string(State::distrusted) == "distrusted");
}

}  // namespace
}  // namespace paddock::test

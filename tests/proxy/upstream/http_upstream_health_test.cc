// What an HttpUpstream tells about its endpoints.
#include <catch2/catch.hpp>
#include <set>

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

TEST_CASE_METHOD(Fixture, "an endpoint that cannot be reached rests, for a while or until it answers") {
  registry.go_away();
  CHECK(code_of(head("absent")) == ErrorCode::not_found);
  CHECK(first().state == State::resting);
  CHECK(up().endpoints().at(1).state == State::ok);
  SECTION("for a while") { clock.advance(std::chrono::seconds(11)); }
  SECTION("it answers") {
    registry.come_back();
    second.go_away();
    CHECK(code_of(head("absent")) == ErrorCode::not_found);
  }
  CHECK(first().state == State::ok);
}

TEST_CASE_METHOD(Fixture,
                 "where an endpoint swallows what it is asked after an outage, one waits for it and others not") {
  registry.go_away();
  REQUIRE(blob(digest));
  registry.come_back();
  clock.advance(std::chrono::seconds(11));
  registry.script("/blobs/", {.stall_before_header = true}, 0);
  auto waits = start(whole_blob(&up(), digest, 0, {}));
  REQUIRE(registry.wait_for_stalled());
  for (int i = 0; i < 5; ++i) CHECK(blob(digest)->bytes == content);
  CHECK(registry.count("/blobs/") == 1);
  registry.clear_script();
  registry.release();
  REQUIRE(waits.get()->bytes == content);
  CHECK(first().state != State::resting);  // its few milliseconds may make it the slow one
}

TEST_CASE_METHOD(Fixture, "questions that are not answered yet count: others go to another endpoint") {
  registry.script("/blobs/", {.stall_before_header = true}, 0);
  auto waits = start(whole_blob(&up(), digest, 0, {}));
  REQUIRE(registry.wait_for_stalled());
  CHECK(blob(digest)->bytes == content);
  CHECK(second.count("/blobs/") == 1);
  registry.clear_script();
  registry.release();
  CHECK(waits.get()->bytes == content);
}

TEST_CASE_METHOD(Fixture,
                 "an endpoint that may have sent wrong bytes is asked after others, and not called distrusted") {
  up().distrust(registry.host(), Doubt::likely);
  up().distrust(second.host(), Doubt::possible);
  CHECK(first().state == State::ok);
  CHECK(blob(digest)->bytes == content);
  CHECK(registry.count("/blobs/") == 0);
  CHECK(second.count("/blobs/") == 1);
}

TEST_CASE_METHOD(Fixture, "an endpoint that sent wrong bytes is distrusted, resting or not") {
  registry.go_away();
  CHECK(code_of(head("absent")) == ErrorCode::not_found);
  up().distrust(registry.host(), Doubt::certain);
  CHECK(first().state == State::distrusted);
  clock.advance(std::chrono::seconds(300));
  CHECK(first().state == State::ok);
}

TEST_CASE("every state has a name of its own") {
  CHECK(std::set(endpoint_states.begin(), endpoint_states.end()).size() == endpoint_states.size());
  CHECK(to_string(State::ok) == "ok");
  CHECK(to_string(State::slow) == "slow");
  CHECK(to_string(State::resting) == "resting");
  CHECK(to_string(State::distrusted) == "distrusted");
}

}  // namespace
}  // namespace paddock::test

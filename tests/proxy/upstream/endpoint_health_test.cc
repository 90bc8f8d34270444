#include "proxy/upstream/endpoint_health.h"

#include <catch2/catch.hpp>

#include "tests/support/manual_clock.h"

namespace paddock {
namespace {

using namespace std::chrono_literals;
using Order = std::vector<std::size_t>;

constexpr std::uint64_t megabyte = 1'000'000;

struct HealthFixture {
  ManualClock clock;
  std::shared_ptr<EndpointHealth> shared = std::make_shared<EndpointHealth>(
      3, EndpointHealth::Options{.rest = 10s, .longest_rest = 60s, .distrust = 300s, .suspect = 60s, .probe = 30s},
      clock);
  EndpointHealth& health = *shared;
  std::vector<EndpointHealth::Question> questions;

  void transfer(std::size_t endpoint, std::uint64_t bytes, std::chrono::nanoseconds time) {
    (void)EndpointHealth::ask(shared, endpoint, true);
    health.transfer_began(endpoint);
    health.transfer_ended(endpoint, bytes, time);
  }
  std::size_t next() {
    const auto endpoint = health.order_for_transfer().front();
    (void)EndpointHealth::ask(shared, endpoint, true);
    health.transfer_began(endpoint);
    return endpoint;
  }
  // A question that is not answered yet.
  std::size_t ask() {
    const auto endpoint = health.order_for_transfer().front();
    questions.push_back(EndpointHealth::ask(shared, endpoint, true));
    return endpoint;
  }
  void answer_all() { questions.clear(); }
  // How long 0 rests now, in steps of 10 s.
  std::chrono::seconds rest() {
    std::chrono::seconds waited = 0s;
    for (; health.resting(0) && waited < 1h; waited += 10s) clock.advance(10s);
    return waited;
  }
};

TEST_CASE_METHOD(HealthFixture, "endpoints are tried as configured, those that failed last") {
  CHECK(health.order() == Order{0, 1, 2});
  health.failed(0);
  CHECK(health.order() == Order{1, 2, 0});
  CHECK(health.resting(0));
  CHECK_FALSE(health.resting(1));
  health.failed(1);
  CHECK(health.order() == Order{2, 0, 1});
  health.failed(2);
  CHECK(health.order() == Order{0, 1, 2});
}

TEST_CASE_METHOD(HealthFixture, "an endpoint is trusted again when it answers or its rest is over") {
  health.failed(0);
  health.answered(0);
  CHECK(health.order() == Order{0, 1, 2});
  health.failed(0);
  clock.advance(9s);
  CHECK(health.resting(0));
  clock.advance(1s);
  CHECK_FALSE(health.resting(0));
  CHECK(health.order() == Order{0, 1, 2});
}

TEST_CASE_METHOD(HealthFixture, "an endpoint that sent wrong bytes comes last for long, though it answers") {
  health.sent_wrong_bytes(0, Doubt::certain);
  health.answered(0);
  CHECK(health.order() == Order{1, 2, 0});
  CHECK(health.order_for_transfer() == Order{1, 2, 0});
  CHECK(health.states()[0].distrusted);
  CHECK(health.resting(0));
  clock.advance(299s);
  CHECK(health.order() == Order{1, 2, 0});
  clock.advance(1s);
  CHECK(health.order() == Order{0, 1, 2});
}

TEST_CASE_METHOD(HealthFixture, "the less doubted are asked first, however fast the others are") {
  transfer(0, 100 * megabyte, 1s);
  transfer(1, 90 * megabyte, 1s);
  transfer(2, 80 * megabyte, 1s);
  health.sent_wrong_bytes(0, Doubt::likely);
  health.sent_wrong_bytes(1, Doubt::possible);
  health.sent_wrong_bytes(2, Doubt::certain);
  CHECK(health.order_for_transfer() == Order{1, 0, 2});
  CHECK(health.order() == Order{1, 0, 2});
  for (const std::size_t doubted : {0U, 1U}) {
    CHECK_FALSE(health.states()[doubted].distrusted);
    CHECK_FALSE(health.resting(doubted));
  }
  clock.advance(60s);
  CHECK(health.order_for_transfer() == Order{0, 1, 2});
}

TEST_CASE_METHOD(HealthFixture, "a lesser doubt does not take a greater one's place") {
  health.sent_wrong_bytes(0, Doubt::certain);
  health.sent_wrong_bytes(0, Doubt::possible);
  clock.advance(61s);
  CHECK(health.states()[0].distrusted);
  clock.advance(300s);
  health.sent_wrong_bytes(0, Doubt::possible);
  CHECK_FALSE(health.states()[0].distrusted);
  health.sent_wrong_bytes(0, Doubt::likely);
  health.sent_wrong_bytes(1, Doubt::possible);
  CHECK(health.order() == Order{2, 1, 0});
}

TEST_CASE_METHOD(HealthFixture, "one that cannot be reached is asked before one that lies, by one at a time") {
  health.failed(0);
  health.failed(2);
  health.sent_wrong_bytes(1, Doubt::certain);
  CHECK(health.order() == Order{0, 2, 1});
  CHECK(ask() == 0);
  CHECK(ask() == 2);
  CHECK(ask() == 1);
  CHECK(ask() == 1);
}

// --- outages ---

TEST_CASE_METHOD(HealthFixture, "after its rest, one question at a time goes to an endpoint until it answers") {
  transfer(0, 3 * megabyte, 1s);
  transfer(1, megabyte, 1s);
  health.failed(0);
  clock.advance(10s);
  CHECK(ask() == 0);
  for (int i = 0; i < 10; ++i) CHECK(ask() != 0);
  CHECK(health.order().back() == 0);
  SECTION("it does") {
    health.answered(0);
    answer_all();
    CHECK(Order{ask(), ask()} == Order{0, 2});
    CHECK(ask() == 0);
  }
  SECTION("it fails again") {
    health.failed(0);
    answer_all();
    for (int i = 0; i < 10; ++i) CHECK(ask() != 0);
  }
  SECTION("it is given up") {
    answer_all();
    CHECK(ask() == 0);
    CHECK(ask() != 0);
  }
}

TEST_CASE_METHOD(HealthFixture, "an endpoint rests twice as long each time, up to a limit, until it answers") {
  for (const auto expected : {10s, 20s, 40s, 60s, 60s}) {
    health.failed(0);
    CHECK(rest() == expected);
  }
  health.answered(0);
  health.failed(0);
  CHECK(rest() == 10s);
}

TEST_CASE_METHOD(HealthFixture, "many questions that fail in one outage count once") {
  for (int i = 0; i < 8; ++i) health.failed(0);
  clock.advance(5s);
  health.failed(0);
  CHECK(rest() == 10s);
  health.failed(0);
  CHECK(rest() == 20s);
}

// --- rates ---

TEST_CASE_METHOD(HealthFixture, "a question counts like a transfer from when it is asked") {
  CHECK(Order{ask(), ask(), ask(), ask()} == Order{0, 1, 2, 0});
  CHECK(health.states()[0].transfers == 0);
  answer_all();
  CHECK(ask() == 0);
}

TEST_CASE_METHOD(HealthFixture, "transfers are spread over equal endpoints") {
  CHECK(Order{next(), next(), next(), next()} == Order{0, 1, 2, 0});
  CHECK(health.states()[0].transfers == 2);
}

TEST_CASE_METHOD(HealthFixture, "a faster endpoint gets more of them") {
  transfer(0, megabyte, 1s);
  transfer(1, 2 * megabyte, 1s);
  health.failed(2);
  Order got;
  for (int i = 0; i < 6; ++i) got.push_back(next());
  CHECK(std::ranges::count(got, 1U) == 4);
  CHECK(std::ranges::count(got, 0U) == 2);
}

TEST_CASE_METHOD(HealthFixture, "a slow endpoint gets none, but for one now and then") {
  transfer(0, megabyte, 10s);
  transfer(1, megabyte, 1s);
  transfer(2, megabyte, 1s);
  CHECK(health.states()[0].slow);
  for (int i = 0; i < 20; ++i) CHECK(next() != 0);
  clock.advance(30s);
  CHECK(next() == 0);
  CHECK(next() != 0);
}

TEST_CASE_METHOD(HealthFixture, "a slow endpoint is come back to where one transfer at a time is enough") {
  transfer(0, megabyte, 1s);
  transfer(1, megabyte, 1s);
  transfer(2, megabyte, 10s);
  clock.advance(30s);
  CHECK(ask() == 2);
  answer_all();
  CHECK(ask() == 0);
}

TEST_CASE_METHOD(HealthFixture, "no endpoint is slow beside one that is away, or that lies") {
  transfer(0, megabyte, 10s);
  transfer(1, megabyte, 1s);
  transfer(2, megabyte, 1s);
  health.failed(1);
  CHECK(health.states()[0].slow);
  health.sent_wrong_bytes(2, Doubt::certain);
  CHECK_FALSE(health.states()[0].slow);
  clock.advance(11s);
  CHECK_FALSE(health.states()[0].slow);  // nobody knows whether it is back
  health.answered(1);
  CHECK(health.states()[0].slow);
}

TEST_CASE_METHOD(HealthFixture, "a slow endpoint that has become fast is used again") {
  transfer(0, megabyte, 10s);
  transfer(1, megabyte, 1s);
  for (int i = 0; i < 10; ++i) transfer(0, megabyte, 500ms);
  CHECK_FALSE(health.states()[0].slow);
  CHECK(next() == 0);
  CHECK(next() == 2);  // the one that nobody knows yet counts as the best
}

TEST_CASE_METHOD(HealthFixture, "one that has failed comes after a slow one") {
  transfer(0, megabyte, 10s);
  transfer(1, megabyte, 1s);
  transfer(2, megabyte, 1s);
  health.failed(1);
  CHECK(health.order_for_transfer() == Order{2, 0, 1});
}

TEST_CASE_METHOD(HealthFixture, "small answers say nothing about a rate") {
  transfer(0, 100, 900ms);
  transfer(0, megabyte, 0s);
  CHECK(health.states()[0].rate == 0);
}

TEST_CASE_METHOD(HealthFixture, "an endpoint that answers and then sends nothing is slow") {
  transfer(1, megabyte, 1s);
  transfer(0, 0, 3s);
  CHECK(health.states()[0].slow);
  CHECK(next() != 0);
}

}  // namespace
}  // namespace paddock

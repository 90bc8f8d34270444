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
  EndpointHealth health{3, {.rest = 10s, .distrust = 60s, .probe = 30s}, clock};

  void transfer(std::size_t endpoint, std::uint64_t bytes, std::chrono::nanoseconds time) {
    health.transfer_began(endpoint);
    health.transfer_ended(endpoint, bytes, time);
  }
  std::size_t next() {
    const auto endpoint = health.order_for_transfer().front();
    health.transfer_began(endpoint);
    return endpoint;
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
  health.sent_wrong_bytes(0);
  health.answered(0);
  CHECK(health.order() == Order{1, 2, 0});
  CHECK(health.order_for_transfer() == Order{1, 2, 0});
  CHECK(health.states()[0].distrusted);
  clock.advance(60s);
  CHECK(health.order() == Order{0, 1, 2});
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

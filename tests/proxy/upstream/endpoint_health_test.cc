#include "proxy/upstream/endpoint_health.h"

#include <catch2/catch.hpp>

#include "tests/support/manual_clock.h"

namespace paddock {
namespace {

using Order = std::vector<std::size_t>;

TEST_CASE("endpoints are tried as configured, those that failed last") {
  ManualClock clock;
  EndpointHealth health(3, std::chrono::seconds(10), clock);
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

TEST_CASE("an endpoint is trusted again when it answers or its rest is over") {
  ManualClock clock;
  EndpointHealth health(2, std::chrono::seconds(10), clock);
  health.failed(0);
  health.answered(0);
  CHECK(health.order() == Order{0, 1});
  health.failed(0);
  clock.advance(std::chrono::seconds(9));
  CHECK(health.resting(0));
  clock.advance(std::chrono::seconds(1));
  CHECK_FALSE(health.resting(0));
  CHECK(health.order() == Order{0, 1});
}

}  // namespace
}  // namespace paddock

#include "proxy/warm/rate_meter.h"

#include <catch2/catch.hpp>

using namespace paddock;
using namespace std::chrono_literals;

namespace {

const SteadyTime begin{1h};

}  // namespace

TEST_CASE("a steady stream has its rate, and its end can be told") {
  RateMeter meter;
  for (int second = 0; second <= 10; ++second)
    meter.sample(1000U * static_cast<unsigned>(second), begin + std::chrono::seconds(second));
  CHECK(meter.rate() == 1000);
  CHECK(meter.eta(5000) == 5s);
  CHECK(meter.eta(0) == 0s);
}

TEST_CASE("what was there at first is not counted") {
  RateMeter meter;
  meter.sample(1'000'000, begin);
  CHECK(meter.rate() == 0);
  meter.sample(1'000'100, begin + 1s);
  CHECK(meter.rate() == 100);
}

TEST_CASE("a rate that changes is followed, but not at once") {
  RateMeter meter;
  meter.sample(0, begin);
  meter.sample(1000, begin + 1s);
  meter.sample(1000, begin + 2s);
  CHECK(meter.rate() > 500);
  CHECK(meter.rate() < 1000);
  meter.sample(1000, begin + 60s);
  CHECK(meter.rate() < 1);
  CHECK_FALSE(meter.eta(1));
}

TEST_CASE("a number that went back begins anew, and samples that are too close are left out") {
  RateMeter meter;
  meter.sample(1000, begin);
  meter.sample(2000, begin + 1ms);
  CHECK(meter.rate() == 0);
  meter.sample(10, begin + 1s);
  CHECK(meter.rate() == 0);
  meter.sample(20, begin + 2s);
  CHECK(meter.rate() == 10);
}

TEST_CASE("an end that is further away than anybody waits is none") {
  RateMeter meter;
  meter.sample(0, begin);
  meter.sample(2, begin + 1s);
  CHECK_FALSE(meter.eta(UINT64_MAX));
}

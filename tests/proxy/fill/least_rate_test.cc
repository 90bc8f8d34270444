#include "proxy/fill/least_rate.h"

#include <catch2/catch.hpp>

using namespace paddock;
using namespace std::chrono_literals;

namespace {

constexpr LeastRate::Options options{.rate = 1000, .window = 10s};

}  // namespace

TEST_CASE("a byte now and then is too slow once the window is over") {
  LeastRate pace(options);
  for (int i = 0; i < 9; ++i) CHECK(pace.enough(1, 1s));
  CHECK_FALSE(pace.enough(1, 1s));
}

TEST_CASE("the least rate is enough, a little less is not") {
  LeastRate just(options), less(options);
  for (int i = 0; i < 100; ++i) CHECK(just.enough(1000, 1s));
  for (int i = 0; i < 9; ++i) CHECK(less.enough(999, 1s));
  CHECK_FALSE(less.enough(999, 1s));
}

TEST_CASE("what was brought in an earlier window is no excuse") {
  LeastRate pace(options);
  CHECK(pace.enough(1'000'000, 5s));
  CHECK(pace.enough(1, 5s));
  CHECK(pace.enough(1, 5s));
  CHECK_FALSE(pace.enough(1, 5s));
}

TEST_CASE("reads that need not wait are never too slow, however long we take between them") {
  LeastRate pace(options);
  for (int i = 0; i < 10'000; ++i) REQUIRE(pace.enough(1, 0s));
}

TEST_CASE("one long silence is the time limit's of the read, several are a drip") {
  LeastRate pace(options);
  CHECK(pace.enough(1, 100s));
  CHECK_FALSE(pace.enough(1, 100s));
  LeastRate recovers(options);
  CHECK(recovers.enough(1, 100s));
  CHECK(recovers.enough(20'000, 1s));
  CHECK(recovers.enough(20'000, 4s));
}

TEST_CASE("without a least rate anything will do") {
  LeastRate pace({.rate = 0, .window = 10s});
  for (int i = 0; i < 100; ++i) CHECK(pace.enough(1, 10s));
}

#include "storage/negative_cache.h"

#include <catch2/catch.hpp>

#include "tests/support/manual_clock.h"

using namespace paddock;
using namespace std::chrono_literals;

TEST_CASE("what does not exist is remembered for the ttl only") {
  ManualClock clock;
  NegativeCache cache(clock, 10s);
  CHECK_FALSE(cache.contains("a"));
  cache.add("a");
  clock.advance(9s);
  CHECK(cache.contains("a"));
  CHECK_FALSE(cache.contains("b"));
  clock.advance(1s);
  CHECK_FALSE(cache.contains("a"));
}

TEST_CASE("it is forgotten when it has appeared") {
  ManualClock clock;
  NegativeCache cache(clock, 10s);
  cache.add("a");
  cache.remove("a");
  CHECK_FALSE(cache.contains("a"));
}

TEST_CASE("a flood of names does not grow it beyond its limit") {
  ManualClock clock;
  NegativeCache cache(clock, 10s, 3);
  for (const auto* name : {"a", "b", "c", "d"}) cache.add(name);
  CHECK(cache.contains("d"));
  CHECK_FALSE(cache.contains("a"));
}

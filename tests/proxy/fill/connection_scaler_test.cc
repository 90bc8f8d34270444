#include "proxy/fill/connection_scaler.h"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace paddock;

namespace {

// The target after `samples` of a network where each connection brings `each` and all together at most `total`.
std::size_t settle(ConnectionScaler& scaler, double each, double total, int samples) {
  for (int i = 0; i < samples; ++i) scaler.sample(std::min(each * static_cast<double>(scaler.target()), total));
  return scaler.target();
}

}  // namespace

TEST_CASE("a fill begins with one connection") { CHECK(ConnectionScaler({}).target() == 1); }

TEST_CASE("where each connection is throttled all of them are used, within three samples") {
  ConnectionScaler scaler({.limit = 8});
  CHECK(settle(scaler, 40e6, 1e12, 3) == 8);
  CHECK(settle(scaler, 40e6, 1e12, 100) == 8);
}

TEST_CASE("where one connection takes all there is, no more are kept") {
  ConnectionScaler scaler({.limit = 8});
  CHECK(settle(scaler, 1e9, 1e9, 2) == 1);
}

TEST_CASE("growth ends where it does not pay any more") {
  ConnectionScaler scaler({.limit = 16});
  settle(scaler, 100, 400, 4);
  CHECK(scaler.target() == 4);
}

TEST_CASE("a limit that is no power of two is reached") {
  ConnectionScaler scaler({.limit = 5});
  CHECK(settle(scaler, 40e6, 1e12, 10) == 5);
}

TEST_CASE("after a while it is tried again, as the network may have changed") {
  ConnectionScaler scaler({.limit = 8, .hold = 10});
  REQUIRE(settle(scaler, 100, 100, 2) == 1);
  CHECK(settle(scaler, 100, 1e9, 9) == 1);
  CHECK(settle(scaler, 100, 1e9, 4) == 8);
}

TEST_CASE("a limit of one is kept") {
  ConnectionScaler scaler({.limit = 1});
  CHECK(settle(scaler, 100, 1e9, 50) == 1);
}

TEST_CASE("an upstream that does not want more gets half as many, down to one") {
  ConnectionScaler scaler({.limit = 8, .hold = 3});
  REQUIRE(settle(scaler, 100, 1e9, 3) == 8);
  scaler.back_off();
  CHECK(scaler.target() == 4);
  CHECK(settle(scaler, 100, 1e9, 3) == 4);
  for (int i = 0; i < 5; ++i) scaler.back_off();
  CHECK(scaler.target() == 1);
}

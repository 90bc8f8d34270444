#include "proxy/fill/connection_scaler.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

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
  ConnectionScaler scaler({.limit = 8, .first_hold = 10, .hold = 10});
  REQUIRE(settle(scaler, 100, 100, 2) == 1);
  CHECK(settle(scaler, 100, 1e9, 9) == 1);
  CHECK(settle(scaler, 100, 1e9, 4) == 8);
}

TEST_CASE("a burst at the beginning keeps it from growing for a moment only") {
  ConnectionScaler scaler({.limit = 8});
  scaler.sample(100e6);  // what buffers on the way had taken in
  CHECK(settle(scaler, 40e6, 1e12, 1) == 1);
  CHECK(settle(scaler, 40e6, 1e12, 5) == 8);
}

TEST_CASE("where more do not pay it is tried more and more seldom") {
  ConnectionScaler scaler({.limit = 8, .first_hold = 1, .hold = 4});
  std::vector<std::size_t> tries;
  for (std::size_t i = 1; i <= 24; ++i) {
    scaler.sample(100);
    if (scaler.target() == 2) tries.push_back(i);
  }
  CHECK(tries == std::vector<std::size_t>{1, 4, 8, 14, 20});
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

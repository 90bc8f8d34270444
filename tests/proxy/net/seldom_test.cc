#include "proxy/net/seldom.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

using std::chrono::seconds;

TEST_CASE("the first time is reported at once, the rest together a minute later") {
  Seldom seldom;
  const Seldom::Time start{};
  CHECK(seldom.happened(start) == 1U);
  for (int i = 1; i < 60; ++i) CHECK_FALSE(seldom.happened(start + seconds(i)).has_value());
  CHECK(seldom.happened(start + seconds(60)) == 60U);
  CHECK_FALSE(seldom.happened(start + seconds(61)).has_value());
}

TEST_CASE("what has not happened for long is reported as new") {
  Seldom seldom(seconds(10));
  const Seldom::Time start{};
  CHECK(seldom.happened(start) == 1U);
  CHECK(seldom.happened(start + seconds(1000)) == 1U);
}

}  // namespace
}  // namespace paddock

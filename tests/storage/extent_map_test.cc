#include "storage/extent_map.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

namespace paddock {
namespace {

using Runs = std::map<std::uint64_t, std::uint64_t>;

TEST_CASE("an empty map has nothing anywhere") {
  const ExtentMap map;
  CHECK(map.run_end(0) == 0);
  CHECK(map.run_end(7) == 7);
  CHECK(map.total() == 0);
  CHECK(map.first_gap(0, 10) == Extent{0, 10});
  CHECK(map.covers({3, 3}));
  CHECK_FALSE(map.covers({3, 4}));
}

TEST_CASE("extents that touch or overlap become one run") {
  ExtentMap map;
  SECTION("touching on the right") {
    map.add({0, 10});
    map.add({10, 20});
    CHECK(map.runs() == Runs{{0, 20}});
  }
  SECTION("touching on the left") {
    map.add({10, 20});
    map.add({0, 10});
    CHECK(map.runs() == Runs{{0, 20}});
  }
  SECTION("closing a gap") {
    map.add({0, 10});
    map.add({20, 30});
    map.add({10, 20});
    CHECK(map.runs() == Runs{{0, 30}});
  }
  SECTION("swallowing several") {
    map.add({5, 6});
    map.add({10, 12});
    map.add({20, 30});
    map.add({4, 25});
    CHECK(map.runs() == Runs{{4, 30}});
  }
  SECTION("inside another") {
    map.add({0, 100});
    map.add({40, 50});
    CHECK(map.runs() == Runs{{0, 100}});
  }
  SECTION("apart") {
    map.add({0, 1});
    map.add({2, 3});
    CHECK(map.runs() == Runs{{0, 1}, {2, 3}});
  }
}

TEST_CASE("an empty or inverted extent changes nothing") {
  ExtentMap map;
  map.add({5, 5});
  map.add({9, 3});
  CHECK(map.runs().empty());
}

TEST_CASE("gaps are found from an offset on and cut at the limit") {
  ExtentMap map;
  map.add({10, 20});
  map.add({30, 40});
  CHECK(map.first_gap(0, 100) == Extent{0, 10});
  CHECK(map.first_gap(0, 5) == Extent{0, 5});
  CHECK(map.first_gap(10, 100) == Extent{20, 30});
  CHECK(map.first_gap(25, 100) == Extent{25, 30});
  CHECK(map.first_gap(35, 100) == Extent{40, 100});
  CHECK(map.first_gap(10, 20) == Extent{20, 20});
  CHECK(map.first_gap(10, 15) == Extent{15, 15});
}

TEST_CASE("offsets at the top of the range do not wrap") {
  ExtentMap map;
  map.add({UINT64_MAX - 5, UINT64_MAX});
  map.add({0, 1});
  CHECK(map.run_end(UINT64_MAX - 2) == UINT64_MAX);
  CHECK(map.total() == 6);
}

TEST_CASE("random extents agree with a plain array of flags") {
  std::mt19937 random(20240607);
  constexpr std::uint64_t length = 60;
  for (int round = 0; round < 200; ++round) {
    ExtentMap map;
    std::vector<bool> present(length, false);
    for (int step = 0; step < 12; ++step) {
      const std::uint64_t begin = random() % length;
      const std::uint64_t end = std::min(length, begin + random() % 12);
      map.add({begin, end});
      for (auto i = begin; i < end; ++i) present[i] = true;
    }
    CHECK(map.total() == static_cast<std::uint64_t>(std::ranges::count(present, true)));
    for (std::uint64_t offset = 0; offset < length; ++offset) {
      std::uint64_t end = offset;
      while (end < length && present[end]) ++end;
      std::uint64_t gap_end = end;
      while (gap_end < length && !present[gap_end]) ++gap_end;
      REQUIRE(map.run_end(offset) == end);
      REQUIRE(map.first_gap(offset, length) == Extent{end, gap_end});
      REQUIRE(map.covers({offset, end}));
      REQUIRE((end == length || !map.covers({offset, end + 1})));
    }
    std::uint64_t last_end = 0;
    for (const auto& [begin, end] : map.runs()) {
      REQUIRE((begin > last_end || (begin == 0 && last_end == 0)));
      REQUIRE(end > begin);
      last_end = end;
    }
  }
}

}  // namespace
}  // namespace paddock

#include "storage/recent_misses.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30U;
const RecentMisses::Time noon{std::chrono::hours(12)};
const std::uint64_t file = std::uint64_t{1234} << 20U, other = std::uint64_t{1235} << 20U;

TEST_CASE("a page that was missing is a recent miss for a while, and so is what follows it") {
  RecentMisses misses;
  misses.note(file, gibibyte + 5, noon);
  for (const std::uint64_t offset : {gibibyte, gibibyte + 5, gibibyte + RecentMisses::neighbourhood}) {
    CHECK(misses.near(file, offset, noon));
    CHECK(misses.near(file, offset, noon + RecentMisses::lately));
    CHECK_FALSE(misses.near(file, offset, noon + RecentMisses::lately + std::chrono::milliseconds(1)));
  }
}

TEST_CASE("what lies far from a miss, before it, or in another file has nothing to do with it") {
  RecentMisses misses;
  misses.note(file, gibibyte, noon);
  CHECK_FALSE(misses.near(file, gibibyte - 1, noon));
  CHECK_FALSE(misses.near(file, gibibyte + 2 * RecentMisses::neighbourhood, noon));
  CHECK_FALSE(misses.near(file, 0, noon));
  CHECK_FALSE(misses.near(other, gibibyte, noon));
}

TEST_CASE("nothing was missing at first, however soon after the machine's start") {
  RecentMisses misses;
  CHECK_FALSE(misses.near(file, 0, RecentMisses::Time()));
  CHECK_FALSE(misses.near(0, 0, RecentMisses::Time() + std::chrono::seconds(1)));
}

TEST_CASE("a later miss counts from when it was") {
  RecentMisses misses;
  misses.note(file, 0, noon);
  misses.note(file, 0, noon + std::chrono::seconds(4));
  CHECK(misses.near(file, 0, noon + std::chrono::seconds(8)));
}

}  // namespace
}  // namespace paddock

#include "storage/recent_misses.h"

#include <catch2/catch.hpp>
#include <chrono>

namespace paddock {
namespace {

const RecentMisses::Time noon{std::chrono::hours(12)};
constexpr std::uint64_t file = 1234, other = 1235;

TEST_CASE("a page that was missing makes its file doubtful for a while, and no other") {
  RecentMisses misses;
  misses.note(file, noon);
  CHECK(misses.has(file, noon));
  CHECK(misses.has(file, noon + RecentMisses::lately));
  CHECK_FALSE(misses.has(file, noon + RecentMisses::lately + std::chrono::milliseconds(1)));
  CHECK_FALSE(misses.has(other, noon));
}

TEST_CASE("nothing was missing at first, however soon after the machine's start") {
  const RecentMisses misses;
  CHECK_FALSE(misses.has(file, RecentMisses::Time()));
  CHECK_FALSE(misses.has(0, RecentMisses::Time() + std::chrono::seconds(1)));
}

TEST_CASE("a later miss counts from when it was") {
  RecentMisses misses;
  misses.note(file, noon);
  misses.note(file, noon + std::chrono::seconds(4));
  CHECK(misses.has(file, noon + std::chrono::seconds(8)));
}

TEST_CASE("a file is doubtful for as long as somebody waits for its disk") {
  RecentMisses misses;
  misses.begin(file);
  misses.begin(file);
  misses.end(file);
  CHECK(misses.has(file, noon + std::chrono::hours(1)));
  CHECK_FALSE(misses.has(other, noon));
  misses.end(file);
  CHECK_FALSE(misses.has(file, noon));
}

}  // namespace
}  // namespace paddock

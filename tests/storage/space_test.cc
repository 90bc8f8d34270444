#include "storage/space.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "tests/storage/file_system_conformance.h"
#include "tests/support/memory_file_system.h"

namespace paddock {
namespace {

constexpr std::uint64_t KiB = 1024;

struct Fixture {
  explicit Fixture(std::uint64_t max_size, std::uint64_t min_free = 0, std::uint64_t capacity = 1000 * KiB)
      : fs(capacity), space(fs, {.folder = "/", .max_size = max_size, .min_free = min_free}) {}
  MemoryFileSystem fs;
  Space space;
};

TEST_CASE("a reservation counts until it is given back") {
  Fixture f(100);
  {
    const auto held = f.space.reserve(60);
    REQUIRE(held);
    CHECK(held->bytes() == 60);
    CHECK(f.space.usage().reserved == 60);
    const auto more = f.space.reserve(41);
    REQUIRE_FALSE(more);
    CHECK(more.error().code == ErrorCode::no_space);
    CHECK(f.space.reserve(40));
  }
  CHECK(f.space.usage().reserved == 0);
  CHECK(f.space.reserve(100));
}

TEST_CASE("what is committed is stored, and the rest of the promise is given back") {
  Fixture f(100);
  auto held = f.space.reserve(60);
  held->note_written(50);
  held->commit(50);
  CHECK(held->bytes() == 0);
  CHECK(f.space.usage().stored == 50);
  CHECK(f.space.usage().reserved == 0);
  held = Reservation();
  CHECK(f.space.usage().stored == 50);
  f.space.remove_stored(50);
  CHECK(f.space.usage().stored == 0);
  f.space.remove_stored(1);  // never below nothing
  CHECK(f.space.usage().stored == 0);
}

TEST_CASE("a reservation grows, and keeps what it has when it cannot") {
  Fixture f(100);
  auto held = f.space.reserve(10);
  REQUIRE(held->grow_to(80));
  REQUIRE(held->grow_to(20));
  CHECK(held->bytes() == 80);
  CHECK(held->grow_to(101).error().code == ErrorCode::no_space);
  CHECK(held->bytes() == 80);
  CHECK(f.space.usage().reserved == 80);
}

TEST_CASE("moving a reservation moves the promise") {
  Fixture f(100);
  auto first = f.space.reserve(10);
  auto second = f.space.reserve(20);
  Reservation taken = std::move(*first);
  CHECK(f.space.usage().reserved == 30);
  *second = std::move(taken);
  CHECK(second->bytes() == 10);
  taken = Reservation();
  CHECK(f.space.usage().reserved == 10);
}

TEST_CASE("without a space anything can be promised") {
  Reservation none;
  CHECK(none.grow_to(UINT64_MAX));
  none.note_written(5);
  none.commit(5);
  CHECK(none.bytes() == 0);
}

TEST_CASE("the disk keeps min_free") {
  Fixture f(0, 300 * KiB);
  CHECK(f.space.reserve(700 * KiB));
  CHECK_FALSE(f.space.reserve(700 * KiB + 1));
  const auto held = f.space.reserve(500 * KiB);
  CHECK_FALSE(f.space.reserve(201 * KiB));
  CHECK(f.space.reserve(200 * KiB));
}

TEST_CASE("bytes that are written already are not counted twice against the disk") {
  Fixture f(0, 300 * KiB);
  auto held = f.space.reserve(600 * KiB);
  const auto file = f.fs.open("/f", FileSystem::Open::create);
  REQUIRE((*file)->write_at(0, bytes_of(std::string(400 * KiB, 'x'))));
  CHECK_FALSE(f.space.reserve(100 * KiB));  // not said yet: counted twice
  held->note_written(400 * KiB);
  CHECK(f.space.reserve(100 * KiB));
  CHECK_FALSE(f.space.reserve(101 * KiB));
  held->note_written(10);  // never less
  CHECK(f.space.reserve(100 * KiB));
}

TEST_CASE("nothing can be reserved always, also on a disk below min_free") {
  Fixture f(0, 2000 * KiB);
  CHECK(f.space.reserve(0));
  CHECK_FALSE(f.space.reserve(1));
}

TEST_CASE("what does not fit asks the evictor for the difference, once") {
  Fixture f(100);
  f.space.add_stored(90);
  std::vector<std::uint64_t> asked;
  SECTION("and fits then") {
    f.space.set_evictor([&](std::uint64_t bytes) {
      asked.push_back(bytes);
      f.space.remove_stored(bytes + 5);
      return bytes + 5;
    });
    CHECK(f.space.reserve(30));
    CHECK(asked == std::vector<std::uint64_t>{20});
    CHECK(f.space.usage().stored == 65);
  }
  SECTION("and fails when that is not enough") {
    f.space.set_evictor([&](std::uint64_t bytes) {
      asked.push_back(bytes);
      f.space.remove_stored(3);
      return std::uint64_t{3};
    });
    CHECK(f.space.reserve(30).error().code == ErrorCode::no_space);
    CHECK(asked.size() == 1);
    CHECK(f.space.usage().reserved == 0);
  }
  SECTION("and is not asked for what can never fit") {
    f.space.set_evictor([&](std::uint64_t bytes) {
      asked.push_back(bytes);
      return bytes;
    });
    CHECK_FALSE(f.space.reserve(101));
    CHECK_FALSE(f.space.reserve(UINT64_MAX));
    CHECK(asked.empty());
    CHECK(f.space.usage().stored == 90);
  }
}

TEST_CASE("limits change at run time") {
  Fixture f(100);
  f.space.set_limits(50, 0);
  CHECK_FALSE(f.space.reserve(51));
  f.space.set_limits(0, 0);
  CHECK(f.space.reserve(500));
}

TEST_CASE("usage tells the limits and the disk") {
  Fixture f(100, 7, 1000);
  const auto usage = f.space.usage();
  CHECK(usage.max_size == 100);
  CHECK(usage.min_free == 7);
  CHECK(usage.disk_total == 1000);
  CHECK(usage.disk_available == 1000);
}

TEST_CASE("a disk that cannot be asked fails the reservation") {
  MemoryFileSystem fs;
  Space space(fs, {.folder = "/gone", .max_size = 100});
  CHECK(space.reserve(1).error().code == ErrorCode::not_found);
}

TEST_CASE("many threads never promise more than there is, and one evicts at a time") {
  Fixture f(100);
  f.space.add_stored(100);
  std::atomic<int> evicting = 0;
  std::atomic<bool> two_at_once = false;
  f.space.set_evictor([&](std::uint64_t bytes) {
    if (++evicting > 1) two_at_once = true;
    f.space.remove_stored(bytes);
    --evicting;
    return bytes;
  });
  std::atomic<bool> over = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        auto held = f.space.reserve(20);
        if (const auto usage = f.space.usage(); usage.stored + usage.reserved > 100) over = true;
        if (held && round % 2 == 0) held->commit(20);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK_FALSE(over);
  CHECK_FALSE(two_at_once);
  CHECK(f.space.usage().reserved == 0);
}

}  // namespace
}  // namespace paddock

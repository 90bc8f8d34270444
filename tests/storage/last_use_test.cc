#include "storage/last_use.h"

#include <catch2/catch.hpp>
#include <thread>

#include "tests/support/manual_clock.h"
#include "tests/support/memory_catalog.h"

namespace paddock {
namespace {

struct Fixture {
  ManualClock clock;
  MemoryCatalog catalog;
  LastUse last_use{catalog, clock, 3};
  const WallTime start = clock.wall();
  const Digest a = Digest::of("a");
  const Digest b = Digest::of("b");

  Fixture() {
    REQUIRE(catalog.put_blob(a, {1, start}));
    REQUIRE(catalog.put_blob(b, {1, start}));
  }
  WallTime used(const Digest& digest) { return catalog.blob(digest).value().value().last_used; }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "uses reach the catalog at a flush, in one batch", "[last_use]") {
  clock.advance(std::chrono::seconds(10));
  last_use.record(a);
  clock.advance(std::chrono::seconds(10));
  last_use.record(b);
  CHECK(used(a) == start);
  CHECK(catalog.touch_calls() == 0);
  REQUIRE(last_use.flush());
  CHECK(catalog.touch_calls() == 1);
  CHECK(used(a) == start + std::chrono::seconds(10));
  CHECK(used(b) == start + std::chrono::seconds(20));
}

TEST_CASE_METHOD(Fixture, "the last use of a blob counts", "[last_use]") {
  last_use.record(a);
  clock.advance(std::chrono::seconds(5));
  last_use.record(a);
  REQUIRE(last_use.flush());
  CHECK(used(a) == start + std::chrono::seconds(5));
}

TEST_CASE_METHOD(Fixture, "a flush without uses does not touch the catalog", "[last_use]") {
  REQUIRE(last_use.flush());
  last_use.record(a);
  REQUIRE(last_use.flush());
  REQUIRE(last_use.flush());
  CHECK(catalog.touch_calls() == 1);
}

TEST_CASE_METHOD(Fixture, "a use is pending until it is flushed", "[last_use]") {
  CHECK_FALSE(last_use.pending(a));
  last_use.record(a);
  CHECK(last_use.pending(a));
  CHECK_FALSE(last_use.pending(b));
  REQUIRE(last_use.flush());
  CHECK_FALSE(last_use.pending(a));
}

TEST_CASE_METHOD(Fixture, "beyond the limit new uses are dropped and counted, known ones renewed", "[last_use]") {
  for (const char* name : {"a", "x", "y", "b", "z"}) last_use.record(Digest::of(name));
  CHECK(last_use.dropped() == 2);
  clock.advance(std::chrono::seconds(7));
  last_use.record(a);
  CHECK(last_use.dropped() == 2);
  REQUIRE(last_use.flush());
  CHECK(used(a) == start + std::chrono::seconds(7));
  CHECK(used(b) == start);
  last_use.record(b);
  CHECK(last_use.pending(b));
}

TEST_CASE_METHOD(Fixture, "a failed flush keeps the uses for the next", "[last_use]") {
  clock.advance(std::chrono::seconds(3));
  last_use.record(a);
  catalog.fail_with(Error{ErrorCode::io, Blame::us, "broken"});
  const auto failed = last_use.flush();
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == ErrorCode::io);
  CHECK(last_use.pending(a));
  catalog.fail_with(std::nullopt);
  REQUIRE(last_use.flush());
  CHECK(used(a) == start + std::chrono::seconds(3));
}

TEST_CASE_METHOD(Fixture, "a use of an unknown blob makes no row", "[last_use]") {
  last_use.record(Digest::of("unknown"));
  REQUIRE(last_use.flush());
  CHECK(catalog.blob(Digest::of("unknown")).value() == std::nullopt);
}

TEST_CASE("many uses are written in several batches", "[last_use]") {
  ManualClock clock;
  MemoryCatalog catalog;
  LastUse last_use(catalog, clock);
  for (int i = 0; i < 3000; ++i) {
    const Digest digest = Digest::of(std::to_string(i));
    REQUIRE(catalog.put_blob(digest, {1, {}}));
    last_use.record(digest);
  }
  REQUIRE(last_use.flush());
  CHECK(catalog.touch_calls() == 3);
  for (int i = 0; i < 3000; ++i) {
    REQUIRE(catalog.blob(Digest::of(std::to_string(i))).value()->last_used == clock.wall());
  }
}

TEST_CASE("uses are recorded and flushed from many threads, none lost", "[last_use]") {
  ManualClock clock;
  MemoryCatalog catalog;
  LastUse last_use(catalog, clock);
  for (int i = 0; i < 400; ++i) REQUIRE(catalog.put_blob(Digest::of(std::to_string(i)), {1, {}}));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        last_use.record(Digest::of(std::to_string(t * 100 + i)));
        if (i % 10 == 0) (void)last_use.flush();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  REQUIRE(last_use.flush());
  int used = 0;
  REQUIRE(catalog.for_each_blob([&](const Digest&, const BlobRecord& record) {
    used += record.last_used == clock.wall() ? 1 : 0;
    return true;
  }));
  CHECK(used == 400);
}

}  // namespace paddock

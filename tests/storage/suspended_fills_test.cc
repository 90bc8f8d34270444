#include "storage/suspended_fills.h"

#include <catch2/catch.hpp>

#include "tests/storage/file_system_conformance.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_file_system.h"

namespace paddock {
namespace {

using namespace std::chrono_literals;

struct SuspendedFixture {
  MemoryFileSystem memory;
  FaultFileSystem fs{memory};
  DataPaths paths{"/data"};
  Space space{fs, {.folder = "/data"}};
  ManualClock clock;
  SuspendedFills fills{fs, paths, space, clock, "boot 1"};
  const Digest one = Digest::of("one"), two = Digest::of("two");

  SuspendedFixture() { REQUIRE(fs.create_directories(paths.partial())); }

  static PartialProgress progress(std::uint64_t bytes) {
    PartialProgress made{.size = 1000, .extents = {}};
    made.extents.add({0, bytes});
    return made;
  }
  // As a process leaves it that dies in mid fill.
  void leave(const Digest& digest, std::uint64_t noted, std::uint64_t in_file) {
    REQUIRE(write_file_durably(fs, paths.partial(digest), std::string(in_file, 'x')));
    REQUIRE(fills.journal(digest)->note_synced(progress(noted)));
  }
  auto files() { return names_in(fs, paths.partial()); }
};

TEST_CASE_METHOD(SuspendedFixture, "without a folder there is nothing to keep") {
  SuspendedFills none(fs, DataPaths("/elsewhere"), space, clock, "boot 1");
  CHECK(none.load().value() == 0);
}

TEST_CASE_METHOD(SuspendedFixture, "what a journal vouches for is kept over a start, and counts as stored") {
  leave(one, 300, 400);
  CHECK(fills.load().value() == 0);
  CHECK(space.usage().stored == 300);
  const auto known = fills.take(one);
  REQUIRE(known);
  CHECK(known->size == 1000);
  CHECK(known->extents.total() == 300);
  CHECK(space.usage().stored == 0);
  CHECK_FALSE(fills.take(one));
}

TEST_CASE_METHOD(SuspendedFixture, "a file that is shorter than its journal says is worth nothing") {
  leave(one, 300, 299);
  CHECK(fills.load().value() == 2);
  CHECK(files().empty());
  CHECK_FALSE(fills.take(one));
}

TEST_CASE_METHOD(SuspendedFixture, "what nobody vouches for is removed at the start") {
  leave(one, 300, 400);
  REQUIRE(write_file_durably(fs, paths.partial(two), "bytes without a journal"));
  REQUIRE(fills.journal(Digest::of("three"))->note_synced(progress(10)));
  for (const char* name : {"nonsense", "sha256-ab", "sha256-../../etc", ".synced", "a.put", "b.tmp"}) {
    if (std::string_view(name).find('/') != std::string_view::npos) continue;
    REQUIRE(write_file_durably(fs, paths.partial() / name, "x"));
  }
  CHECK(fills.load().value() == 7);
  CHECK(files().size() == 2);
  CHECK(fills.take(one));
}

TEST_CASE_METHOD(SuspendedFixture, "what is left of a blob that is stored is removed, and counts nothing") {
  leave(one, 300, 400);
  leave(two, 200, 200);
  REQUIRE(fs.create_directories(paths.blob(one).parent_path()));
  REQUIRE(write_file_durably(fs, paths.blob(one), "stored"));
  CHECK(fills.load().value() == 2);
  CHECK_FALSE(fills.take(one));
  CHECK(space.usage().stored == 200);
  CHECK(files().size() == 2);
  CHECK(fs.open(paths.blob(one), FileSystem::Open::read));
}

TEST_CASE_METHOD(SuspendedFixture, "those are told that have every byte") {
  CHECK(fills.whole().empty());
  leave(one, 1000, 1000);
  leave(two, 999, 1000);
  REQUIRE(fills.load());
  auto holed = progress(500);
  holed.extents.add({501, 1000});
  fills.keep(Digest::of("three"), holed);
  CHECK(fills.whole() == std::vector{one});
  REQUIRE(fills.take(one));
  CHECK(fills.whole().empty());
}

TEST_CASE_METHOD(SuspendedFixture, "the oldest is dropped first, and no more than needed") {
  leave(one, 300, 300);
  leave(two, 200, 200);
  fills.keep(one, progress(300));
  clock.advance(1s);
  fills.keep(two, progress(200));
  CHECK(fills.drop(250) == 300);
  CHECK_FALSE(fills.take(one));
  CHECK(files().size() == 2);
  CHECK(space.usage().stored == 200);
  CHECK(fills.drop(UINT64_MAX) == 200);
  CHECK(files().empty());
  CHECK(fills.drop(1) == 0);
}

TEST_CASE_METHOD(SuspendedFixture, "what is dropped is removed under its own name where it cannot be renamed") {
  leave(one, 300, 300);
  REQUIRE(fills.load());
  fs.fail_all(FaultFileSystem::Op::rename);
  CHECK(fills.drop(1) == 300);
  CHECK(files().empty());
}

TEST_CASE_METHOD(SuspendedFixture, "what was dropped and could not be removed goes at the next start") {
  leave(one, 300, 300);
  REQUIRE(fills.load());
  fs.fail_all(FaultFileSystem::Op::remove);
  CHECK(fills.drop(1) == 300);
  CHECK(space.usage().stored == 0);
  fs.clear();
  SuspendedFills next(fs, paths, space, clock, "boot 1");
  REQUIRE(next.load());
  CHECK(files().empty());
  CHECK_FALSE(next.take(one));
}

TEST_CASE_METHOD(SuspendedFixture, "a file that cannot be removed at the start stops it with the reason") {
  REQUIRE(write_file_durably(fs, paths.partial(two), "x"));
  fs.fail_all(FaultFileSystem::Op::remove);
  CHECK(fills.load().error().code == ErrorCode::io);
}

}  // namespace
}  // namespace paddock

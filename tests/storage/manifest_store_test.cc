#include "storage/manifest_store.h"

#include <catch2/catch.hpp>

#include "storage/disk_blob_store.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_catalog.h"
#include "tests/support/memory_file_system.h"

namespace paddock {
namespace {

const RepositoryKey paddle{"registry.example.com", "paddlepaddle/paddle"};
const RepositoryKey mirror{"docker.io", "paddlepaddle/paddle"};

struct Fixture {
  MemoryFileSystem disk;
  FaultFileSystem fs{disk};
  ManualClock clock;
  MemoryCatalog catalog;
  Space space{fs, {.folder = "/data"}};
  DataPaths paths = DataFolder::open(fs, "/data").value().paths();
  DiskBlobStore blobs{fs, paths, catalog, space, clock, {}};
  RecordFiles records{fs, paths.records()};
  ManifestStore store{blobs, records, catalog};

  const std::string content = R"({"schemaVersion":2})";
  const Digest digest = Digest::of(content);
  const ManifestRecord record{"application/vnd.oci.image.manifest.v1+json", content, {Digest::of("layer")}};

  std::vector<Fact> facts() {
    std::vector<Fact> all;
    REQUIRE(records.for_each(
        [&](const Fact& fact) {
          all.push_back(fact);
          return Result<void>();
        },
        [](const auto&, const Error& error) { return Result<void>(std::unexpected(error)); }, 1));
    return all;
  }
  std::size_t record_count() { return facts().size(); }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a manifest is kept as a blob, a record and a catalog row", "[manifest_store]") {
  REQUIRE(store.put(paddle, digest, record));
  CHECK(read_file(fs, paths.blob(digest), 1000).value() == content);
  CHECK(record_count() == 1);
  CHECK(catalog.manifest(digest).value() == record);
  CHECK(catalog.linked(paddle, Digest::of("layer")).value());
}

TEST_CASE_METHOD(Fixture, "a manifest that the repository has already is not written again", "[manifest_store]") {
  REQUIRE(store.put(paddle, digest, record));
  const auto calls = fs.calls();
  REQUIRE(store.put(paddle, digest, record));
  CHECK(fs.calls() == calls);
}

TEST_CASE_METHOD(Fixture, "a second repository gets a record of its own and shares the bytes", "[manifest_store]") {
  REQUIRE(store.put(paddle, digest, record));
  CHECK_FALSE(catalog.linked(mirror, digest).value());
  REQUIRE(store.put(mirror, digest, record));
  CHECK(catalog.linked(mirror, digest).value());
  CHECK(record_count() == 2);
  CHECK(space.usage().stored == content.size());
}

TEST_CASE_METHOD(Fixture, "a link that came from elsewhere does not stand in for a record", "[manifest_store]") {
  REQUIRE(store.put(mirror, digest, record));
  REQUIRE(catalog.link(paddle, digest));  // the upstream's word
  REQUIRE(store.put(paddle, digest, record));
  CHECK(record_count() == 2);
  CHECK(catalog.linked(paddle, Digest::of("layer")).value());
}

TEST_CASE_METHOD(Fixture, "bytes that are not the digest's are kept nowhere", "[manifest_store]") {
  const auto result = store.put(paddle, Digest::of("something else"), record);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::digest_mismatch);
  CHECK(record_count() == 0);
  CHECK(catalog.manifest(Digest::of("something else")).value() == std::nullopt);
  CHECK(space.usage().stored == 0);
}

TEST_CASE_METHOD(Fixture, "the catalog never knows a manifest that the files would not restore", "[manifest_store]") {
  REQUIRE(store.put(mirror, Digest::of("{}"), {"text/plain", "{}", {}}));
  const auto start = fs.calls();
  REQUIRE(store.put(paddle, digest, record));
  const auto steps = fs.calls() - start;
  REQUIRE(steps > 6);
  for (std::uint64_t step = 0; step < steps; ++step) {
    CAPTURE(step);
    const std::string other = content + std::to_string(step);
    fs.fail_from(fs.calls() + step, ErrorCode::no_space);
    const auto result = store.put(paddle, Digest::of(other), {"text/plain", other, {}});
    fs.clear();
    if (result) continue;  // folders that exist save steps
    CHECK(result.error().code == ErrorCode::no_space);
    CHECK(catalog.manifest(Digest::of(other)).value() == std::nullopt);
    CHECK_FALSE(catalog.linked(paddle, Digest::of(other)).value());
    REQUIRE(store.put(paddle, Digest::of(other), {"text/plain", other, {}}));
    CHECK(catalog.manifest(Digest::of(other)).value());
  }
}

TEST_CASE_METHOD(Fixture, "a tag that moves gets a record and a new time of change", "[manifest_store]") {
  REQUIRE(store.put_tag(paddle, "latest", Digest::of("1"), clock.wall()));
  clock.advance(std::chrono::hours(1));
  REQUIRE(store.put_tag(paddle, "latest", Digest::of("2"), clock.wall()));
  CHECK(catalog.tag(paddle, "latest").value() == TagRecord{Digest::of("2"), clock.wall(), clock.wall()});
  CHECK(record_count() == 1);
}

TEST_CASE_METHOD(Fixture, "a tag that is confirmed touches the catalog alone", "[manifest_store]") {
  const WallTime first = clock.wall();
  REQUIRE(store.put_tag(paddle, "latest", Digest::of("1"), first));
  const auto calls = fs.calls();
  clock.advance(std::chrono::minutes(10));
  REQUIRE(store.put_tag(paddle, "latest", Digest::of("1"), clock.wall()));
  CHECK(fs.calls() == calls);
  CHECK(catalog.tag(paddle, "latest").value() == TagRecord{Digest::of("1"), first, clock.wall()});
}

TEST_CASE_METHOD(Fixture, "a day's first confirmation of a tag is recorded, for when the catalog is lost",
                 "[manifest_store]") {
  const WallTime first = clock.wall();
  REQUIRE(store.put_tag(paddle, "latest", Digest::of("1"), first));
  clock.advance(std::chrono::hours(24));
  const WallTime next_day = clock.wall();
  REQUIRE(store.put_tag(paddle, "latest", Digest::of("1"), next_day));
  const auto calls = fs.calls();
  clock.advance(std::chrono::minutes(10));
  REQUIRE(store.put_tag(paddle, "latest", Digest::of("1"), clock.wall()));
  CHECK(fs.calls() == calls);
  REQUIRE(record_count() == 1);
  const auto fact = std::get<TagFact>(facts().front());
  CHECK(fact.changed == first);
  CHECK(fact.validated == next_day);
}

TEST_CASE_METHOD(Fixture,
                 "a confirmation that should be recorded and cannot be does not count, and the next tries again",
                 "[manifest_store]") {
  const WallTime first = clock.wall();
  REQUIRE(store.put_tag(paddle, "latest", Digest::of("1"), first));
  clock.advance(std::chrono::hours(24));
  for (int i = 0; i < 2; ++i) {
    fs.fail_all(FaultFileSystem::Op::write, ErrorCode::no_space);
    const auto confirmed = store.put_tag(paddle, "latest", Digest::of("1"), clock.wall());
    REQUIRE_FALSE(confirmed);
    CHECK(confirmed.error().code == ErrorCode::no_space);
    CHECK(catalog.tag(paddle, "latest").value()->validated == first);
  }
  fs.clear();
  REQUIRE(store.put_tag(paddle, "latest", Digest::of("1"), clock.wall()));
  CHECK(catalog.tag(paddle, "latest").value() == TagRecord{Digest::of("1"), first, clock.wall()});
  REQUIRE(record_count() == 1);
  CHECK(std::get<TagFact>(facts().front()).validated == clock.wall());
}

TEST_CASE_METHOD(Fixture, "a tag whose record cannot be written does not move", "[manifest_store]") {
  REQUIRE(store.put_tag(paddle, "latest", Digest::of("1"), clock.wall()));
  fs.fail_all(FaultFileSystem::Op::write, ErrorCode::no_space);
  const auto moved = store.put_tag(paddle, "latest", Digest::of("2"), clock.wall());
  REQUIRE_FALSE(moved);
  CHECK(moved.error().code == ErrorCode::no_space);
  CHECK(catalog.tag(paddle, "latest").value()->digest == Digest::of("1"));
}

TEST_CASE_METHOD(Fixture, "erased tags and pins are gone from files and catalog", "[manifest_store]") {
  REQUIRE(store.put_tag(paddle, "latest", Digest::of("1"), clock.wall()));
  REQUIRE(store.put_pin({paddle, "latest", Digest::of("1"), std::nullopt}));
  CHECK(record_count() == 2);
  CHECK(catalog.pins().value().size() == 1);
  REQUIRE(store.erase_tag(paddle, "latest"));
  REQUIRE(store.erase_pin(paddle, "latest"));
  REQUIRE(store.erase_pin(paddle, "never"));
  CHECK(record_count() == 0);
  CHECK(catalog.pins().value().empty());
  CHECK(catalog.tag(paddle, "latest").value() == std::nullopt);
}

TEST_CASE_METHOD(Fixture, "a broken catalog is reported by every operation", "[manifest_store]") {
  catalog.fail_with(Error{ErrorCode::corrupt, Blame::us, "broken"});
  const auto corrupt = [](const Result<void>& result) { return !result && result.error().code == ErrorCode::corrupt; };
  CHECK(corrupt(store.put(paddle, digest, record)));
  CHECK(corrupt(store.put_tag(paddle, "latest", digest, clock.wall())));
  CHECK(corrupt(store.erase_tag(paddle, "latest")));
  CHECK(corrupt(store.put_pin({paddle, "latest", digest, {}})));
  CHECK(corrupt(store.erase_pin(paddle, "latest")));
}

TEST_CASE_METHOD(Fixture, "pins are changed with all that are there in view", "[manifest_store]") {
  const PinRecord old{paddle, "1", digest, std::nullopt, "nightly"},
      fresh{paddle, "2", digest, std::nullopt, "nightly"};
  store.put_pin(old).value();
  const auto replace = [&](const std::vector<PinRecord>& known) {
    CHECK(known == std::vector{old});
    return PinChanges{.put = {fresh}, .erase = known};
  };
  store.change_pins(replace).value();
  CHECK(catalog.pins().value() == std::vector{fresh});
  CHECK(record_count() == 1);
  fs.fail_all(FaultFileSystem::Op::rename, ErrorCode::no_space);
  CHECK_FALSE(store.change_pins([&](const auto&) { return PinChanges{.put = {old}, .erase = {fresh}}; }));
  CHECK(catalog.pins().value() == std::vector{fresh});
}

}  // namespace paddock

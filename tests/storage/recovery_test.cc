#include "storage/recovery.h"

#include <ctime>

#include "tests/storage/recovery_fixture.h"
#include "tests/support/memory_catalog.h"

namespace paddock {

namespace stdfs = std::filesystem;
using Fixture = RecoveryFixture;

TEST_CASE_METHOD(Fixture, "a new data folder starts empty", "[recovery]") {
  const auto run = start();
  CHECK_FALSE(run->report.rebuilt);
  CHECK(run->report.blobs == 0);
  CHECK(run->report.added_rows == 0);
}

TEST_CASE_METHOD(Fixture, "a start after a clean stop changes nothing", "[recovery]") {
  make_store();
  const auto run = start();
  check_all_there(*run);
  CHECK_FALSE(run->report.rebuilt);
  CHECK(run->report.added_rows == 0);
  CHECK(run->report.erased_rows == 0);
}

TEST_CASE_METHOD(Fixture, "a catalog that was deleted is rebuilt from the files", "[recovery]") {
  make_store();
  clock.advance(std::chrono::hours(1));
  stdfs::remove_all(paths.catalog());
  const auto run = start();
  check_all_there(*run);
  CHECK(run->report.rebuilt);
  CHECK(run->catalog->blob(Digest::of("layer one")).value()->last_used == clock.wall());
  const auto tag = run->catalog->tag(paddle, "2.6.1").value().value();
  CHECK(tag.changed == clock.wall() - std::chrono::hours(1));
  CHECK(tag.validated == tag.changed);
}

TEST_CASE_METHOD(Fixture, "a rebuilt tag was confirmed on the day it was last confirmed on", "[recovery]") {
  make_store();
  const WallTime made = clock.wall();
  clock.advance(std::chrono::hours(24 * 60));
  REQUIRE(start()->store.put_tag(paddle, "latest", Digest::of(manifest), clock.wall()));
  const WallTime confirmed = clock.wall();
  clock.advance(std::chrono::hours(1));
  stdfs::remove_all(paths.catalog());
  const auto run = start();
  CHECK(run->catalog->tag(paddle, "latest").value() == TagRecord{Digest::of(manifest), made, confirmed});
  CHECK(run->catalog->tag(paddle, "2.6.1").value() == TagRecord{Digest::of(index), made, made});
}

TEST_CASE_METHOD(Fixture, "temporary files of the last run are removed", "[recovery]") {
  make_store();
  write(paths.records() / "00" / "x.json.3.tmp", "{");
  write(paths.root() / "FORMAT.0.tmp", "");
  auto run = start();
  check_all_there(*run);
  CHECK(run->report.removed_temporaries == 2);
  run.reset();
  CHECK(start()->report.removed_temporaries == 0);
}

TEST_CASE_METHOD(Fixture, "a blob whose row was lost is found", "[recovery]") {
  make_store();
  {
    const auto run = start();
    REQUIRE(run->catalog->erase_blob(Digest::of("layer one")));
  }
  const auto run = start();
  check_all_there(*run);
  CHECK(run->report.added_rows == 1);
  CHECK_FALSE(run->report.rebuilt);
}

TEST_CASE_METHOD(Fixture, "a row whose file was deleted is erased", "[recovery]") {
  make_store();
  stdfs::remove(paths.blob(Digest::of("layer one")));
  const auto run = start();
  CHECK(run->catalog->blob(Digest::of("layer one")).value() == std::nullopt);
  CHECK(run->report.erased_rows == 1);
  CHECK(run->report.blobs == 5);
  CHECK(run->report.bytes == bytes - 9);
  CHECK(run->report.manifests == 3);  // so that the layer alone is filled again
}

TEST_CASE_METHOD(Fixture, "a file of another size than its row says is quarantined", "[recovery]") {
  make_store();
  write(paths.blob(Digest::of("layer one")), "layer");
  auto run = start();
  CHECK(run->catalog->blob(Digest::of("layer one")).value() == std::nullopt);
  CHECK_FALSE(stdfs::exists(paths.blob(Digest::of("layer one"))));
  CHECK(run->report.quarantined == 1);
  CHECK(quarantined_files() == 1);
  run.reset();
  CHECK(start()->report.quarantined == 0);
}

TEST_CASE_METHOD(Fixture, "files that are not named like blobs are quarantined", "[recovery]") {
  make_store();
  const auto real = paths.blob(Digest::of("layer one"));
  const std::string name = Digest::of("elsewhere").hex();
  write(real.parent_path() / name, "in the wrong folder");
  write(real.parent_path() / "README", "x");
  write(real.parent_path() / "folder" / "x", "x");
  write(paths.blobs() / "sha256" / "stray", "x");
  write(paths.blobs() / "md5" / "aa" / "bb" / "aabb", "x");
  write(paths.blobs() / std::string(250, 'n'), "x");
  auto run = start();
  CHECK(run->report.quarantined == 6);
  CHECK(run->report.blobs == 6);
  CHECK(quarantined_files() == 6);
  run.reset();
  const auto again = start();
  check_all_there(*again);
}

TEST_CASE_METHOD(Fixture, "a manifest whose file is gone is dropped with its tags", "[recovery]") {
  make_store();
  stdfs::remove(paths.blob(Digest::of(index)));
  const auto check = [this](Run& run) {
    CHECK(run.catalog->manifest(Digest::of(index)).value() == std::nullopt);
    CHECK_FALSE(run.catalog->linked(paddle, Digest::of(index)).value());
    CHECK(digest_of_tag(run, paddle, "2.6.1") == std::nullopt);
    CHECK(digest_of_tag(run, paddle, "latest") == Digest::of(manifest));
    CHECK(run.catalog->pins().value() == std::vector{pin});  // a wish, for when it is back
  };
  SECTION("with the catalog intact") {}
  SECTION("with the catalog gone") { stdfs::remove_all(paths.catalog()); }
  {
    const auto run = start();
    check(*run);
    CHECK(run->report.dropped_records == 2);
    CHECK(run->report.manifests == 2);
  }
  const auto run = start();
  check(*run);
  CHECK(run->report.dropped_records == 0);
}

TEST_CASE_METHOD(Fixture, "a manifest whose bytes are not its digest's is not restored", "[recovery]") {
  make_store();
  stdfs::remove_all(paths.catalog());
  std::string bad = manifest;
  bad[3] ^= 1;
  write(paths.blob(Digest::of(manifest)), bad);
  auto run = start();
  CHECK(run->catalog->manifest(Digest::of(manifest)).value() == std::nullopt);
  CHECK(run->catalog->blob(Digest::of(manifest)).value() == std::nullopt);
  CHECK(digest_of_tag(*run, paddle, "latest") == std::nullopt);
  CHECK(digest_of_tag(*run, other, "latest") == std::nullopt);
  CHECK(digest_of_tag(*run, paddle, "2.6.1") == Digest::of(index));
  CHECK(run->report.quarantined == 1);
  CHECK(run->report.dropped_records == 4);  // in two repositories, with a tag each
  CHECK(run->report.blobs == 5);
  CHECK(run->report.bytes == bytes - manifest.size());
  run.reset();
  CHECK(start()->report.dropped_records == 0);
}

TEST_CASE_METHOD(Fixture, "what reached the records and not the catalog is put into the catalog", "[recovery]") {
  make_store();
  {
    const auto run = start();
    REQUIRE(run->records.put(TagFact{paddle, "new", Digest::of(manifest), clock.wall()}));
    REQUIRE(run->records.put(TagFact{paddle, "latest", Digest::of(index), clock.wall()}));  // moved
    REQUIRE(run->records.put(ManifestFact{other, Digest::of(index), "a/b", {Digest::of(manifest)}}));
    REQUIRE(run->records.put(PinFact{{other, "latest", Digest::of(manifest), clock.wall()}}));
  }
  const auto run = start();
  CHECK(run->report.added_rows == 4);
  CHECK(digest_of_tag(*run, paddle, "new") == Digest::of(manifest));
  CHECK(digest_of_tag(*run, paddle, "latest") == Digest::of(index));
  CHECK(run->catalog->linked(other, Digest::of(index)).value());
  CHECK(run->catalog->pins().value().size() == 2);
}

TEST_CASE_METHOD(Fixture, "what was erased from the records is erased from the catalog", "[recovery]") {
  make_store();
  {
    const auto run = start();
    REQUIRE(run->records.erase(TagFact{paddle, "latest", Digest::of(""), {}}));
    REQUIRE(run->records.erase(PinFact{pin}));
  }
  const auto run = start();
  CHECK(run->report.erased_rows == 2);
  CHECK(digest_of_tag(*run, paddle, "latest") == std::nullopt);
  CHECK(run->catalog->pins().value().empty());
}

TEST_CASE_METHOD(Fixture, "broken records are quarantined, and written anew from an intact catalog", "[recovery]") {
  make_store();
  std::size_t broken = 0;
  for (const auto& path : files_under(paths.records())) {
    const std::string content = read_file(disk, path, 10'000).value();
    if (content.find("\"manifest\",") == std::string::npos) {
      write(path, content.substr(0, content.size() / 2));
      ++broken;
    }
  }
  REQUIRE(broken == 4);  // the tags and the pin
  {
    const auto run = start();
    CHECK(run->report.broken_records == 4);
    CHECK(run->report.quarantined == 4);
    CHECK(run->report.tags == 3);
  }
  const auto run = start();
  check_all_there(*run);
}

TEST_CASE_METHOD(Fixture, "broken records and no catalog: the rest is rebuilt", "[recovery]") {
  make_store();
  const auto records = files_under(paths.records());
  for (const auto& path : records) write(path, "{}");
  stdfs::remove_all(paths.catalog());
  const auto run = start();
  CHECK(run->report.rebuilt);
  CHECK(run->report.broken_records == records.size());
  CHECK(run->report.blobs == 6);
  CHECK(run->catalog->repositories({}, 10).value().empty());
}

TEST_CASE_METHOD(Fixture, "a catalog that opens and then reads corrupt is rebuilt", "[recovery]") {
  make_store();
  int opened = 0;
  int set_aside = 0;
  const CatalogAccess real = access;
  access.open = [&]() -> Result<std::unique_ptr<Catalog>> {
    if (++opened > 1) return real.open();
    auto catalog = std::make_unique<MemoryCatalog>();
    catalog->fail_with(Error{ErrorCode::corrupt, Blame::us, "a bad block"});
    return catalog;
  };
  access.set_aside = [&] {
    ++set_aside;
    return real.set_aside();
  };
  const auto run = start();
  check_all_there(*run);
  CHECK(run->report.rebuilt);
  CHECK(opened == 2);
  CHECK(set_aside == 1);
}

TEST_CASE_METHOD(Fixture, "a catalog that is corrupt again after the rebuild ends the start", "[recovery]") {
  make_store();
  int opened = 0;
  access.open = [&]() -> Result<std::unique_ptr<Catalog>> {
    ++opened;
    return fail(ErrorCode::corrupt, Blame::us, "bad disk");
  };
  const auto result = try_start();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::corrupt);
  CHECK(opened == 2);
  CHECK(space->usage().stored == 0);
}

TEST_CASE_METHOD(Fixture, "a catalog that cannot be opened for another reason is left alone", "[recovery]") {
  make_store();
  const auto code = GENERATE(ErrorCode::denied, ErrorCode::conflict, ErrorCode::no_space, ErrorCode::io);
  const CatalogAccess real = access;
  access.open = [&]() -> Result<std::unique_ptr<Catalog>> { return fail(code, Blame::us, "not now"); };
  access.set_aside = [] {
    FAIL("nothing is broken");
    return Result<void>();
  };
  const auto result = try_start();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == code);
  access = real;
  const auto run = start();
  check_all_there(*run);
}

TEST_CASE_METHOD(Fixture, "a disk that fails during recovery ends the start, and the next start succeeds",
                 "[recovery]") {
  make_store();
  stdfs::remove_all(paths.catalog());
  write(paths.blobs() / "stray", "x");
  write(paths.root() / "FORMAT.0.tmp", "");
  const auto op = GENERATE(FaultFileSystem::Op::remove, FaultFileSystem::Op::rename,
                           FaultFileSystem::Op::create_directories, FaultFileSystem::Op::read);
  fs.fail_all(op);
  if (op != FaultFileSystem::Op::read) {  // unreadable records are reported, and the rest goes on
    const auto result = try_start();
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::io);
    CHECK(space->usage().stored == 0);
  } else {
    CHECK(start()->report.broken_records == 7);
  }
  fs.clear();
  (void)start();
  const auto run = start();
  check_all_there(*run);
}

TEST_CASE_METHOD(Fixture, "unreadable records erase nothing", "[recovery]") {
  make_store();
  fs.fail_all(FaultFileSystem::Op::read);
  CHECK(start()->report.erased_rows == 0);
  fs.clear();
  const auto run = start();
  check_all_there(*run);
}

TEST_CASE_METHOD(Fixture, "a store whose last steps died at any point is whole after a start", "[recovery]") {
  const ManifestRecord record{"a/b", "a new manifest", {Digest::of("layer one")}};
  const Digest digest = Digest::of(record.content);
  make_store();
  bool finished = false;
  for (std::uint64_t step = 0; !finished; ++step) {
    CAPTURE(step);
    REQUIRE(step < 60);
    {
      const auto run = start();
      fs.fail_from(fs.calls() + step);
      finished = run->store.put(paddle, digest, record) && run->store.put_tag(paddle, "new", digest, clock.wall());
      fs.clear();
    }
    const auto run = start();
    CHECK(run->report.quarantined + run->report.broken_records + run->report.dropped_records == 0);
    CHECK(digest_of_tag(*run, paddle, "latest") == Digest::of(manifest));
    const auto tag = digest_of_tag(*run, paddle, "new");
    const auto known = run->catalog->manifest(digest).value();
    if (tag) CHECK(known);
    if (known) CHECK(*known == record);
    if (finished) CHECK(tag == digest);
  }
}

TEST_CASE_METHOD(Fixture, "a hundred thousand blobs are checked quickly", "[.][slow]") {
  constexpr int count = 100'000;
  {
    const auto run = start();
    for (int i = 0; i < count; ++i) {
      const Digest digest = Digest::of(std::to_string(i));
      write(paths.blob(digest), std::to_string(i));
      REQUIRE(run->catalog->put_blob(digest, {std::to_string(i).size(), clock.wall()}));
    }
    REQUIRE(run->catalog->flush());
  }
  for (const bool intact : {true, false}) {
    if (!intact) stdfs::remove_all(paths.catalog());
    const auto begin = std::clock();  // CPU time: others use the machine too
    const auto run = start();
    const auto took = (std::clock() - begin) * 1000 / CLOCKS_PER_SEC;
    CHECK(run->report.blobs == count);
    CHECK(run->report.rebuilt == !intact);
    WARN((intact ? "intact: " : "rebuild: ") << took << " ms");
    CHECK(took < (intact ? 2000 : 5000));
  }
}

}  // namespace paddock

// What stands in blobs/ without a row: nothing is trusted that was not hashed, and nothing that is good is lost.
#include <sys/stat.h>

#include "tests/storage/recovery_fixture.h"

namespace paddock {
namespace {

namespace stdfs = std::filesystem;

struct Fixture : RecoveryFixture {
  Fixture() { make_store(); }

  const Digest one = Digest::of("layer one");
  const Digest big = Digest::of(layers[2]);

  bool has(Run& run, const Digest& digest) { return run.blobs.open(digest).has_value(); }
  std::vector<CheckProgress> progress;
  void watch_progress() {
    options.on_progress = [this](const CheckProgress& now) -> Result<void> {
      progress.push_back(now);
      return {};
    };
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a rebuild takes no file whose bytes are not its digest's", "[recovery]") {
  std::string bytes;
  SECTION("cut short") { bytes = layers[2].substr(0, 50'000); }
  SECTION("empty") {}
  SECTION("one bit other") { (bytes = layers[2])[70'000] ^= 1; }
  SECTION("longer") { bytes = layers[2] + "x"; }
  write(paths.blob(big), bytes);
  stdfs::remove_all(paths.catalog());
  auto run = start();
  CHECK(run->report.rebuilt);
  CHECK(run->report.quarantined == 1);
  CHECK(run->report.blobs == 5);
  CHECK_FALSE(has(*run, big));
  CHECK_FALSE(stdfs::exists(paths.blob(big)));
  CHECK(has(*run, one));
  CHECK(run->catalog->manifest(Digest::of(manifest)).value() == manifest_record);  // so that the layer is filled again
  REQUIRE(run->blobs.put(big, layers[2]));
  run.reset();
  const auto again = start();
  check_all_there(*again);
}

TEST_CASE_METHOD(Fixture, "a file that lost only its row is hashed before it gets one", "[recovery]") {
  const bool good = GENERATE(true, false);
  REQUIRE(start()->catalog->erase_blob(one));
  if (!good) write(paths.blob(one), "layer 0ne");
  watch_progress();
  const auto run = start();
  CHECK(has(*run, one) == good);
  CHECK(run->report.quarantined == (good ? 0 : 1));
  REQUIRE_FALSE(progress.empty());
  CHECK(progress.back().of_blobs == 1);  // and nothing else is read
}

TEST_CASE_METHOD(Fixture, "nothing is hashed when every file has its row", "[recovery]") {
  watch_progress();
  const auto run = start();
  check_all_there(*run);
  CHECK(progress.empty());
}

TEST_CASE_METHOD(Fixture, "a rebuild says how far it is", "[recovery]") {
  stdfs::remove_all(paths.catalog());
  options.threads = GENERATE(1U, 2U, 7U);
  watch_progress();
  (void)start();
  REQUIRE(progress.size() >= 2);
  CHECK(progress.front().blobs == 0);
  CHECK(progress.front().of_blobs == 6);
  CHECK(progress.front().of_bytes == bytes);
  CHECK(progress.back().blobs == 6);
  CHECK(progress.back().bytes == bytes);
}

TEST_CASE_METHOD(Fixture, "a rebuild that is told to end goes on at the next start", "[recovery]") {
  stdfs::remove_all(paths.catalog());
  const std::uint64_t after = GENERATE(0U, 1U, 3U);
  options.on_progress = [&](const CheckProgress& now) -> Result<void> {
    if (now.blobs < after) return {};
    return fail(ErrorCode::cancelled, Blame::us, "told to stop");
  };
  const auto stopped = try_start();
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == ErrorCode::cancelled);
  CHECK(space->usage().stored == 0);
  watch_progress();
  const auto run = start();
  check_all_there(*run);
  CHECK((progress.empty() ? 0 : progress.front().of_blobs) <= 6 - after);  // a batch may have been larger
}

TEST_CASE_METHOD(Fixture, "a file that cannot be read waits for a start at which it can", "[recovery]") {
  stdfs::remove_all(paths.catalog());
  const Digest victim = std::vector{big, Digest::of(manifest), Digest::of(index)}.at(GENERATE(0U, 1U, 2U));
  fs.fail_path(paths.blob(victim), GENERATE(ErrorCode::io, ErrorCode::denied));
  {
    const auto run = start();
    CHECK(run->report.unreadable == 1);
    CHECK(run->report.quarantined + run->report.dropped_records == 0);
    CHECK(run->report.blobs == 5);
    CHECK_FALSE(run->catalog->blob(victim).value());
    CHECK_FALSE(run->catalog->manifest(victim).value());
    for (const char* tag : {"2.6.1", "latest"}) CHECK(digest_of_tag(*run, paddle, tag) != victim);
  }
  fs.clear();
  const auto run = start();
  check_all_there(*run);
}

TEST_CASE_METHOD(Fixture, "a file of which the disk says nothing waits for a start at which it does", "[recovery]") {
  const Digest victim = std::vector{big, Digest::of(manifest), Digest::of(index)}.at(GENERATE(0U, 1U, 2U));
  fs.hide_path(paths.blob(victim));
  {
    const auto run = start();
    CHECK(run->report.unreadable == 1);
    CHECK(run->report.quarantined + run->report.dropped_records == 0);
    CHECK(run->report.blobs == 5);
    CHECK_FALSE(run->catalog->blob(victim).value());
  }
  fs.clear();
  const auto run = start();
  check_all_there(*run);
}

TEST_CASE_METHOD(Fixture, "records in a folder that cannot be read cost nothing", "[recovery]") {
  for (const auto& folder : disk.list(paths.records()).value()) {
    CAPTURE(folder.name);
    fs.fail_path(paths.records() / folder.name);
    {
      const auto run = start();
      CHECK(run->report.broken_records == 1);
      CHECK(run->report.quarantined + run->report.dropped_records == 0);
      CHECK(digest_of_tag(*run, paddle, "2.6.1") == Digest::of(index));
      CHECK(digest_of_tag(*run, other, "latest") == Digest::of(manifest));
      CHECK(run->catalog->pins().value() == std::vector{pin});
    }
    fs.clear();
    check_all_there(*start());
  }
}

TEST_CASE_METHOD(Fixture, "a data folder that cannot be listed ends the start", "[recovery]") {
  fs.fail_path(paths.root());
  CHECK_FALSE(try_start());
  fs.clear();
  check_all_there(*start());
}

TEST_CASE_METHOD(Fixture, "one manifest that cannot be read does not stop the start", "[recovery]") {
  REQUIRE(start()->catalog->erase_manifest(Digest::of(manifest)));  // its blob keeps the row
  fs.fail_path(paths.blob(Digest::of(manifest)));
  {
    const auto run = start();
    CHECK(run->report.unreadable == 1);
    CHECK_FALSE(run->catalog->blob(Digest::of(manifest)).value());
    CHECK(digest_of_tag(*run, paddle, "latest") == std::nullopt);
    CHECK(digest_of_tag(*run, paddle, "2.6.1") == Digest::of(index));
    CHECK(run->report.dropped_records == 0);
  }
  fs.clear();
  const auto run = start();
  check_all_there(*run);
}

TEST_CASE_METHOD(Fixture, "a file that could not be read is replaced by what is filled again", "[recovery]") {
  stdfs::remove_all(paths.catalog());
  fs.fail_path(paths.blob(big));
  auto run = start();
  fs.clear();
  REQUIRE(run->blobs.put(big, layers[2]));
  run.reset();
  const auto again = start();
  check_all_there(*again);
}

TEST_CASE_METHOD(Fixture, "what comes to quarantine again replaces nothing there", "[recovery]") {
  for (const char* content : {"one", "two", "three"}) {
    stdfs::create_directories(paths.blobs() / "md5" / "aa");
    write(paths.blobs() / "md5" / "aa" / "file", content);
    write(paths.blobs() / "notes", content);
    write(paths.blobs() / "sha256" / "notes", content);
    CHECK(start()->report.quarantined == 3);
  }
  const auto there = [&](const char* name) { return read_file(disk, paths.root() / "quarantine" / name, 10).value(); };
  CHECK(there("blobs_md5/aa/file") == "one");
  CHECK(there("blobs_md5.2/aa/file") == "two");
  CHECK(there("blobs_md5.3/aa/file") == "three");
  CHECK(there("blobs_notes") == "one");
  CHECK(there("blobs_notes.3") == "three");
  check_all_there(*start());
}

TEST_CASE_METHOD(Fixture, "what is not a regular file goes to quarantine unread", "[recovery]") {
  const auto path = paths.blob(big);
  stdfs::remove(path);
  SECTION("a pipe") { REQUIRE(::mkfifo(path.c_str(), 0600) == 0); }
  SECTION("a link to itself") { stdfs::create_symlink(path, path); }
  SECTION("a pipe, without a catalog") {
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    stdfs::remove_all(paths.catalog());
  }
  SECTION("a link to a device without an end, without a catalog") {
    stdfs::create_symlink("/dev/zero", path);
    stdfs::remove_all(paths.catalog());
  }
  const auto record = files_under(paths.records()).front();
  stdfs::remove(record);
  REQUIRE(::mkfifo(record.c_str(), 0600) == 0);
  REQUIRE(::mkfifo((paths.records() / "pipe").c_str(), 0600) == 0);
  const auto run = start();
  CHECK(run->report.quarantined == 3);
  CHECK(run->report.broken_records == 2);
  CHECK(run->report.blobs == 5);
  CHECK_FALSE(has(*run, big));
  CHECK(has(*run, one));
  CHECK_FALSE(stdfs::exists(stdfs::symlink_status(path)));
  CHECK_FALSE(stdfs::is_fifo(record));
  CHECK(run->blobs.put(big, layers[2]));
}

}  // namespace paddock

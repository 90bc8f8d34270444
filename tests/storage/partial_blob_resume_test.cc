// What survives of a fill: notes, checkpoints, suspend and resume, over a store on a file system in memory.
#include <catch2/catch.hpp>

#include "storage/disk_blob_store.h"
#include "tests/storage/partial_blob_fixture.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_catalog.h"
#include "tests/support/run_task.h"

namespace paddock {
namespace {

const std::string content = content_of(300'000);
const Digest digest = Digest::of(content);
const Error stopped{.code = ErrorCode::cancelled, .blame = Blame::us, .context = "stopped"};

// A process with a store; making another one over the same disk is a restart.
struct Process {
  Process(FileSystem& disk, std::string boot)
      : fs(disk),
        folder(std::move(*DataFolder::open(fs, "/data"))),
        store(fs, folder.paths(), catalog, space, clock, {.on_use = {}, .boot = std::move(boot)}) {
    REQUIRE(store.suspended().load());
  }
  Result<void> write(PartialBlob& blob, std::uint64_t begin, std::uint64_t end) {
    return blob.write(begin, bytes_of(std::string_view(content).substr(begin, end - begin)));
  }

  FaultFileSystem fs;
  DataFolder folder;
  MemoryCatalog catalog;
  Space space{fs, {.folder = "/data"}};
  ManualClock clock;
  DiskBlobStore store;
};

struct ResumeFixture {
  MemoryFileSystem disk;
  std::optional<Process> process;
  std::shared_ptr<PartialBlob> blob;

  ResumeFixture() { start("boot 1"); }
  void start(const std::string& boot) {
    blob.reset();
    process.reset();
    process.emplace(disk, boot);
  }
  void begin() { blob = process->store.begin(digest, content.size()).value(); }
  Result<void> resume() {
    auto resumed = process->store.resume(digest);
    if (!resumed) return std::unexpected(resumed.error());
    blob = *resumed;
    return {};
  }
  void write(std::uint64_t begin, std::uint64_t end) { REQUIRE(process->write(*blob, begin, end)); }
};

TEST_CASE_METHOD(ResumeFixture, "there is nothing to resume at first") {
  CHECK(resume().error().code == ErrorCode::not_found);
}

TEST_CASE_METHOD(ResumeFixture, "what was noted is there after a crash of the process, and the fill ends right") {
  begin();
  write(0, 100'000);
  write(200'000, 250'000);
  REQUIRE(blob->note());
  write(100'000, 150'000);  // not noted: lost
  start("boot 1");
  REQUIRE(resume());
  CHECK(blob->received() == 150'000);
  CHECK(blob->contiguous() == 100'000);
  CHECK(blob->size() == content.size());
  write(100'000, 200'000);
  write(250'000, 300'000);
  REQUIRE(process->store.commit(*blob));
  CHECK(read_text(*process->store.open(digest)->file, 0, content.size()) == content);
  CHECK(names_in(process->fs, process->folder.paths().partial()).empty());
  CHECK(process->space.usage().reserved == 0);
  CHECK(process->space.usage().stored == content.size());
}

TEST_CASE_METHOD(ResumeFixture, "a checkpoint survives a power cut, a note does not") {
  const auto how = GENERATE(MemoryFileSystem::PowerCut::lose_all, MemoryFileSystem::PowerCut::lose_bytes,
                            MemoryFileSystem::PowerCut::lose_names);
  begin();
  write(0, 100'000);
  REQUIRE(blob->checkpoint());
  write(100'000, 200'000);
  REQUIRE(blob->note());
  blob.reset();
  process.reset();
  disk.power_cut(how);
  start("boot 2");
  REQUIRE(resume());
  CHECK(blob->received() == 100'000);
  write(100'000, 300'000);
  CHECK(process->store.commit(*blob));
}

TEST_CASE_METHOD(ResumeFixture, "a checkpoint that cannot sync records nothing") {
  begin();
  write(0, 100'000);
  process->fs.fail_all(FaultFileSystem::Op::sync_data);
  CHECK(blob->checkpoint().error().code == ErrorCode::io);
  process->fs.clear();
  start("boot 2");
  CHECK(resume().error().code == ErrorCode::not_found);
}

TEST_CASE_METHOD(ResumeFixture,
                 "a suspended fill fails its readers, keeps its bytes and gives back the rest of its space") {
  begin();
  write(0, 200'000);
  process->store.suspend(*blob, stopped);
  CHECK(run_task(blob->wait_readable(150'000, never)).error().code == ErrorCode::cancelled);
  CHECK(process->space.usage().reserved == 0);
  CHECK(process->space.usage().stored == 200'000);
  REQUIRE(resume());
  CHECK(process->space.usage().reserved == content.size());
  CHECK(process->space.usage().stored == 0);
  write(200'000, 300'000);
  CHECK(process->store.commit(*blob));
}

TEST_CASE_METHOD(ResumeFixture, "a suspended fill is there after a restart") {
  begin();
  write(0, 200'000);
  process->store.suspend(*blob, stopped);
  start("boot 1");
  REQUIRE(resume());
  CHECK(blob->received() == 200'000);
}

TEST_CASE_METHOD(ResumeFixture, "a fill without bytes or without a size is not worth keeping") {
  blob =
      process->store.begin(digest, GENERATE(true, false) ? std::optional<std::uint64_t>(content.size()) : std::nullopt)
          .value();
  if (!blob->size()) write(0, 100'000);
  CHECK_FALSE(process->store.suspend(*blob, stopped));
  CHECK(resume().error().code == ErrorCode::not_found);
  CHECK(names_in(process->fs, process->folder.paths().partial()).empty());
  CHECK(process->space.usage().reserved == 0);
}

TEST_CASE_METHOD(ResumeFixture, "a new fill of a suspended digest starts from nothing") {
  begin();
  write(0, 200'000);
  process->store.suspend(*blob, stopped);
  begin();
  CHECK(blob->received() == 0);
  CHECK(process->space.usage().stored == 0);
  start("boot 1");
  CHECK(resume().error().code == ErrorCode::not_found);
}

TEST_CASE_METHOD(ResumeFixture, "a fill at work cannot be resumed a second time") {
  begin();
  write(0, 200'000);
  process->store.suspend(*blob, stopped);
  REQUIRE(resume());
  CHECK(process->store.resume(digest).error().code == ErrorCode::conflict);
}

TEST_CASE_METHOD(ResumeFixture, "a suspended fill that cannot be opened now stays suspended, and counts") {
  begin();
  write(0, 200'000);
  REQUIRE(process->store.suspend(*blob, stopped));
  blob.reset();
  process->fs.fail_path(process->folder.paths().partial(digest));
  CHECK(resume().error().code == ErrorCode::io);
  CHECK(process->space.usage().stored == 200'000);
  CHECK(process->space.usage().reserved == 0);
  process->fs.clear();
  SECTION("it is taken up again once it can be") {
    REQUIRE(resume());
    CHECK(blob->received() == 200'000);
    write(200'000, 300'000);
    CHECK(process->store.commit(*blob));
  }
  SECTION("it makes room") {
    CHECK(process->store.suspended().drop(1) == 200'000);
    CHECK(names_in(process->fs, process->folder.paths().partial()).empty());
  }
}

TEST_CASE_METHOD(ResumeFixture, "a suspended fill stays so when no new one can be begun in its place") {
  begin();
  write(0, 200'000);
  REQUIRE(process->store.suspend(*blob, stopped));
  process->fs.fail_all(GENERATE(FaultFileSystem::Op::remove, FaultFileSystem::Op::create));
  CHECK(process->store.begin(digest, content.size()).error().code == ErrorCode::io);
  CHECK(process->space.usage().stored == 200'000);
  CHECK(process->space.usage().reserved == 0);
  process->fs.clear();
  REQUIRE(resume());
  CHECK(blob->received() == 200'000);
}

TEST_CASE_METHOD(ResumeFixture, "a suspended fill whose file has gone, or is too short, is begun anew") {
  begin();
  write(0, 200'000);
  REQUIRE(process->store.suspend(*blob, stopped));
  const auto path = process->folder.paths().partial(digest);
  REQUIRE(process->fs.remove(path));
  if (GENERATE(true, false)) REQUIRE(write_file_durably(process->fs, path, content.substr(0, 199'999)));
  CHECK(resume().error().code == ErrorCode::not_found);
  CHECK(process->space.usage().stored == 0);
  begin();
  CHECK(names_in(process->fs, process->folder.paths().partial()).size() == 1);
}

TEST_CASE_METHOD(ResumeFixture, "a suspended fill outlives a data folder that is away for a while") {
  begin();
  write(0, 200'000);
  REQUIRE(process->store.suspend(*blob, stopped));
  const auto& paths = process->folder.paths();
  REQUIRE(disk.rename(paths.partial(digest), "/elsewhere"));
  REQUIRE(disk.rename(paths.format(), "/format"));
  CHECK(resume().error().code == ErrorCode::io);
  REQUIRE(disk.rename("/format", paths.format()));
  REQUIRE(disk.rename("/elsewhere", paths.partial(digest)));
  CHECK(resume());
}

TEST_CASE_METHOD(ResumeFixture, "a journal that outlived its fill says nothing about the next one") {
  PartialProgress old{.size = content.size(), .extents = {}};
  old.extents.add({0, 200'000});
  REQUIRE(process->store.suspended().journal(digest)->note_synced(old));
  begin();
  write(250'000, 300'000);
  start("boot 1");
  CHECK(resume().error().code == ErrorCode::not_found);
}

TEST_CASE_METHOD(ResumeFixture, "bytes that rotted while suspended are noticed at the end") {
  begin();
  write(0, 200'000);
  process->store.suspend(*blob, stopped);
  const auto path = process->folder.paths().partial(digest);
  REQUIRE((*process->fs.open(path, FileSystem::Open::update))->write_at(5, bytes_of("rot")));
  REQUIRE(resume());
  write(200'000, 300'000);
  CHECK(process->store.commit(*blob).error().code == ErrorCode::digest_mismatch);
  CHECK(resume().error().code == ErrorCode::not_found);
}

TEST_CASE_METHOD(ResumeFixture,
                 "what is suspended makes room before anything else, and a full disk keeps it suspended") {
  begin();
  write(0, 200'000);
  process->store.suspend(*blob, stopped);
  process->space.set_limits(250'000, 0);
  CHECK(resume().error().code == ErrorCode::no_space);
  process->space.set_limits(0, 0);
  REQUIRE(resume());
  CHECK(blob->received() == 200'000);
}

TEST_CASE("the pump hashes what lies behind a closed gap, in bounded steps") {
  const std::size_t size = std::size_t{40} << 20U;
  Fill fill(size);
  REQUIRE(fill.write(1'000, size));
  CHECK(fill.blob().hash_more().value() == 0);
  REQUIRE(fill.write(0, 1'000));  // hashed from memory
  std::uint64_t hashed = 0;
  int steps = 0;
  for (; const auto more = fill.blob().hash_more().value(); hashed += more) ++steps;
  CHECK(hashed == size - 1'000);
  CHECK(steps >= 3);
  fill.fs.fail_all(FaultFileSystem::Op::read);  // nothing is left to be read back
  CHECK(fill.blob().verify());
}

}  // namespace

TEST_CASE("what a failed fill had from its beginning on can be served, but for what is held back") {
  Fill fill(300'000);
  CHECK(fill.blob().prefix() == 0);
  REQUIRE(fill.write(0, 100'000));
  REQUIRE(fill.write(150'000, 300'000));
  fill.blob().fail(broke);
  CHECK(fill.blob().prefix() == 100'000);
  Fill whole(300'000);
  REQUIRE(whole.write(0, 300'000));
  REQUIRE(whole.blob().verify());
  whole.blob().fail(broke);
  CHECK(whole.blob().prefix() == 300'000 - hold_back);
  Fill unsized(300'000, false);
  REQUIRE(unsized.write(0, 100'000));
  CHECK(unsized.blob().prefix() == 0);
}

TEST_CASE("a prefix is hashed from what was hashed already, or anew") {
  Fill fill(300'000);
  REQUIRE(fill.write(0, 100'000));  // hashed on its way
  REQUIRE(fill.write(150'000, 300'000));
  REQUIRE(fill.write(100'000, 150'000));
  for (const std::uint64_t end : {120'000, 200'000, 50'000, 0}) {
    CAPTURE(end);
    auto hasher = fill.blob().hash_prefix(end);
    REQUIRE(hasher);
    CHECK(hasher->finish() == Digest::of(std::string_view(fill.content).substr(0, end)));
  }
  CHECK(fill.blob().verify());
}

TEST_CASE("a prefix that cannot be read back is not hashed") {
  Fill fill(300'000);
  REQUIRE(fill.write(100'000, 200'000));
  REQUIRE(fill.write(0, 100'000));
  fill.fs.fail_all(FaultFileSystem::Op::read, ErrorCode::io);
  CHECK_FALSE(fill.blob().hash_prefix(200'000));
}

TEST_CASE("what a checkpoint could not sync is not committed by a later sync") {
  Fill fill(300'000);
  REQUIRE(fill.write(0, 300'000));
  fill.fs.fail_all(FaultFileSystem::Op::sync_data);
  CHECK_FALSE(fill.blob().checkpoint());
  fill.fs.clear();
  CHECK_FALSE(fill.blob().sync_data());
}

}  // namespace paddock

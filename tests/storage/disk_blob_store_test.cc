#include "storage/disk_blob_store.h"

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "storage/posix_file_system.h"
#include "tests/storage/blob_store_conformance.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_catalog.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

using Op = FaultFileSystem::Op;
using PowerCut = MemoryFileSystem::PowerCut;

// A store over `inner`, with everything it needs, below `root`.
struct Bench {
  explicit Bench(FileSystem& inner, const std::filesystem::path& root = "/data")
      : fs(inner),
        folder(std::move(*DataFolder::open(inner, root))),
        space(fs, {.folder = root}),
        store(fs, folder.paths(), catalog, space, clock,
              {.on_use = [this](const Digest& digest) { note_use(digest); }}) {}

  void note_use(const Digest& digest) {
    const MutexLock lock(mutex);
    used.push_back(digest);
  }
  // No temporary file, no promise, and the books agree with the rows.
  void check_tidy() {
    CHECK(names_in(fs, folder.paths().partial()).empty());
    std::uint64_t stored = 0;
    REQUIRE(catalog.for_each_blob([&](const Digest&, const BlobRecord& row) {
      stored += row.size;
      return true;
    }));
    CHECK(space.usage().stored == stored);
    CHECK(space.usage().reserved == 0);
  }

  FaultFileSystem fs;
  DataFolder folder;
  MemoryCatalog catalog;
  Space space;
  ManualClock clock;
  Mutex mutex;
  std::vector<Digest> used;
  DiskBlobStore store;
};

struct MemoryBench {
  MemoryFileSystem memory;
  Bench bench{memory};
};

TEST_CASE("disk store on memory: put, open and erase conform") {
  MemoryBench m;
  check_put_conformance(m.bench.store);
  m.bench.check_tidy();
}

TEST_CASE("disk store on memory: fills conform") {
  MemoryBench m;
  check_fill_conformance(m.bench.store);
}

TEST_CASE("disk store on memory: threads conform") {
  MemoryBench m;
  check_concurrent_conformance(m.bench.store);
  m.bench.check_tidy();
}

TEST_CASE("disk store on posix: put, open and erase conform") {
  const TemporaryFolder folder;
  PosixFileSystem posix;
  Bench bench(posix, folder.path());
  check_put_conformance(bench.store);
  bench.check_tidy();
}

TEST_CASE("disk store on posix: fills conform") {
  const TemporaryFolder folder;
  PosixFileSystem posix;
  Bench bench(posix, folder.path());
  check_fill_conformance(bench.store);
}

TEST_CASE("disk store on posix: threads conform") {
  const TemporaryFolder folder;
  PosixFileSystem posix;
  Bench bench(posix, folder.path());
  check_concurrent_conformance(bench.store);
  bench.check_tidy();
}

const std::string content(2 * PartialBlob::hold_back, 'z');
const Digest digest = Digest::of(content);

TEST_CASE("a committed blob lies at its path, has a row, and is counted") {
  MemoryBench m;
  REQUIRE(fill_blob(m.bench.store, digest, content));
  CHECK(read_file(m.memory, blob_path("/data", digest), content.size()) == content);
  CHECK(m.bench.catalog.blob(digest) == BlobRecord{.size = content.size(), .last_used = m.bench.clock.wall()});
  CHECK(m.bench.space.usage().stored == content.size());
  m.bench.check_tidy();
}

TEST_CASE("opening counts as a use, a miss does not") {
  MemoryBench m;
  REQUIRE(m.bench.store.put(digest, content));
  CHECK_FALSE(m.bench.store.open(Digest::of("absent")));
  CHECK(m.bench.used.empty());
  REQUIRE(m.bench.store.open(digest));
  CHECK(m.bench.used == std::vector{digest});
}

TEST_CASE("a row whose file is gone is dropped and is not found") {
  MemoryBench m;
  REQUIRE(m.bench.store.put(digest, content));
  REQUIRE(m.memory.remove(blob_path("/data", digest)));
  CHECK(m.bench.store.open(digest).error().code == ErrorCode::not_found);
  CHECK_FALSE(m.bench.catalog.blob(digest)->has_value());
  m.bench.check_tidy();
  CHECK(m.bench.store.put(digest, content));
  CHECK(read_blob(m.bench.store, digest) == content);
}

TEST_CASE("while the data folder is gone no row is dropped, and all is there when it is back") {
  MemoryBench m;
  auto& b = m.bench;
  REQUIRE(b.store.put(digest, content));
  const auto path = b.folder.paths().blob(digest);
  REQUIRE(b.fs.rename(path, "/blob"));
  REQUIRE(b.fs.rename("/data/FORMAT", "/format"));
  const auto gone = b.store.open(digest);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == ErrorCode::io);
  CHECK(b.catalog.blob(digest).value());
  CHECK(b.space.usage().stored == content.size());
  REQUIRE(b.fs.rename("/format", "/data/FORMAT"));
  REQUIRE(b.fs.rename("/blob", path));
  CHECK(b.store.open(digest));
}

TEST_CASE("folders that are removed below a store in use are made anew") {
  const TemporaryFolder folder;
  PosixFileSystem posix;
  Bench bench(posix, folder / "data");
  const DataPaths& paths = bench.folder.paths();
  REQUIRE(bench.store.put(digest, content));
  SECTION("the last one") { std::filesystem::remove_all(paths.blob(digest).parent_path()); }
  SECTION("all of them") { std::filesystem::remove_all(paths.blobs()); }
  SECTION("that of what is on its way, too") {
    std::filesystem::remove_all(paths.blobs());
    std::filesystem::remove_all(paths.partial());
  }
  CHECK(bench.store.open(digest).error().code == ErrorCode::not_found);
  REQUIRE(fill_blob(bench.store, digest, content));
  CHECK(read_blob(bench.store, digest) == content);
  std::filesystem::remove_all(paths.blob(digest).parent_path());
  CHECK(bench.store.put(digest, content));
  CHECK(read_blob(bench.store, digest) == content);
  bench.check_tidy();
}

TEST_CASE("no folder is made in place of a data folder that is gone") {
  const TemporaryFolder folder;
  PosixFileSystem posix;
  Bench bench(posix, folder / "data");
  REQUIRE(bench.store.put(digest, content));
  std::filesystem::rename(folder / "data", folder / "away");
  CHECK_FALSE(bench.store.put(Digest::of("x"), "x"));
  CHECK_FALSE(bench.store.begin(Digest::of("y"), 1));
  CHECK_FALSE(std::filesystem::exists(folder / "data"));
}

TEST_CASE("a pipe in the place of a blob is no blob, and gives way to what is filled again") {
  const TemporaryFolder folder;
  PosixFileSystem posix;
  Bench bench(posix, folder.path());
  REQUIRE(bench.store.put(digest, content));
  const auto path = bench.folder.paths().blob(digest);
  std::filesystem::remove(path);
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(bench.store.open(digest).error().code == ErrorCode::not_found);
  CHECK_FALSE(std::filesystem::exists(path));
  REQUIRE(bench.store.put(digest, content));
  CHECK(read_blob(bench.store, digest) == content);
  bench.check_tidy();
}

TEST_CASE("a file of another size than its row says is dropped with it") {
  MemoryBench m;
  REQUIRE(m.bench.store.put(digest, content));
  const std::string wrong = GENERATE(std::string(), std::string("short"), content + "x");
  REQUIRE((*m.memory.open(blob_path("/data", digest), FileSystem::Open::create))->write_at(0, bytes_of(wrong)));
  CHECK(m.bench.store.open(digest).error().code == ErrorCode::not_found);
  CHECK_FALSE(m.memory.open(blob_path("/data", digest), FileSystem::Open::read));
  CHECK_FALSE(m.bench.catalog.blob(digest)->has_value());
  m.bench.check_tidy();
  CHECK(m.bench.store.put(digest, content));
}

TEST_CASE("a disk that cannot open the file is an error, and nothing is dropped") {
  MemoryBench m;
  REQUIRE(m.bench.store.put(digest, content));
  m.bench.fs.fail_all(Op::open);
  CHECK(m.bench.store.open(digest).error().code == ErrorCode::io);
  m.bench.fs.clear();
  CHECK(read_blob(m.bench.store, digest) == content);
}

TEST_CASE("a file without a row is erased too") {
  MemoryBench m;
  REQUIRE(m.bench.store.put(digest, content));
  REQUIRE(m.bench.catalog.erase_blob(digest));
  CHECK(m.bench.store.open(digest).error().code == ErrorCode::not_found);
  CHECK(m.bench.store.erase(digest) == content.size());
  CHECK_FALSE(m.memory.open(blob_path("/data", digest), FileSystem::Open::read));
}

TEST_CASE("a file that cannot be unlinked keeps its row") {
  MemoryBench m;
  REQUIRE(m.bench.store.put(digest, content));
  m.bench.fs.fail_all(Op::remove);
  CHECK(m.bench.store.erase(digest).error().code == ErrorCode::io);
  m.bench.fs.clear();
  CHECK(read_blob(m.bench.store, digest) == content);
}

TEST_CASE("when the catalog fails nothing is left that no row tells of") {
  MemoryBench m;
  const auto partial = m.bench.store.begin(digest, content.size());
  REQUIRE((*partial)->write(0, bytes_of(content)));
  m.bench.catalog.fail_with(Error{.code = ErrorCode::io, .context = "no catalog"});
  CHECK(m.bench.store.commit(**partial).error().context == "no catalog");
  CHECK((*partial)->state() == PartialBlob::State::failed);
  CHECK(m.bench.store.put(digest, content).error().context == "no catalog");
  CHECK(m.bench.store.open(digest).error().context == "no catalog");
  m.bench.catalog.fail_with(std::nullopt);
  CHECK_FALSE(m.memory.open(blob_path("/data", digest), FileSystem::Open::read));
  m.bench.check_tidy();
  CHECK(fill_blob(m.bench.store, digest, content));
}

TEST_CASE("space is asked for before a byte is written") {
  MemoryBench m;
  m.bench.space.set_limits(content.size() - 1, 0);
  CHECK(m.bench.store.begin(digest, content.size()).error().code == ErrorCode::no_space);
  CHECK(m.bench.store.put(digest, content).error().code == ErrorCode::no_space);
  m.bench.check_tidy();
  m.bench.space.set_limits(content.size(), 0);
  CHECK(m.bench.store.begin(digest, content.size()));  // the refused one is not in the way
}

TEST_CASE("the evictor may erase blobs of the same store") {
  MemoryBench m;
  m.bench.space.set_limits(content.size() + 10, 0);
  m.bench.space.set_evictor([&](std::uint64_t) { return m.bench.store.erase(Digest::of("old")).value_or(0); });
  REQUIRE(m.bench.store.put(Digest::of("old"), "old"));
  m.bench.space.set_limits(content.size(), 0);
  REQUIRE(fill_blob(m.bench.store, digest, content));
  CHECK_FALSE(m.bench.store.open(Digest::of("old")));
  m.bench.check_tidy();
}

TEST_CASE("a disk that fills up is no_space and leaves nothing behind") {
  MemoryBench m;
  const std::uint64_t room = GENERATE(0U, 1U, 1000U);
  m.bench.fs.fail_after_bytes(room);
  CHECK(fill_blob(m.bench.store, digest, content).error().code == ErrorCode::no_space);
  CHECK(m.bench.store.put(digest, content).error().code == ErrorCode::no_space);
  m.bench.check_tidy();
  m.bench.fs.clear();
  CHECK(fill_blob(m.bench.store, digest, content));
}

using Store = Result<void> (*)(BlobStore&, const Digest&, std::string_view);
Result<void> put_blob(BlobStore& store, const Digest& name, std::string_view bytes) { return store.put(name, bytes); }

// How many changing calls one whole run takes.
std::uint64_t steps_of(Store store) {
  MemoryBench m;
  const auto before = m.bench.fs.calls();
  REQUIRE(store(m.bench.store, digest, content));
  return m.bench.fs.calls() - before;
}

TEST_CASE("a fault at any one step fails the whole and leaves no blob and no rest") {
  const Store store = GENERATE(&fill_blob, &put_blob);
  const std::uint64_t steps = steps_of(store);
  REQUIRE(steps >= 6);
  for (std::uint64_t step = 0; step < steps; ++step) {
    INFO("step " << step);
    MemoryBench m;
    m.bench.fs.fail_call(m.bench.fs.calls() + step);
    CHECK_FALSE(store(m.bench.store, digest, content));
    CHECK_FALSE(m.bench.store.open(digest));
    CHECK_FALSE(m.memory.open(blob_path("/data", digest), FileSystem::Open::read));
    m.bench.check_tidy();
    CHECK(store(m.bench.store, digest, content));
    CHECK(read_blob(m.bench.store, digest) == content);
  }
}

TEST_CASE("a power cut at any step leaves no blob or the right one") {
  const Store store = GENERATE(&fill_blob, &put_blob);
  const PowerCut cut = GENERATE(PowerCut::lose_all, PowerCut::lose_bytes, PowerCut::lose_names);
  const std::uint64_t steps = steps_of(store);
  for (std::uint64_t step = 0; step <= steps; ++step) {
    INFO("step " << step);
    MemoryFileSystem memory;
    {
      Bench bench(memory);
      bench.fs.fail_from(bench.fs.calls() + step);
      CHECK(store(bench.store, digest, content).has_value() == (step == steps));
    }
    memory.power_cut(cut);
    const auto left = read_file(memory, blob_path("/data", digest), 2 * content.size());
    if (left) {
      CHECK(Digest::of(*left) == digest);
    } else {
      CHECK(left.error().code == ErrorCode::not_found);
    }
    CHECK((step < steps || left.has_value()));  // committed is committed
    Bench again(memory);
    CHECK(store(again.store, digest, content));
    CHECK(read_blob(again.store, digest) == content);
  }
}

TEST_CASE("a commit after another process died in a folder it had just made is durable") {
  MemoryFileSystem memory;
  Bench bench(memory);
  const auto folder = blob_path("/data", digest).parent_path();
  REQUIRE(memory.create_directories(folder));
  const auto before = bench.fs.count(Op::sync_directory);
  REQUIRE(bench.store.put(digest, content));
  CHECK(bench.fs.count(Op::sync_directory) == before + 4);  // blobs, algorithm, aa, and the blob's own
  REQUIRE(bench.store.erase(digest));
  REQUIRE(bench.store.put(digest, content));
  CHECK(bench.fs.count(Op::sync_directory) == before + 5);  // known to be durable by now
}

TEST_CASE("a corrupt fill is never readable whole, at no time") {
  MemoryBench m;
  const auto partial = m.bench.store.begin(digest, content.size());
  std::string corrupt = content;
  corrupt[5] = 'X';
  std::uint64_t most = 0;
  for (std::uint64_t at = 0; at < corrupt.size(); at += 4096) {
    REQUIRE((*partial)->write(at, bytes_of(corrupt).subspan(at, 4096)));
    most = std::max(most, (*partial)->readable(0));
  }
  CHECK(most == content.size() - PartialBlob::hold_back);
  CHECK(m.bench.store.commit(**partial).error().code == ErrorCode::digest_mismatch);
  CHECK((*partial)->readable(0) == 0);
  CHECK_FALSE(m.bench.store.open(digest));
  m.bench.check_tidy();
}

TEST_CASE("a blob stored again replaces the old one and is counted once") {
  MemoryBench m;
  REQUIRE(fill_blob(m.bench.store, digest, content));
  REQUIRE(fill_blob(m.bench.store, digest, content));
  CHECK(m.bench.space.usage().stored == content.size());
  m.bench.check_tidy();
}

}  // namespace
}  // namespace paddock

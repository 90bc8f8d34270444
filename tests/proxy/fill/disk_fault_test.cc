// Fills on a disk that fails, fills up or forgets, at every step of them: what is stored is right or not there, a
// reader sees right bytes or an error, and once the disk is well the blob is filled and nothing is left over.
#include <catch2/catch.hpp>

#include "proxy/fill/coordinator.h"
#include "tests/support/cache_fixture.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

namespace {

const std::string content = pattern(200'000);
const Digest digest = Digest::of(content);
constexpr auto rest = 30s;
const Error gone{ErrorCode::unavailable, Blame::upstream, "connection reset", true};

std::vector<std::string> names_below(FileSystem& fs, const FileSystem::Path& folder) {
  std::vector<std::string> names;
  const auto entries = fs.list(folder);
  for (const auto& entry : entries ? *entries : std::vector<DirectoryEntry>()) {
    if (!entry.is_directory) names.push_back(folder / entry.name);
    const auto below = entry.is_directory ? names_below(fs, folder / entry.name) : std::vector<std::string>();
    names.insert(names.end(), below.begin(), below.end());
  }
  return names;
}

// A process on the disk, from its start to its end.
struct Life {
  Life(MemoryFileSystem& disk, std::shared_ptr<FakeUpstream> from, std::string boot,
       std::chrono::seconds between_checkpoints = 0s)
      : checkpoint(between_checkpoints),
        upstream(std::move(from)),
        fs(disk),
        blobs(fs, folder.paths(), catalog, space, clock, {.on_use = {}, .boot = std::move(boot)}) {
    for (const auto& path : names_below(disk, folder.paths().blobs())) {
      const auto found = Digest::parse("sha256:" + FileSystem::Path(path).filename().string());
      const auto bytes = read_file(disk, path, content.size() * 2);
      REQUIRE((found && bytes));
      REQUIRE(path == folder.paths().blob(*found));
      REQUIRE(Digest::of(*bytes) == *found);  // whatever happened before
      REQUIRE(catalog.put_blob(*found, {bytes->size(), clock.wall()}));
      space.add_stored(bytes->size());
    }
    REQUIRE(blobs.suspended().load());
    loops.run();
  }
  ~Life() {
    loops.stop();
    pool.join();
  }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  // Whether a reader got the whole; ends when the fill has.
  bool fill() {
    auto promise = std::make_shared<std::promise<bool>>();
    auto whole = promise->get_future();
    asio::co_spawn(loops.next(), read(fills.fetch({upstream, "a/b", digest}), promise), asio::detached);
    const bool got = whole.get();
    while (!fills.fills().empty()) std::this_thread::yield();
    return got;
  }

  static Task<void> read(std::shared_ptr<Fill> fill, std::shared_ptr<std::promise<bool>> promise) {
    promise->set_value(co_await read_all(std::move(fill)));
  }

  static Task<bool> read_all(std::shared_ptr<Fill> fill) {
    const auto found = co_await fill->source(soon());
    if (!found) co_return false;
    const auto* partial = std::get_if<std::shared_ptr<PartialBlob>>(&*found);
    if (partial == nullptr) co_return right(*std::get<Blob>(*found).file, 0, content.size());
    for (std::uint64_t position = 0;;) {
      const auto readable = co_await (*partial)->wait_readable(position, soon());
      if (!readable) co_return false;
      if (*readable == 0) co_return position == content.size();
      if (!right(*(*partial)->file(), position, *readable)) co_return false;
      position += *readable;
    }
  }

  static bool right(const File& file, std::uint64_t begin, std::uint64_t length) {
    std::string piece(length, '\0');
    const auto got = file.read_at(begin, std::as_writable_bytes(std::span(piece)));
    if (!got) return false;
    saw_wrong_bytes = saw_wrong_bytes || piece != std::string_view(content).substr(begin, length);
    return !saw_wrong_bytes;
  }

  void check_whole_and_nothing_left() {
    const auto blob = blobs.open(digest);
    REQUIRE(blob);
    CHECK(right(*blob->file, 0, content.size()));
    CHECK(blob->size == content.size());
    CHECK(names_below(fs, folder.paths().partial()).empty());
    CHECK(names_below(fs, folder.paths().blobs()).size() == 1);
    CHECK(space.usage().reserved == 0);
    CHECK(space.usage().stored == content.size());
  }

  const std::chrono::seconds checkpoint;
  static inline std::atomic<bool> saw_wrong_bytes = false;
  std::shared_ptr<FakeUpstream> upstream;
  ManualClock clock;
  FaultFileSystem fs;
  DataFolder folder = DataFolder::open(fs, "/data").value();
  MemoryCatalog catalog;
  Space space{fs, {.folder = "/data"}};
  DiskBlobStore blobs;
  BlockingPool pool{2};
  EventLoops loops{2};
  FillCoordinator fills{loops,
                        pool,
                        blobs,
                        {.fetch = {.chunk = 40'000,
                                   .buffer = 8192,
                                   .interval = 5ms,
                                   .checkpoint = checkpoint,
                                   .retry = {.attempts = 2, .base = 1ms, .cap = 2ms}},
                         .disk_rest = rest,
                         .clock = &clock}};
};

struct DiskFixture {
  DiskFixture() {
    Life::saw_wrong_bytes = false;
    upstream->add_blob("a/b", content);
  }
  ~DiskFixture() { CHECK_FALSE(Life::saw_wrong_bytes); }
  DiskFixture(const DiskFixture&) = delete;
  DiskFixture& operator=(const DiskFixture&) = delete;

  // Leaves the first bytes of the blob behind, and no process.
  void suspend_at(std::uint64_t bytes) { suspend_at(bytes, disk); }
  void suspend_at(std::uint64_t bytes, MemoryFileSystem& on) {
    for (auto offset = bytes; offset < content.size(); offset += 40'000) {
      upstream->fail_calls("get_blob a/b " + digest.to_string() + ' ' + std::to_string(offset), gone, 0);
    }
    Life life(on, upstream, "boot 1");
    REQUIRE_FALSE(life.fill());
    REQUIRE(life.fills.stats().suspended == 1);
    upstream->clear_failures();
  }

  MemoryFileSystem disk;
  std::shared_ptr<FakeUpstream> upstream = std::make_shared<FakeUpstream>("up.example");
};

using PowerCut = MemoryFileSystem::PowerCut;

// The disk is well again: a fill succeeds; a file that could not be removed may be left over.
void check_fills_again(Life& life) {
  life.fs.clear();
  life.clock.advance(rest);
  CHECK(life.fill());
}

// The blob is filled, whatever went before.
void check_fills(Life& life) {
  check_fills_again(life);
  life.check_whole_and_nothing_left();
  CHECK(life.fills.stats().verify_failures == 0);
}

}  // namespace

TEST_CASE_METHOD(DiskFixture,
                 "a process that dies at any step of a fill leaves nothing wrong, and the next one fills") {
  const auto cut = GENERATE(std::optional<PowerCut>(), std::optional(PowerCut::lose_all),
                            std::optional(PowerCut::lose_bytes), std::optional(PowerCut::lose_names));
  const auto checkpoint = GENERATE(0s, 3600s);  // as often as can be, and never
  const std::string second_boot = cut ? "boot 2" : "boot 1";
  bool died = true;
  std::uint64_t resumed = 0;
  for (std::uint64_t step = 0; died; ++step) {
    CAPTURE(step);
    REQUIRE(step < 1000);
    MemoryFileSystem one;
    {
      Life life(one, upstream, "boot 1", checkpoint);
      const auto begun = life.fs.calls();
      life.fs.fail_from(begun + step);
      life.fill();
      died = life.fs.calls() > begun + step;
    }
    if (cut) one.power_cut(*cut);
    Life next(one, upstream, second_boot);
    const auto before = upstream->blob_bytes();
    check_fills(next);
    const auto fetched = upstream->blob_bytes() - before;
    CHECK(fetched <= content.size());
    if (fetched > 0 && fetched < content.size()) ++resumed;
  }
  if (!cut || checkpoint == 0s) CHECK(resumed > 0);
}

TEST_CASE_METHOD(DiskFixture, "any one call to the disk that fails costs the caching, and nothing is left over") {
  const auto code = GENERATE(ErrorCode::io, ErrorCode::no_space);
  bool failed = true;
  for (std::uint64_t step = 0; failed; ++step) {
    CAPTURE(step);
    REQUIRE(step < 1000);
    MemoryFileSystem one;
    {
      Life life(one, upstream, "boot 1");
      const auto begun = life.fs.calls();
      life.fs.fail_call(begun + step, code);
      life.fill();
      failed = life.fs.calls() > begun + step;
      CHECK(life.space.usage().reserved == 0);
      CHECK(life.space.usage().stored == (life.blobs.open(digest) ? content.size() : 0));
      life.fs.clear();
      life.clock.advance(rest);
      CHECK(life.fill());
    }
    // A file that could not be removed stays until the next start.
    Life next(one, upstream, "boot 1");
    next.check_whole_and_nothing_left();
  }
}

TEST_CASE_METHOD(DiskFixture, "a write that stops short, wherever it does, is no part of the blob") {
  const auto code = GENERATE(ErrorCode::io, ErrorCode::no_space);
  for (std::uint64_t bytes = 0; bytes < content.size(); bytes += 6'151) {
    CAPTURE(bytes);
    MemoryFileSystem one;
    Life life(one, upstream, "boot 1");
    life.fs.fail_after_bytes(bytes, code);
    CHECK_FALSE(life.fill());
    CHECK_FALSE(life.blobs.open(digest));
    CHECK(life.space.usage().reserved == 0);
    check_fills(life);
  }
}

TEST_CASE_METHOD(DiskFixture, "a disk that cannot sync keeps nothing, over a power cut too") {
  const auto cut = GENERATE(PowerCut::lose_all, PowerCut::lose_bytes, PowerCut::lose_names);
  const bool goes_on = GENERATE(true, false);
  upstream->set_etag("\"one\"");
  {
    Life life(disk, upstream, "boot 1");
    life.fs.fail_all(FaultFileSystem::Op::sync_data);
    life.fill();
    CHECK_FALSE(life.blobs.open(digest));
    if (goes_on) check_fills(life);
  }
  disk.power_cut(cut);
  Life next(disk, upstream, "boot 2");
  CHECK(next.blobs.open(digest).has_value() == goes_on);
  check_fills(next);
}

TEST_CASE_METHOD(DiskFixture,
                 "what is suspended stays so while its file cannot be opened, and is taken up again after it") {
  suspend_at(120'000);
  Life life(disk, upstream, "boot 1");
  CHECK(life.space.usage().stored == 120'000);
  life.fs.fail_path(life.folder.paths().partial(digest), GENERATE(ErrorCode::io, ErrorCode::no_space));
  CHECK_FALSE(life.fill());
  CHECK(life.space.usage().stored == 120'000);
  CHECK(life.space.usage().reserved == 0);
  const auto before = upstream->blob_bytes();
  check_fills(life);
  CHECK(upstream->blob_bytes() - before == content.size() - 120'000);
}

TEST_CASE_METHOD(DiskFixture, "what is suspended and cannot be read is given up, and filled anew") {
  suspend_at(120'000);
  Life life(disk, upstream, "boot 1");
  life.fs.fail_all(FaultFileSystem::Op::read);
  CHECK_FALSE(life.fill());
  CHECK_FALSE(life.blobs.open(digest));
  CHECK(life.space.usage().stored == 0);
  CHECK(life.space.usage().reserved == 0);
  CHECK(names_below(life.fs, life.folder.paths().partial()).empty());
  check_fills(life);
}

TEST_CASE_METHOD(DiskFixture,
                 "a fill that is taken up again meets any one failing call, or dies there, and the next one fills") {
  const bool dies = GENERATE(true, false);
  const auto code = GENERATE(ErrorCode::io, ErrorCode::no_space);
  bool failed = true;
  for (std::uint64_t step = 0; failed; ++step) {
    CAPTURE(step);
    REQUIRE(step < 1000);
    MemoryFileSystem one;
    suspend_at(120'000, one);
    {
      Life life(one, upstream, "boot 1");
      const auto begun = life.fs.calls();
      dies ? life.fs.fail_from(begun + step, code) : life.fs.fail_call(begun + step, code);
      life.fill();
      failed = life.fs.calls() > begun + step;
      CHECK(life.space.usage().reserved == 0);
      if (!dies) check_fills_again(life);
    }
    Life next(one, upstream, "boot 1");
    check_fills(next);
  }
}

TEST_CASE_METHOD(DiskFixture,
                 "what rotted while a fill was suspended costs another attempt, and no upstream its trust") {
  suspend_at(120'000);
  {
    Life life(disk, upstream, "boot 1");
    const auto file = life.fs.open(life.folder.paths().partial(digest), FileSystem::Open::update);
    REQUIRE(file);
    REQUIRE((*file)->write_at(70'000, std::as_bytes(std::span("rot", 3))));
  }
  Life next(disk, upstream, "boot 1");
  // Who reads the first attempt is cut off before its end, whatever he has seen of it.
  next.fill();
  Life::saw_wrong_bytes = false;
  CHECK(next.fills.stats().verify_failures == 1);
  CHECK(upstream->count("distrust") == 0);
  next.check_whole_and_nothing_left();
}

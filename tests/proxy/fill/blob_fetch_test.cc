#include "proxy/fill/blob_fetch.h"

#include <catch2/catch.hpp>

#include "tests/support/cache_fixture.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t chunk = 10'000;
const Error reset{ErrorCode::unavailable, Blame::upstream, "connection reset", true};
const Error denied{ErrorCode::denied, Blame::upstream, "denied"};

struct FetchFixture : CacheFixture {
  ~FetchFixture() { shut_down(); }

  BlockingPool sync{1};
  FetchOptions options{.chunk = chunk,
                       .buffer = 4096,
                       .connections = 4,
                       .interval = 5ms,
                       .checkpoint = 0s,
                       .straggler = {.silence = 30s, .least = 30s},
                       .retry = {.attempts = 4, .base = 1ms, .cap = 2ms}};
  std::vector<std::uint64_t> readers;
  std::shared_ptr<TokenBucket> bandwidth;
  std::atomic<bool> stop = false;
  std::atomic<int> resumed = 0;
  std::string content;
  std::shared_ptr<PartialBlob> partial;

  // A blob of the upstream that is to be filled.
  void make(std::size_t size, bool size_known = true) {
    content = pattern(size);
    const Digest digest = upstream->add_blob("a/b", content);
    partial = blobs.begin(digest, size_known ? std::optional<std::uint64_t>(size) : std::nullopt).value();
  }
  std::future<Result<void>> begin(std::optional<BlobTransfer> first = std::nullopt) {
    const auto fetch =
        std::make_shared<BlobFetch>(BlobFetch::Source{upstream, "a/b", {.bandwidth = bandwidth}}, partial,
                                    BlobFetch::Surroundings{.readers = [this] { return readers; },
                                                            .interrupted = [this]() -> std::optional<Error> {
                                                              if (!stop) return std::nullopt;
                                                              return Error{ErrorCode::cancelled, Blame::us, "stopped"};
                                                            },
                                                            .on_source = [](const std::string&) {},
                                                            .on_resumed = [this] { ++resumed; }},
                                    BlobFetch::Pools{pool, sync}, options);
    return start(run(fetch, std::move(first)));
  }
  static Task<Result<void>> run(std::shared_ptr<BlobFetch> fetch, std::optional<BlobTransfer> first) {
    co_return co_await fetch->run(std::move(first));
  }
  Result<void> fetch() { return begin().get(); }
  void write(std::uint64_t begin, std::uint64_t end) {
    REQUIRE(partial->write(begin, std::as_bytes(std::span(content).subspan(begin, end - begin))));
  }
  std::string call(std::uint64_t offset) const {
    return "get_blob a/b " + partial->digest().to_string() + ' ' + std::to_string(offset);
  }
  void check_complete() {
    CHECK(partial->received() == content.size());
    CHECK(blobs.commit(*partial));
    CHECK(stored(partial->digest()));
  }
};

}  // namespace

TEST_CASE_METHOD(FetchFixture, "a blob comes in pieces, every byte once") {
  make(95'000);
  REQUIRE(fetch());
  check_complete();
  CHECK(upstream->blob_bytes() == content.size());
  CHECK(upstream->count("get_blob") == 10);
}

TEST_CASE_METHOD(FetchFixture, "connections are added where each is throttled") {
  options.connections = 3;
  options.interval = 50ms;
  make(1'500'000);
  upstream->throttle(500'000);
  REQUIRE(fetch());
  check_complete();
  CHECK(upstream->most_open_transfers() == 3);
}

TEST_CASE_METHOD(FetchFixture, "what is there already is not asked for") {
  make(50'000);
  write(0, 15'000);
  write(30'000, 50'000);
  REQUIRE(fetch());
  check_complete();
  CHECK(upstream->blob_bytes() == 15'000);
}

TEST_CASE_METHOD(FetchFixture, "a blob that is all there costs no request") {
  make(50'000);
  write(0, 50'000);
  REQUIRE(fetch());
  check_complete();
  CHECK(upstream->count() == 0);
}

TEST_CASE_METHOD(FetchFixture, "what a reader waits for comes first") {
  options.connections = 1;
  make(100'000);
  readers = {72'000};
  REQUIRE(fetch());
  check_complete();
  const auto calls = upstream->calls("get_blob");
  CHECK(calls.at(0) == call(72'000));
  CHECK(calls.at(1) == call(80'000));
  CHECK(calls.at(2) == call(90'000));
  CHECK(calls.at(3) == call(0));
}

TEST_CASE_METHOD(FetchFixture, "an answer that is at hand is used for the first piece") {
  make(30'000);
  auto first = start(upstream->get_blob("a/b", partial->digest(), 0, chunk)).get().value();
  readers = {25'000};
  REQUIRE(begin(std::move(first)).get());
  check_complete();
  CHECK(upstream->blob_bytes() == content.size());
}

TEST_CASE_METHOD(FetchFixture, "a broken connection costs what it had not brought, no more") {
  make(60'000);
  upstream->break_next_blob(4'000, reset);
  REQUIRE(fetch());
  check_complete();
  CHECK(resumed == 1);
  CHECK(upstream->blob_bytes() == content.size());
}

TEST_CASE_METHOD(FetchFixture, "an upstream that is away for a moment is waited for") {
  make(30'000);
  upstream->fail_calls("get_blob", reset, 3);
  REQUIRE(fetch());
  check_complete();
}

TEST_CASE_METHOD(FetchFixture, "an upstream that stays away ends the fetch, and what came is kept") {
  make(30'000);
  upstream->fail_calls(call(10'000), reset, 0);
  upstream->fail_calls(call(20'000), reset, 0);
  const auto done = fetch();
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::unavailable);
  CHECK(partial->received() == 10'000);
}

TEST_CASE_METHOD(FetchFixture, "a refusal in the middle is not the end") {
  make(30'000);
  upstream->fail_calls(call(10'000), denied, 2);
  REQUIRE(fetch());
  check_complete();
}

TEST_CASE_METHOD(FetchFixture, "a limit on requests slows it down for as long as it takes") {
  make(30'000);
  const Error limited{ErrorCode::rate_limited, Blame::upstream, "slow down", true};
  upstream->fail_calls("get_blob", limited, 12);  // more often than attempts are allowed
  REQUIRE(fetch());
  check_complete();
}

TEST_CASE_METHOD(FetchFixture, "without ranges it is one stream") {
  make(200'000);
  upstream->ignore_ranges(true);
  REQUIRE(fetch());
  check_complete();
  CHECK(upstream->blob_bytes() == content.size());
  CHECK(upstream->count("get_blob") == 1);
}

TEST_CASE_METHOD(FetchFixture, "a resumed fill of an upstream without ranges reads over what it has") {
  make(200'000);
  write(0, 55'000);
  upstream->ignore_ranges(true);
  REQUIRE(fetch());
  check_complete();
}

TEST_CASE_METHOD(FetchFixture, "a stream that breaks without ranges starts again, and every byte is right") {
  make(200'000);
  upstream->ignore_ranges(true);
  upstream->break_next_blob(120'000, reset);
  REQUIRE(fetch());
  check_complete();
  CHECK(upstream->blob_bytes() == 320'000);
}

TEST_CASE_METHOD(FetchFixture, "a blob of unknown size is one stream") {
  make(50'000, false);
  upstream->hide_sizes(true);
  REQUIRE(fetch());
  check_complete();
}

TEST_CASE_METHOD(FetchFixture, "a blob of unknown size that does not end is given up") {
  options.unsized_limit = 30'000;
  make(50'000, false);
  upstream->hide_sizes(true);
  CHECK(fetch().error().code == ErrorCode::too_large);
}

TEST_CASE_METHOD(FetchFixture, "an upstream that gets ranges wrong is asked for the whole") {
  make(50'000);
  upstream->fail_calls(call(10'000), {ErrorCode::protocol, Blame::upstream, "a wrong Content-Range"}, 0);
  upstream->fail_calls(call(20'000), {ErrorCode::protocol, Blame::upstream, "a wrong Content-Range"}, 0);
  REQUIRE(fetch());
  check_complete();
}

TEST_CASE_METHOD(FetchFixture, "another size or ETag in the middle means that nothing can be trusted") {
  make(50'000);
  options.connections = 1;
  const bool etag = GENERATE(true, false);
  upstream->set_etag("\"one\"");
  upstream->hold(call(20'000));
  auto done = begin();
  REQUIRE(upstream->wait_for_held());
  if (etag) {
    upstream->set_etag("\"two\"");
  } else {
    upstream->add_blob_as("a/b", partial->digest(), pattern(40'000));
  }
  upstream->release();
  CHECK(done.get().error().code == ErrorCode::digest_mismatch);
}

TEST_CASE_METHOD(FetchFixture, "a connection that hangs is overtaken by another") {
  make(20'000);
  options.straggler.silence = 50ms;
  upstream->hold_next_transfer_at(3'000);
  REQUIRE(fetch());
  check_complete();
  CHECK(upstream->open_transfers() == 0);
}

TEST_CASE_METHOD(FetchFixture, "when all has come it does not wait for an answer that hangs") {
  make(20'000);
  options.straggler.silence = 50ms;
  upstream->hold_one(call(10'000));
  REQUIRE(begin().get());
  check_complete();
  CHECK(upstream->count("get_blob") == 3);
}

TEST_CASE_METHOD(FetchFixture, "it ends at once when it is told to, though connections hang") {
  make(50'000);
  upstream->hold_blobs_at(5'000);
  auto done = begin();
  REQUIRE(upstream->wait_for_held());
  stop = true;
  CHECK(done.get().error().code == ErrorCode::cancelled);
  CHECK(upstream->open_transfers() == 0);
  CHECK(partial->received() == 5'000);
}

TEST_CASE_METHOD(FetchFixture, "a stream ends at once too when it is told to") {
  make(50'000);
  upstream->ignore_ranges(true);
  upstream->hold_blobs_at(5'000);
  auto done = begin();
  REQUIRE(upstream->wait_for_held());
  stop = true;
  CHECK(done.get().error().code == ErrorCode::cancelled);
  CHECK(upstream->open_transfers() == 0);
}

TEST_CASE_METHOD(FetchFixture, "an upstream that is always asked too often is given up in the end") {
  make(30'000);
  options.limited_attempts = 8;
  upstream->fail_calls("get_blob", Error{ErrorCode::rate_limited, Blame::upstream, "slow down", true}, 0);
  CHECK(fetch().error().code == ErrorCode::rate_limited);
  CHECK(upstream->count("get_blob") == 8);
}

TEST_CASE_METHOD(FetchFixture, "it ends though the bandwidth would make it wait for long") {
  make(50'000);
  bandwidth = std::make_shared<TokenBucket>(1, 1ms);
  auto done = begin();
  while (upstream->blob_bytes() == 0) std::this_thread::yield();
  stop = true;
  CHECK(done.get().error().code == ErrorCode::cancelled);
}

TEST_CASE_METHOD(FetchFixture, "a disk that fails ends it with the disk's error") {
  const auto code = GENERATE(ErrorCode::no_space, ErrorCode::io);
  make(50'000);
  fs.fail_after_bytes(22'000, code);
  CHECK(fetch().error().code == code);
}

TEST_CASE_METHOD(FetchFixture, "a disk that cannot sync ends it") {
  make(50'000);
  fs.fail_all(FaultFileSystem::Op::sync_data);
  CHECK(fetch().error().code == ErrorCode::io);
}

TEST_CASE_METHOD(FetchFixture, "progress is recorded while it goes on") {
  make(100'000);
  upstream->fail_calls(call(60'000), reset, 0);
  options.connections = 1;
  REQUIRE_FALSE(fetch());
  PartialJournal journal(disk, folder.paths().partial(partial->digest()), partial->digest(), "");
  CHECK(journal.read()->extents.total() >= 50'000);  // synced
}

TEST_CASE_METHOD(FetchFixture, "the bandwidth is kept") {
  make(100'000);
  bandwidth = std::make_shared<TokenBucket>(500'000, 1ms);
  const auto began = std::chrono::steady_clock::now();
  REQUIRE(fetch());
  CHECK(std::chrono::steady_clock::now() - began >= 150ms);
}

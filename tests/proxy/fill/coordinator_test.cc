#include "proxy/fill/coordinator.h"

#include <catch2/catch.hpp>

#include "tests/support/cache_fixture.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

namespace {

const Error broken_connection{ErrorCode::unavailable, Blame::upstream, "connection reset", true};

struct FillFixture : CacheFixture {
  ~FillFixture() { shut_down(); }

  FillCoordinator fills{loops, pool, blobs, {.buffer_size = 4096, .retry = {.attempts = 4, .base = 1ms, .cap = 2ms}}};
  FillCoordinator limited{loops, pool, blobs, {.buffer_size = 4096, .unsized_limit = 100'000}};

  Result<FillSource> source(const std::shared_ptr<Fill>& fill) { return start(fill->source(soon())).get(); }
  // All bytes that a reader sees, or why he does not.
  Result<std::string> read(const std::shared_ptr<Fill>& fill) { return start(read_all(fill)).get(); }

  static Task<Result<std::string>> read_all(std::shared_ptr<Fill> fill) {
    auto found = co_await fill->source(soon());
    if (!found) co_return std::unexpected(found.error());
    std::string text;
    if (auto* blob = std::get_if<Blob>(&*found)) {
      text.resize(blob->size);
      if (auto got = blob->file->read_at(0, std::as_writable_bytes(std::span(text))); !got) {
        co_return std::unexpected(got.error());
      }
      co_return text;
    }
    const auto partial = std::get<std::shared_ptr<PartialBlob>>(*found);
    for (;;) {
      auto readable = co_await partial->wait_readable(text.size(), soon());
      if (!readable) co_return std::unexpected(readable.error());
      if (*readable == 0) co_return text;
      std::string piece(*readable, '\0');
      auto got = partial->file()->read_at(text.size(), std::as_writable_bytes(std::span(piece)));
      if (!got) co_return std::unexpected(got.error());
      text += piece;
    }
  }
  bool ended() { return fills.stop(30s); }
};

}  // namespace

TEST_CASE_METHOD(FillFixture, "many callers for one digest share one transfer") {
  const std::string content = pattern(300'000);
  const Digest digest = upstream->add_blob("a/b", content);
  upstream->hold("get_blob");
  std::vector<std::shared_ptr<Fill>> all;
  for (int i = 0; i < 20; ++i) all.push_back(fills.fetch(upstream, "a/b", digest));
  CHECK(fills.fills().size() == 1);
  std::vector<std::future<Result<std::string>>> readers;
  for (const auto& fill : all) readers.push_back(start(read_all(fill)));
  upstream->release();
  for (auto& reader : readers) CHECK(reader.get().value() == content);
  CHECK(upstream->count("get_blob") == 1);
  CHECK(upstream->blob_bytes() == content.size());
  CHECK(ended());
  CHECK(stored(digest));
  CHECK(fills.stats().completed == 1);
}

TEST_CASE_METHOD(FillFixture, "a reader gets bytes while the fill is still going on") {
  const std::string content = pattern(400'000);
  const Digest digest = upstream->add_blob("a/b", content);
  upstream->hold_blobs_at(200'000);
  const auto fill = fills.fetch(upstream, "a/b", digest);
  const auto found = source(fill).value();
  const auto partial = std::get<std::shared_ptr<PartialBlob>>(found);
  CHECK(partial->size() == content.size());
  REQUIRE(start(partial->wait_readable(100'000, soon())).get().value() > 0);
  CHECK(partial->state() == PartialBlob::State::filling);
  CHECK_FALSE(stored(digest));
  upstream->release();
  CHECK(read(fill).value() == content);
}

TEST_CASE_METHOD(FillFixture, "a fill goes on when nobody reads it") {
  const Digest digest = upstream->add_blob("a/b", pattern(100'000));
  fills.fetch(upstream, "a/b", digest);
  while (!fills.fills().empty()) std::this_thread::yield();
  CHECK(stored(digest));
}

TEST_CASE_METHOD(FillFixture, "a broken transfer is taken up again where it broke") {
  const std::string content = pattern(300'000);
  const Digest digest = upstream->add_blob("a/b", content);
  upstream->break_next_blob(123'456, broken_connection);
  CHECK(read(fills.fetch(upstream, "a/b", digest)).value() == content);
  CHECK(upstream->count("get_blob") == 2);
  CHECK(upstream->blob_bytes() == content.size());
  CHECK(fills.stats().resumed == 1);
}

TEST_CASE_METHOD(FillFixture, "an upstream that ignores ranges is skipped through, not written twice") {
  const std::string content = pattern(300'000);
  const Digest digest = upstream->add_blob("a/b", content);
  upstream->ignore_ranges(true);
  upstream->break_next_blob(123'456, broken_connection);
  CHECK(read(fills.fetch(upstream, "a/b", digest)).value() == content);
  CHECK(upstream->blob_bytes() == content.size() + 123'456);
}

TEST_CASE_METHOD(FillFixture, "a fill that makes no progress gives up, and its readers fail") {
  const std::string content = pattern(300'000);
  const Digest digest = upstream->add_blob("a/b", content);
  upstream->break_next_blob(100'000, broken_connection);
  upstream->hold_blobs_at(50'000);
  const auto fill = fills.fetch(upstream, "a/b", digest);
  REQUIRE(source(fill));
  upstream->fail_calls("get_blob", broken_connection, 0);  // from the second transfer on
  auto reader = start(read_all(fill));
  upstream->release();
  const auto result = reader.get();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::unavailable);
  CHECK(ended());
  CHECK_FALSE(stored(digest));
  CHECK(disk.list(folder.paths().partial()).value().empty());
  CHECK(upstream->count("get_blob") == 1 + 3);
}

TEST_CASE_METHOD(FillFixture, "wrong bytes are never received whole and never kept") {
  const std::string content = pattern(300'000);
  const Digest digest = Digest::of(content);
  std::string other = content;
  other[1000] ^= 1;
  upstream->add_blob_as("a/b", digest, other);
  const auto fill = fills.fetch(upstream, "a/b", digest);
  const auto result = read(fill);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::digest_mismatch);
  CHECK(ended());
  CHECK_FALSE(stored(digest));
  CHECK(disk.list(folder.paths().partial()).value().empty());
  CHECK(fills.stats().verify_failures == 1);
}

TEST_CASE_METHOD(FillFixture, "the next request after a failed fill starts a new one") {
  const std::string content = pattern(50'000);
  const Digest digest = upstream->add_blob("a/b", content);
  upstream->fail_calls("get_blob", Error{ErrorCode::unavailable, Blame::upstream, "away", true});
  CHECK_FALSE(read(fills.fetch(upstream, "a/b", digest)));
  while (!fills.fills().empty()) std::this_thread::yield();
  CHECK(read(fills.fetch(upstream, "a/b", digest)).value() == content);
}

TEST_CASE_METHOD(FillFixture, "what was stored in the meantime is served without a transfer") {
  const std::string content = pattern(50'000);
  const Digest digest = upstream->add_blob("a/b", content);
  REQUIRE(blobs.put(digest, content));
  CHECK(read(fills.fetch(upstream, "a/b", digest)).value() == content);
  CHECK(upstream->count() == 0);
}

TEST_CASE_METHOD(FillFixture, "a blob without an announced size is served once it is complete") {
  const std::string content = pattern(200'000);
  const Digest digest = upstream->add_blob("a/b", content);
  upstream->hide_sizes(true);
  CHECK(read(fills.fetch(upstream, "a/b", digest)).value() == content);
}

TEST_CASE_METHOD(FillFixture, "a blob without a size is given up when it does not end") {
  const Digest digest = upstream->add_blob("a/b", pattern(200'000));
  upstream->hide_sizes(true);
  const auto result = start(read_all(limited.fetch(upstream, "a/b", digest))).get();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::too_large);
  REQUIRE(limited.stop(30s));
  CHECK_FALSE(stored(digest));
  CHECK(space.usage().reserved == 0);
}

TEST_CASE_METHOD(FillFixture, "an empty blob is filled") {
  const Digest digest = upstream->add_blob("a/b", "");
  CHECK(read(fills.fetch(upstream, "a/b", digest)).value().empty());
  CHECK(ended());
  CHECK(stored(digest));
}

TEST_CASE_METHOD(FillFixture, "a disk without room is said before anything is written") {
  space.set_limits(1000, 0);
  const Digest digest = upstream->add_blob("a/b", pattern(50'000));
  const auto result = read(fills.fetch(upstream, "a/b", digest));
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::no_space);
  CHECK(result.error().blame == Blame::us);
}

TEST_CASE_METHOD(FillFixture, "a disk that fails in mid fill fails the readers and leaves nothing") {
  const std::string content = pattern(300'000);
  const Digest digest = upstream->add_blob("a/b", content);
  fs.fail_after_bytes(100'000, ErrorCode::no_space);
  const auto result = read(fills.fetch(upstream, "a/b", digest));
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::no_space);
  CHECK(ended());
  fs.clear();
  CHECK_FALSE(stored(digest));
  CHECK(space.usage().reserved == 0);
}

TEST_CASE_METHOD(FillFixture, "readers are counted for as long as they read") {
  const Digest digest = upstream->add_blob("a/b", pattern(300'000));
  upstream->hold("get_blob");
  const auto fill = fills.fetch(upstream, "a/b", digest);
  auto one = fill->add_reader();
  auto two = fill->add_reader();
  CHECK(fill->status().readers == 2);
  one.reset();
  CHECK(fill->status().readers == 1);
}

TEST_CASE_METHOD(FillFixture, "after stop no fill begins") {
  const Digest digest = upstream->add_blob("a/b", pattern(1000));
  REQUIRE(fills.stop(1s));
  const auto result = read(fills.fetch(upstream, "a/b", digest));
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::cancelled);
}

#include "proxy/fill/coordinator.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sstream>

#include "tests/proxy/fill/fill_fixture.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

namespace {

Task<Result<FillSource>> fetch_twice(FillCoordinator& fills, std::shared_ptr<Upstream> upstream, Digest digest) {
  const auto first = co_await fills.fetch({upstream, "a/b", digest})->source(soon());
  if (first) co_return fail(ErrorCode::conflict, Blame::us, "the first should have failed");
  co_return co_await fills.fetch({upstream, "a/b", digest})->source(soon());
}

}  // namespace

TEST_CASE_METHOD(FillFixture, "many callers for one digest share one transfer") {
  const std::string content = pattern(300'000);
  const Digest digest = upstream->add_blob("a/b", content);
  upstream->hold("get_blob");
  std::vector<std::shared_ptr<Fill>> all;
  for (int i = 0; i < 20; ++i) all.push_back(fills.fetch({upstream, "a/b", digest}));
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
  const auto fill = fills.fetch({upstream, "a/b", digest});
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
  fills.fetch({upstream, "a/b", digest});
  while (!fills.fills().empty()) std::this_thread::yield();
  CHECK(stored(digest));
}

TEST_CASE_METHOD(FillFixture, "a broken transfer is taken up again where it broke") {
  const std::string content = pattern(300'000);
  const Digest digest = upstream->add_blob("a/b", content);
  upstream->break_next_blob(123'456, broken_connection);
  CHECK(read(fills.fetch({upstream, "a/b", digest})).value() == content);
  CHECK(upstream->count("get_blob") == 2);
  CHECK(upstream->blob_bytes() == content.size());
  CHECK(fills.stats().resumed == 1);
}

TEST_CASE_METHOD(FillFixture, "an upstream that ignores ranges is skipped through, not written twice") {
  const std::string content = pattern(300'000);
  const Digest digest = upstream->add_blob("a/b", content);
  upstream->ignore_ranges(true);
  upstream->break_next_blob(123'456, broken_connection);
  CHECK(read(fills.fetch({upstream, "a/b", digest})).value() == content);
  CHECK(upstream->blob_bytes() == content.size() + 123'456);
}

TEST_CASE_METHOD(FillFixture, "a fill that makes no progress gives up, and its readers fail") {
  const std::string content = pattern(300'000);
  const Digest digest = upstream->add_blob("a/b", content);
  upstream->break_next_blob(100'000, broken_connection);
  upstream->hold_blobs_at(50'000);
  const auto fill = fills.fetch({upstream, "a/b", digest});
  REQUIRE(source(fill));
  upstream->fail_calls("get_blob", broken_connection, 0);  // from the second transfer on
  auto reader = start(read_all(fill));
  upstream->release();
  const auto result = reader.get();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::unavailable);
  CHECK(ended());
  CHECK_FALSE(stored(digest));
  CHECK(upstream->count("get_blob") == 1 + 3);
  CHECK(fills.stats().suspended == 1);
}

TEST_CASE_METHOD(FillFixture, "a fill that was given up is taken up again by who asks next") {
  const std::string content = pattern(300'000);
  const Digest digest = upstream->add_blob("a/b", content);
  upstream->break_next_blob(100'000, broken_connection);
  upstream->fail_calls(digest.to_string() + " 100000", broken_connection, 3);
  CHECK_FALSE(read(fills.fetch({upstream, "a/b", digest})));
  settle();
  CHECK(read(fills.fetch({upstream, "a/b", digest})).value() == content);
  CHECK(upstream->blob_bytes() == content.size());
}

TEST_CASE_METHOD(FillFixture, "wrong bytes are never received whole and never kept") {
  const std::string content = pattern(300'000);
  const Digest digest = Digest::of(content);
  std::string other = content;
  other[1000] ^= 1;
  upstream->add_blob_as("a/b", digest, other);
  const auto fill = fills.fetch({upstream, "a/b", digest});
  const auto result = read(fill);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::digest_mismatch);
  settle();
  CHECK_FALSE(stored(digest));
  CHECK(disk.list(folder.paths().partial()).value().empty());
  CHECK(fills.stats().verify_failures == 2);  // it is tried once more
  CHECK(upstream->count("distrust up.example certain") == 2);
}

TEST_CASE_METHOD(FillFixture, "the next request after a failed fill starts a new one") {
  const std::string content = pattern(50'000);
  const Digest digest = upstream->add_blob("a/b", content);
  upstream->fail_calls("get_blob", Error{ErrorCode::unavailable, Blame::upstream, "away", true});
  CHECK_FALSE(read(fills.fetch({upstream, "a/b", digest})));
  while (!fills.fills().empty()) std::this_thread::yield();
  CHECK(read(fills.fetch({upstream, "a/b", digest})).value() == content);
}

TEST_CASE_METHOD(FillFixture, "what was stored in the meantime is served without a transfer") {
  const std::string content = pattern(50'000);
  const Digest digest = upstream->add_blob("a/b", content);
  REQUIRE(blobs.put(digest, content));
  CHECK(read(fills.fetch({upstream, "a/b", digest})).value() == content);
  CHECK(upstream->count() == 0);
}

TEST_CASE_METHOD(FillFixture, "a blob without an announced size is served once it is complete") {
  const std::string content = pattern(200'000);
  const Digest digest = upstream->add_blob("a/b", content);
  hide_all_sizes();
  CHECK(read(fills.fetch({upstream, "a/b", digest})).value() == content);
}

TEST_CASE_METHOD(FillFixture, "a blob without an announced size has the one that HEAD gives") {
  const std::string content = pattern(300'000);
  const Digest digest = upstream->add_blob("a/b", content);
  upstream->hide_sizes(true);
  upstream->hold_blobs_at(200'000);
  const auto fill = fills.fetch({upstream, "a/b", digest});
  const auto partial = std::get<std::shared_ptr<PartialBlob>>(source(fill).value());
  CHECK(partial->size() == content.size());
  CHECK(partial->state() == PartialBlob::State::filling);
  upstream->release();
  CHECK(read(fill).value() == content);
}

TEST_CASE_METHOD(FillFixture, "a blob of another size than HEAD has given fails and is not kept") {
  const std::string content = pattern(300'000);
  const Digest digest = upstream->add_blob("a/b", content);
  upstream->hide_sizes(true);
  for (const auto size : {content.size() - 1, content.size() + 1}) {
    upstream->announce_size(size);
    const auto result = read(fills.fetch({upstream, "a/b", digest}));
    REQUIRE_FALSE(result);
    CHECK(result.error().blame == Blame::upstream);
    settle();
    CHECK_FALSE(stored(digest));
  }
}

TEST_CASE_METHOD(FillFixture, "who waits for a size that nobody knows is told to come back, and the fill goes on") {
  const std::string content = pattern(300'000);
  const Digest digest = upstream->add_blob("a/b", content);
  hide_all_sizes();
  upstream->hold_blobs_at(200'000);
  const auto fill = fills.fetch({upstream, "a/b", digest});
  REQUIRE(upstream->wait_for_held());
  const auto early = start(fill->source(std::chrono::steady_clock::now())).get();
  REQUIRE_FALSE(early);
  CHECK(early.error().code == ErrorCode::timeout);
  CHECK(early.error().retry_after);
  upstream->release();
  CHECK(read(fill).value() == content);
}

TEST_CASE_METHOD(FillFixture, "a blob without a size is given up when it does not end") {
  const Digest digest = upstream->add_blob("a/b", pattern(200'000));
  hide_all_sizes();
  const auto result = start(read_all(limited.fetch({upstream, "a/b", digest}))).get();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::too_large);
  REQUIRE(limited.stop(30s));
  CHECK_FALSE(stored(digest));
  CHECK(space.usage().reserved == 0);
}

TEST_CASE_METHOD(FillFixture, "an empty blob is filled") {
  const Digest digest = upstream->add_blob("a/b", "");
  CHECK(read(fills.fetch({upstream, "a/b", digest})).value().empty());
  CHECK(ended());
  CHECK(stored(digest));
}

TEST_CASE_METHOD(FillFixture, "a disk without room is said before anything is written") {
  space.set_limits(1000, 0);
  const Digest digest = upstream->add_blob("a/b", pattern(50'000));
  const auto result = read(fills.fetch({upstream, "a/b", digest}));
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::no_space);
  CHECK(result.error().blame == Blame::us);
}

TEST_CASE_METHOD(FillFixture, "a disk that fails in mid fill fails the readers and leaves nothing") {
  const std::string content = pattern(300'000);
  const Digest digest = upstream->add_blob("a/b", content);
  fs.fail_after_bytes(100'000, ErrorCode::no_space);
  const auto result = read(fills.fetch({upstream, "a/b", digest}));
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::no_space);
  CHECK(ended());
  fs.clear();
  CHECK_FALSE(stored(digest));
  CHECK(space.usage().reserved == 0);
}

TEST_CASE_METHOD(FillFixture, "a blob on which the disk failed is not tried again for a moment") {
  const std::string content = pattern(300'000);
  const Digest digest = upstream->add_blob("a/b", content);
  fs.fail_after_bytes(100'000, ErrorCode::io);
  CHECK_FALSE(read(fills.fetch({upstream, "a/b", digest})));
  settle();  // readers hear of it before it is remembered
  fs.clear();
  const auto asked = upstream->count();
  const auto refused = read(fills.fetch({upstream, "a/b", digest}));
  REQUIRE_FALSE(refused);
  CHECK(is_not_kept(refused.error()));
  CHECK(upstream->count() == asked);
  const std::string other = pattern(1000);
  CHECK(read(fills.fetch({upstream, "a/b", upstream->add_blob("a/b", other)})).value() == other);
  clock.advance(30s);
  CHECK(read(fills.fetch({upstream, "a/b", digest})).value() == content);
}

TEST_CASE_METHOD(FillFixture, "what cannot be kept is no failed fill, and is told once a minute") {
  space.set_limits(1000, 0);
  std::ostringstream lines;
  const auto logger = spdlog::default_logger();
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(lines)));
  for (int i = 0; i < 5; ++i) {
    if (i == 4) clock.advance(60s);
    CHECK_FALSE(read(fills.fetch({upstream, "a/b", upstream->add_blob("a/b", pattern(50'000 + i))})));
  }
  REQUIRE(ended());
  spdlog::set_default_logger(logger);
  const auto text = lines.str();
  CHECK(std::ranges::count(text, '\n') == 2);
  CHECK(text.contains("4 since last told"));
  CHECK_FALSE(text.contains("[error]"));
  CHECK(fills.stats().not_kept == 5);
  CHECK(fills.stats().failed == 0);
}

TEST_CASE_METHOD(FillFixture, "who hears that a fill has failed does not get it again") {
  const std::string content = pattern(1000);
  const Digest digest = upstream->add_blob("a/b", content);
  for (int i = 0; i < 200; ++i) {
    upstream->fail_calls("get_blob", Error{ErrorCode::denied, Blame::upstream, "no"});
    const auto again = start(fetch_twice(fills, upstream, digest)).get();
    REQUIRE(again);
    settle();
    REQUIRE(blobs.erase(digest));
  }
}

TEST_CASE_METHOD(FillFixture,
                 "a fill whose partial has failed is not served from any more, and says why when it ends") {
  const Digest digest = upstream->add_blob("a/b", pattern(1000));
  const auto partial = blobs.begin(digest, 1000).value();
  const auto fill = std::make_shared<Fill>(digest, "up.example", "a/b");
  fill->publish(partial, "up.example");
  CHECK_FALSE(fill->failed());
  partial->fail(broken_connection);
  CHECK(fill->failed());
  auto waiting = start(fill->source(soon()));
  fill->finish(Error{ErrorCode::denied, Blame::upstream, "the end"});
  CHECK(waiting.get().error().context == "the end");
  CHECK(fill->failed());
}

TEST_CASE("only what our disk did counts as not kept") {
  CHECK(is_not_kept(Error{ErrorCode::denied, Blame::us, "read-only"}));
  CHECK(is_not_kept(Error{ErrorCode::no_space, Blame::us, "full"}));
  CHECK_FALSE(is_not_kept(Error{ErrorCode::cancelled, Blame::us, "shutting down"}));
  CHECK_FALSE(is_not_kept(Error{ErrorCode::unavailable, Blame::us, "offline mode"}));
  CHECK_FALSE(is_not_kept(Error{ErrorCode::denied, Blame::upstream, "403"}));
}

TEST_CASE_METHOD(FillFixture, "readers are counted for as long as they read") {
  const Digest digest = upstream->add_blob("a/b", pattern(300'000));
  upstream->hold("get_blob");
  const auto fill = fills.fetch({upstream, "a/b", digest});
  auto one = fill->add_reader(0);
  auto two = fill->add_reader(0);
  CHECK(fill->status().readers == 2);
  one.reset();
  CHECK(fill->status().readers == 1);
}

TEST_CASE_METHOD(FillFixture, "after stop no fill begins") {
  const Digest digest = upstream->add_blob("a/b", pattern(1000));
  REQUIRE(fills.stop(1s));
  const auto result = read(fills.fetch({upstream, "a/b", digest}));
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::cancelled);
}

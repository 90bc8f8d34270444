#include "proxy/fill/uncached_stream.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <thread>

#include "proxy/fill/uncached_streams.h"
#include "tests/support/cache_fixture.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

namespace {

using Reader = std::shared_ptr<UncachedStream::Reader>;

constexpr std::uint64_t kib = 1024;

struct Fixture : CacheFixture {
  ~Fixture() { shut_down(); }

  static UncachedStreams::Options options(std::chrono::milliseconds patience = 30s) {
    return {.stream = {.block = 4 * kib, .patience = patience, .retry = {.attempts = 3, .base = 1ms, .cap = 2ms}},
            .memory = {.total = 256 * kib, .most = 128 * kib, .least = 64 * kib}};
  }
  UncachedStreams streams{loops, pool, options()};

  std::string content = pattern(500'000);
  Digest digest = upstream->add_blob("a/b", content);

  Task<Result<Reader>> opening(std::shared_ptr<Upstream> from = nullptr) {
    return streams.open({from ? from : upstream, "a/b", digest}, soon());
  }
  Reader open() { return start(opening()).get().value(); }

  struct Got {
    std::string bytes;
    std::optional<Error> error;
    [[nodiscard]] bool is(std::string_view wanted) const { return !error && bytes == wanted; }
  };
  // Up to `most` bytes, or the end.
  static Task<Got> read(Reader reader, std::size_t most = SIZE_MAX) {
    Got got;
    while (got.bytes.size() < most) {
      auto bytes = co_await reader->next(soon());
      if (!bytes) got.error = bytes.error();
      if (!bytes || !*bytes) break;
      got.bytes += **bytes;
    }
    co_return got;
  }
  static Task<Got> open_and_read(Task<Result<Reader>> opening) {
    auto reader = co_await std::move(opening);
    if (!reader) co_return Got{"", reader.error()};
    co_return co_await read(*reader);
  }
  Got whole() { return start(open_and_read(opening())).get(); }
  [[nodiscard]] std::size_t transfers() const { return upstream->count("get_blob"); }

  // A fill of which the first `length` bytes have come.
  std::shared_ptr<PartialBlob> filled(std::string_view bytes) {
    auto partial = blobs.begin(digest, content.size()).value();
    REQUIRE(partial->write(0, std::as_bytes(std::span(bytes))));
    return partial;
  }
};

const Error full{ErrorCode::no_space, Blame::us, "the disk is full"};

}  // namespace

TEST_CASE_METHOD(Fixture, "all who ask at the same time share one uncached transfer") {
  upstream->hold_blobs_at(10 * kib);
  std::vector<Reader> readers;
  for (int i = 0; i < 8; ++i) readers.push_back(open());
  upstream->release();
  std::vector<std::future<Got>> all;
  for (auto& reader : readers) all.push_back(start(read(std::exchange(reader, nullptr))));
  for (auto& one : all) CHECK(one.get().is(content));
  CHECK(transfers() == 1);
  CHECK(upstream->blob_bytes() == content.size());
}

TEST_CASE_METHOD(Fixture, "who comes later shares it for as long as the first bytes are in memory") {
  upstream->hold_blobs_at(100 * kib);
  const auto first = open();
  CHECK(start(read(first, 50 * kib)).get().is(content.substr(0, 52 * kib)));
  const auto second = open();
  CHECK(transfers() == 1);
  upstream->release();
  auto both = start(read(second));
  const auto rest = start(read(first)).get();
  CHECK_FALSE(rest.error);
  CHECK(both.get().is(content));
  CHECK(transfers() == 1);
  CHECK(whole().is(content));  // the window has moved on
  CHECK(transfers() == 2);
}

TEST_CASE_METHOD(Fixture, "it runs a little ahead of the furthest reader, and keeps a window") {
  const auto ahead = PartialBlob::hold_back + 8 * kib;
  const auto furthest = open();
  const auto slowest = open();
  while (upstream->blob_bytes() < ahead) std::this_thread::yield();
  CHECK(start(read(furthest, 4 * kib)).get().bytes.size() == 4 * kib);
  while (upstream->blob_bytes() < ahead + 4 * kib) std::this_thread::yield();
  CHECK(upstream->blob_bytes() == ahead + 4 * kib);
  auto rest = start(read(furthest));
  while (upstream->blob_bytes() < 128 * kib) std::this_thread::yield();
  CHECK(start(read(slowest, 8 * kib)).get().bytes.size() == 8 * kib);
  while (upstream->blob_bytes() < 136 * kib) std::this_thread::yield();
  CHECK(upstream->blob_bytes() == 136 * kib);
  CHECK(start(read(slowest)).get().bytes == content.substr(8 * kib));
  CHECK(rest.get().bytes == content.substr(4 * kib));
}

TEST_CASE_METHOD(Fixture, "wrong bytes are never received whole") {
  const std::size_t wrong = GENERATE(0, 250'000, 499'999);
  std::string other = content;
  other[wrong] ^= 1;
  upstream->add_blob_as("a/b", digest, other);
  const auto got = whole();
  REQUIRE(got.error);
  CHECK(got.error->code == ErrorCode::digest_mismatch);
  CHECK(got.bytes.size() <= content.size() - PartialBlob::hold_back);
  CHECK(upstream->count("distrust up.example") == 1);
}

TEST_CASE_METHOD(Fixture, "a broken transfer is taken up where it was") {
  const bool ranges = GENERATE(true, false);
  upstream->ignore_ranges(!ranges);
  upstream->break_next_blob(200'000, {ErrorCode::unavailable, Blame::upstream, "reset", true});
  const auto got = whole();
  CHECK_FALSE(got.error);
  CHECK(got.is(content));
  CHECK(transfers() == 2);
}

TEST_CASE_METHOD(Fixture, "attempts that bring nothing end") {
  upstream->fail_calls("get_blob", {ErrorCode::unavailable, Blame::upstream, "away", true}, 0);
  const auto got = whole();
  REQUIRE(got.error);
  CHECK(got.error->code == ErrorCode::unavailable);
  CHECK(transfers() == 3);
}

TEST_CASE_METHOD(Fixture, "a refusal is final") {
  upstream->fail_calls("get_blob", {ErrorCode::not_found, Blame::upstream, "no such blob"}, 0);
  CHECK(whole().error->code == ErrorCode::not_found);
  CHECK(transfers() == 1);
}

TEST_CASE_METHOD(Fixture, "the size is what HEAD says where GET says none, and never changes") {
  upstream->hide_sizes(true);
  CHECK(whole().is(content));
  SECTION("neither says it") {
    upstream->fail_calls("head_blob", {ErrorCode::protocol, Blame::upstream, "no size"}, 0);
    CHECK(whole().error->code == ErrorCode::protocol);
  }
  SECTION("it was another one when the transfer broke") {
    upstream->break_next_blob(200'000, {ErrorCode::unavailable, Blame::upstream, "reset", true});
    upstream->hold_blobs_at(100'000);
    const auto reader = open();
    auto reading = start(read(reader));
    REQUIRE(upstream->wait_for_held());
    upstream->announce_size(content.size() + 1);
    upstream->release();
    CHECK(reading.get().error->code == ErrorCode::protocol);
  }
}

TEST_CASE_METHOD(Fixture, "more bytes than announced are an error") {
  upstream->hide_sizes(true);
  upstream->announce_size(100'000);
  const auto got = whole();
  REQUIRE(got.error);
  CHECK(got.bytes.size() < 100'000);
}

TEST_CASE_METHOD(Fixture, "one who stops reading does not hold the others up") {
  UncachedStreams impatient{loops, pool, options(0ms)};
  upstream->hold_blobs_at(10 * kib);
  const auto slow = start(impatient.open({upstream, "a/b", digest}, soon())).get().value();
  const auto fast = start(impatient.open({upstream, "a/b", digest}, soon())).get().value();
  upstream->release();
  CHECK(start(read(fast)).get().is(content));
  CHECK(start(read(slow)).get().is(content));  // by a transfer of its own
  CHECK(transfers() == 2);
}

TEST_CASE_METHOD(Fixture, "one who holds the others up is cut off where there is no memory for what was not read") {
  auto tight = options(0ms);
  tight.memory = {.total = 128 * kib, .most = 128 * kib, .least = 128 * kib};
  UncachedStreams impatient{loops, pool, tight};
  upstream->hold_blobs_at(10 * kib);
  const auto slow = start(impatient.open({upstream, "a/b", digest}, soon())).get().value();
  const auto fast = start(impatient.open({upstream, "a/b", digest}, soon())).get().value();
  upstream->release();
  CHECK(start(read(fast)).get().is(content));
  CHECK(start(read(slow)).get().error->code == ErrorCode::unavailable);
  CHECK(transfers() == 1);
}

TEST_CASE_METHOD(Fixture, "an upstream that drips is left, and those who wait hear of it") {
  auto quick = options();
  quick.stream.least_rate = {.rate = 1'000'000'000, .window = 4ms};
  UncachedStreams streams_of_much{loops, pool, quick};
  upstream->throttle(10'000'000);
  const auto reader = start(streams_of_much.open({upstream, "a/b", digest}, soon())).get().value();
  const auto got = start(read(reader)).get();
  REQUIRE(got.error);
  CHECK(got.error->code == ErrorCode::timeout);
}

TEST_CASE_METHOD(Fixture, "the bandwidth of whoever sends is kept, and what is lifted holds nobody back any more") {
  const auto bandwidth = std::make_shared<TokenBucket>(1, 1ms);
  upstream->set_bandwidth(bandwidth);
  auto got = start(read(open()));
  // The first block is a debt of an hour.
  while (bandwidth->take(0, std::chrono::steady_clock::now()) < 30min) std::this_thread::yield();
  CHECK(upstream->blob_bytes() < content.size());
  bandwidth->set_rate(0, std::chrono::steady_clock::now());
  REQUIRE(got.wait_for(20s) == std::future_status::ready);
  CHECK(got.get().is(content));
}

TEST_CASE_METHOD(Fixture, "a transfer that waits for bandwidth ends when nobody reads it any more") {
  const auto bandwidth = std::make_shared<TokenBucket>(1, 1ms);
  upstream->set_bandwidth(bandwidth);
  auto reader = open();
  while (bandwidth->take(0, std::chrono::steady_clock::now()) < 30min) std::this_thread::yield();
  reader.reset();
  const auto limit = soon();
  while (upstream->open_transfers() > 0 && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
  CHECK(upstream->open_transfers() == 0);
}

TEST_CASE_METHOD(Fixture, "a blob that came wrong twice is refused for a while") {
  auto timed = options();
  timed.clock = &clock;
  UncachedStreams refusing{loops, pool, timed};
  const auto ask = [&] {
    return start(open_and_read(refusing.open({upstream, "a/b", digest}, soon()))).get().error->code;
  };
  upstream->add_blob_as("a/b", digest, pattern(400'000));
  for (int i = 0; i < 4; ++i) CHECK(ask() == ErrorCode::digest_mismatch);
  CHECK(transfers() == 2);
  CHECK(refusing.wrong() == 2);
  clock.advance(61s);
  CHECK(ask() == ErrorCode::digest_mismatch);
  CHECK(transfers() == 3);
}

TEST_CASE_METHOD(Fixture, "when the last reader has gone the transfer ends and its memory is free") {
  auto first = open();
  auto second = open();
  CHECK(transfers() == 1);
  CHECK(streams.memory() == 128 * kib);
  first.reset();
  CHECK(start(read(second)).get().is(content));
  second = open();
  second.reset();
  while (upstream->open_transfers() > 0 || streams.memory() > 0) std::this_thread::yield();
}

TEST_CASE_METHOD(Fixture, "one is not failed by the source of another whose transfer it shared") {
  const auto other = std::make_shared<FakeUpstream>("other.example");
  other->fail_calls("get_blob", {ErrorCode::denied, Blame::upstream, "not yours"}, 0);
  other->hold("get_blob");
  auto refused = start(open_and_read(opening(other)));
  REQUIRE(other->wait_for_held());
  auto mine = start(open_and_read(opening()));
  other->release();
  CHECK(refused.get().error->code == ErrorCode::denied);
  CHECK(mine.get().is(content));
}

TEST_CASE_METHOD(Fixture, "readers of a fill that our disk has ended go on together from where it was") {
  const auto partial = filled(std::string_view(content).substr(0, 200'000));
  blobs.abandon(*partial, full);
  const auto first = streams.go_on({upstream, "a/b", digest}, partial, 10'000, full).value();
  const auto second = streams.go_on({upstream, "a/b", digest}, partial, 200'000, full).value();
  CHECK(first->begin() == 200'000);
  CHECK(second->begin() == 200'000);
  auto reading = start(read(second));
  CHECK(start(read(first)).get().is(content.substr(200'000)));
  CHECK(reading.get().is(content.substr(200'000)));
  CHECK(upstream->calls("get_blob").size() == 1);
  CHECK(upstream->blob_bytes() == 300'000);
}

TEST_CASE_METHOD(Fixture, "what the fill had is part of what the digest is for") {
  std::string other = content.substr(0, 200'000);
  other[5] ^= 1;
  const auto partial = filled(other);
  blobs.abandon(*partial, full);
  const auto got = start(read(streams.go_on({upstream, "a/b", digest}, partial, 0, full).value())).get();
  REQUIRE(got.error);
  CHECK(got.error->code == ErrorCode::digest_mismatch);
}

TEST_CASE_METHOD(Fixture, "a fill whose disk failed at its very end goes on from what was held back") {
  const auto partial = filled(content);
  REQUIRE(partial->verify());
  blobs.abandon(*partial, full);
  const auto reader = streams.go_on({upstream, "a/b", digest}, partial, 0, full).value();
  CHECK(reader->begin() == content.size() - PartialBlob::hold_back);
  CHECK(start(read(reader)).get().is(content.substr(reader->begin())));
}

TEST_CASE_METHOD(Fixture, "a reader behind a gap cannot go on") {
  const auto partial = filled(std::string_view(content).substr(0, 200'000));
  blobs.abandon(*partial, full);
  const auto reader = streams.go_on({upstream, "a/b", digest}, partial, 200'001, full);
  REQUIRE_FALSE(reader);
  CHECK(reader.error().code == ErrorCode::no_space);
}

TEST_CASE("streams share what memory there is") {
  const auto memory = std::make_shared<StreamMemory>(StreamMemory::Limits{.total = 100, .most = 40, .least = 10});
  CHECK_FALSE(memory->take(101).token);
  CHECK(memory->take(100).token);
  auto first = memory->take();
  CHECK(first.bytes == 40);
  auto second = memory->take();
  CHECK(second.bytes == 30);
  auto third = memory->take();
  CHECK(third.bytes == 15);
  auto fourth = memory->take();
  CHECK(fourth.bytes == 10);
  CHECK(memory->used() == 95);
  auto fifth = memory->take();
  CHECK(fifth.bytes == 10);  // in any case
  first = second = third = fourth = fifth = {};
  CHECK(memory->used() == 0);
}

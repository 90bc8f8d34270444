#include "proxy/fill/blob_fetch.h"

#include <catch2/catch.hpp>

#include "tests/proxy/fill/fetch_fixture.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

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

TEST_CASE_METHOD(FetchFixture, "with all connections at work one that hangs gives its piece up to another") {
  make(400'000);
  options.connections = 2;
  options.straggler.silence = 50ms;
  upstream->throttle(400'000);
  upstream->hold_next_transfer_at(3'000);  // for good
  REQUIRE(begin().get());
  check_complete();
  CHECK(upstream->most_open_transfers() <= 2);
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
  CHECK(partial->contiguous() == 5'000);  // of the first connection
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

TEST_CASE_METHOD(FetchFixture, "a disk that cannot sync ends it, or keeps it from being committed") {
  make(50'000);
  fs.fail_all(FaultFileSystem::Op::sync_data);
  const auto fetched = fetch();
  const auto outcome = fetched ? blobs.commit(*partial) : fetched;  // the first checkpoint may come later
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == ErrorCode::io);
}

TEST_CASE_METHOD(FetchFixture, "progress is recorded while it goes on") {
  make(100'000);
  upstream->fail_calls(call(60'000), reset, 0);
  options.connections = 1;
  options.retry.attempts = 1'000'000;
  auto done = begin();
  wait_until_synced(50'000);
  stop = true;
  REQUIRE_FALSE(done.get());
}

TEST_CASE_METHOD(FetchFixture, "that all has come is recorded, though less than a chunk came last") {
  make(95'000);
  options.connections = GENERATE(1U, 4U);
  REQUIRE(fetch());
  wait_until_synced(content.size());
}

TEST_CASE_METHOD(FetchFixture, "of a connection that brings many chunks in time one request asks for many") {
  make(1'000'000);
  options.connections = 1;
  options.most_chunks = 8;
  upstream->throttle(4'000'000);
  REQUIRE(fetch());
  check_complete();
  CHECK(upstream->blob_bytes() == content.size());
  CHECK(upstream->count("get_blob") < 50);
}

TEST_CASE_METHOD(FetchFixture, "of a connection that brings no more than a chunk in time one request asks for one") {
  make(200'000);
  options.connections = 1;
  options.most_chunks = 8;
  options.piece_time = 10ms;
  upstream->throttle(1'000'000);
  REQUIRE(fetch());
  check_complete();
  CHECK(upstream->count("get_blob") > 12);  // 20, but for bursts after a pause of this machine
}

TEST_CASE_METHOD(FetchFixture, "of a request for many chunks each is recorded when it has come") {
  make(400'000);
  options.connections = 1;
  options.most_chunks = 40;
  upstream->throttle(2'000'000);
  upstream->hold_blobs_at(50'000);
  auto done = begin();
  REQUIRE(upstream->wait_for_held());
  wait_until_synced(50'000);
  stop = true;
  REQUIRE_FALSE(done.get());
}

TEST_CASE_METHOD(FetchFixture, "a bandwidth that is lifted holds nobody back any more") {
  make(50'000);
  bandwidth = std::make_shared<TokenBucket>(1, 1ms);
  auto done = begin();
  // Whoever reads has a debt of hours.
  while (bandwidth->take(0, std::chrono::steady_clock::now()) < 1h) std::this_thread::yield();
  bandwidth->set_rate(0, std::chrono::steady_clock::now());
  const bool ended = done.wait_for(20s) == std::future_status::ready;
  stop = true;
  REQUIRE(ended);
  REQUIRE(done.get());
  check_complete();
}

TEST_CASE_METHOD(FetchFixture, "the bandwidth is kept") {
  make(100'000);
  bandwidth = std::make_shared<TokenBucket>(500'000, 1ms);
  const auto began = std::chrono::steady_clock::now();
  REQUIRE(fetch());
  CHECK(std::chrono::steady_clock::now() - began >= 150ms);
}

// What a BlobFetch does about sources that fail, drip or say less than they should, and when there are several.
#include <catch2/catch.hpp>

#include "tests/proxy/fill/fetch_fixture.h"
#include "tests/support/altered_upstream.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

namespace {

const Error silent{ErrorCode::timeout, Blame::upstream, "not a byte in time", true};

struct Fixture : FetchFixture {
  ~Fixture() {
    other->release();
    shut_down();
  }

  std::shared_ptr<FakeUpstream> other = std::make_shared<FakeUpstream>("other.example");

  // The blob in two places.
  void make_two(std::size_t size, FillLimits limits = {}) {
    make(size);
    other->add_blob("c/d", content);
    sources = std::make_shared<FillSources>(BlobSource{upstream, "a/b"});
    REQUIRE(sources->add({other, "c/d", std::move(limits)}));
  }
  // Reads bring a byte each, with a wait before the next.
  static void drip(FakeUpstream& from) {
    from.limit_reads(1);
    from.throttle(500);
  }
  void alter(AlteredUpstream::Alter how) {
    sources =
        std::make_shared<FillSources>(BlobSource{std::make_shared<AlteredUpstream>(upstream, std::move(how)), "a/b"});
  }
  void watch_rate() {
    options.least_rate = {.rate = 100'000, .window = 20ms};
    options.connections = 1;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "the other source is asked when the first one fails, whatever it says") {
  const auto code = GENERATE(ErrorCode::unavailable, ErrorCode::timeout, ErrorCode::denied, ErrorCode::unauthorized,
                             ErrorCode::not_found, ErrorCode::rate_limited, ErrorCode::protocol);
  make_two(50'000);
  upstream->fail_calls("get_blob", Error{code, Blame::upstream, "no"}, 0);
  REQUIRE(fetch());
  check_complete();
  CHECK(upstream->count("get_blob") == 1);
  CHECK(other->blob_bytes() == content.size());
}

TEST_CASE_METHOD(Fixture, "a source that breaks off in the middle is left where it was, every byte once") {
  make_two(50'000);
  options.connections = 1;
  upstream->break_next_blob(4'000, silent);
  REQUIRE(fetch());
  check_complete();
  CHECK(upstream->blob_bytes() == 4'000);
  CHECK(other->blob_bytes() == content.size() - 4'000);
}

TEST_CASE_METHOD(Fixture, "a stream goes on from the other source") {
  make_two(50'000);
  options.ranged = false;
  upstream->break_next_blob(14'000, silent);
  REQUIRE(fetch());
  check_complete();
  CHECK(upstream->count("get_blob") == 1);
  CHECK(other->count("get_blob") == 1);
}

TEST_CASE_METHOD(Fixture, "a source that does no ranges is not read as a stream where another one does") {
  make_two(50'000);
  upstream->fail_calls("get_blob", {ErrorCode::protocol, Blame::upstream, "a wrong Content-Range"}, 0);
  REQUIRE(fetch());
  check_complete();
  CHECK(other->count("get_blob") == 5);
}

TEST_CASE_METHOD(Fixture, "a source that joins meanwhile takes over") {
  make(50'000);
  other->add_blob("c/d", content);
  sources = std::make_shared<FillSources>(BlobSource{upstream, "a/b"});
  upstream->hold("get_blob");
  auto done = begin();
  REQUIRE(upstream->wait_for_held());
  sources->add({other, "c/d"});
  upstream->fail_calls("get_blob", reset, 0);
  upstream->release();
  REQUIRE(done.get());
  check_complete();
}

TEST_CASE_METHOD(Fixture, "when all fail, each has had its attempts, and the first one's word counts") {
  make_two(50'000);
  upstream->fail_calls("get_blob", denied, 0);
  other->fail_calls("get_blob", reset, 0);
  const auto done = fetch();
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::denied);
  CHECK(upstream->count("get_blob") == options.retry.attempts);
  CHECK(other->count("get_blob") == options.retry.attempts);
}

TEST_CASE_METHOD(Fixture, "another source's connections are limited as it says") {
  options.connections = 4;
  const bool alone = GENERATE(true, false);
  const auto budget = std::make_shared<ConnectionBudget>(alone ? 0 : 2);
  make_two(200'000, {.budget = budget});
  upstream->fail_calls("get_blob", reset, 0);
  other->throttle(800'000);
  options.interval = 20ms;
  REQUIRE(fetch());
  check_complete();
  CHECK(other->most_open_transfers() <= (alone ? 1U : 3U));
  CHECK(budget->used() == 0);
}

TEST_CASE_METHOD(Fixture, "connections that come over from a source that fails keep the other's limit") {
  make(600'000);
  other->add_blob("c/d", content);
  upstream->throttle(500'000);
  other->throttle(1'000'000);
  alter([](BlobTransfer& transfer) {
    if (transfer.offset >= 400'000) cut(transfer, 0, reset);
  });
  const auto budget = std::make_shared<ConnectionBudget>(0);
  REQUIRE(sources->add({other, "c/d", {.budget = budget}}));
  REQUIRE(fetch());
  check_complete();
  CHECK(upstream->most_open_transfers() > 1);
  CHECK(other->most_open_transfers() == 1);
}

TEST_CASE_METHOD(Fixture, "another source's number of connections holds too") {
  make_two(200'000, {.connections = 1});
  upstream->fail_calls("get_blob", reset, 0);
  other->throttle(800'000);
  options.interval = 20ms;
  REQUIRE(fetch());
  check_complete();
  CHECK(other->most_open_transfers() == 1);
}

// --- dripping ---

TEST_CASE_METHOD(Fixture, "an upstream that drips is given up, in pieces and in a stream") {
  options.ranged = GENERATE(true, false);
  make(50'000);
  watch_rate();
  drip(*upstream);
  const auto done = fetch();
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::timeout);
  CHECK(done.error().blame == Blame::upstream);
  CHECK(upstream->count("get_blob") == options.retry.attempts);
  CHECK(upstream->open_transfers() == 0);
}

TEST_CASE_METHOD(Fixture, "a drip that adds up to something is as good as nothing") {
  options.least_brought = 2;
  make(50'000);
  watch_rate();
  drip(*upstream);
  const auto done = fetch();
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::timeout);
  CHECK(upstream->count("get_blob") == options.retry.attempts);
}

TEST_CASE_METHOD(Fixture, "a drip is left for another source") {
  options.ranged = GENERATE(true, false);
  make_two(50'000);
  watch_rate();
  drip(*upstream);
  REQUIRE(fetch());
  check_complete();
  CHECK(upstream->count("get_blob") == 1);
}

TEST_CASE_METHOD(Fixture, "bytes count against the bandwidth of the source that sends them") {
  make_two(50'000);
  bandwidth = std::make_shared<TokenBucket>(1, 1ms);
  const auto theirs = std::make_shared<TokenBucket>(5'000'000, 1ms);
  other->set_bandwidth(theirs);
  upstream->fail_calls("get_blob", denied, 0);
  REQUIRE(fetch());
  check_complete();
  CHECK(bandwidth->take(0, std::chrono::steady_clock::now()) == 0ns);
  theirs->set_rate(1, std::chrono::steady_clock::now());
  CHECK(theirs->take(1, std::chrono::steady_clock::now()) > 0ns);
}

TEST_CASE_METHOD(Fixture, "our own cap on bandwidth is not taken for a drip") {
  make(50'000);
  options.buffer = 500;
  options.least_rate = {.rate = 10'000'000, .window = 50ms};  // more than comes, if our waits counted
  options.connections = 1;
  bandwidth = std::make_shared<TokenBucket>(200'000, 1ms);
  REQUIRE(fetch());
  check_complete();
  CHECK(upstream->count("get_blob") == 5);
}

// --- little at a time ---

TEST_CASE_METHOD(Fixture, "an upstream that breaks every transfer after a byte is not hammered") {
  options.ranged = GENERATE(true, false);
  options.connections = 4;
  make(50'000);
  alter([](BlobTransfer& transfer) { cut(transfer, 1, reset); });
  const auto done = fetch();
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::unavailable);
  CHECK(upstream->count("get_blob") == options.retry.attempts);
  if (options.ranged) CHECK(partial->received() == options.retry.attempts);
}

TEST_CASE_METHOD(Fixture, "of several connections one that breaks at once is not reopened at once") {
  options.connections = 2;
  options.interval = 20ms;
  make(400'000);
  upstream->throttle(1'000'000);
  alter([](BlobTransfer& transfer) {
    if (transfer.offset >= 200'000) cut(transfer, 1, reset);
  });
  CHECK_FALSE(fetch());
  // The first half, one by one; then the two connections' attempts, and those of the last one left.
  CHECK(upstream->count("get_blob") <= 20 + 2 * options.retry.attempts + 4);
  CHECK(partial->received() >= 200'000);
}

TEST_CASE_METHOD(Fixture, "breaks that come after enough do not add up") {
  make(50'000);
  options.connections = 1;
  options.chunk = 50'000;
  alter([](BlobTransfer& transfer) { cut(transfer, 5'000, reset); });
  REQUIRE(fetch());
  check_complete();
  CHECK(upstream->count("get_blob") == 10);
}

// --- less than announced ---

TEST_CASE_METHOD(Fixture, "an upstream that has less than was announced is found out, not waited for") {
  options.ranged = GENERATE(true, false);
  content = pattern(50'000);
  const Digest digest = upstream->add_blob("a/b", content);
  partial = blobs.begin(digest, content.size() + 1000).value();
  upstream->hide_sizes(true);
  const auto done = fetch();
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::digest_mismatch);
  CHECK(done.error().blame == Blame::upstream);
}

TEST_CASE_METHOD(Fixture, "an upstream that ends a transfer early once, and breaks others, may still have more") {
  make(50'000);
  upstream->hide_sizes(true);
  alter([](BlobTransfer& transfer) { cut(transfer, 20'000); });
  upstream->fail_calls(call(30'000), reset, 0);  // after a piece of 10'000, and what was cut
  const auto done = fetch();
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::unavailable);
}

// Fills of a digest that several upstreams or repositories are asked for.
#include <catch2/catch.hpp>

#include "tests/proxy/fill/fill_fixture.h"
#include "tests/support/altered_upstream.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

namespace {

std::optional<ErrorCode> failure(const Result<std::string>& result) {
  return result ? std::nullopt : std::optional(result.error().code);
}

Error says(ErrorCode code) { return {code, Blame::upstream, "no"}; }

struct Fixture : FillFixture {
  ~Fixture() {
    other->release();
    shut_down();
  }

  std::shared_ptr<FakeUpstream> other = std::make_shared<FakeUpstream>("other.example");
  const std::string content = pattern(300'000);
  const Digest digest = upstream->add_blob("a/b", content);

  std::string spoilt() const {
    std::string bytes = content;
    bytes[1000] ^= 1;
    return bytes;
  }
  std::shared_ptr<Fill> fetch() { return fills.fetch({upstream, "a/b", digest}); }
  std::shared_ptr<Fill> fetch_from_other() { return fills.fetch({other, "c/d", digest}); }
  // A fill from `upstream` that waits for its first answer, joined by one who would ask `other`.
  std::shared_ptr<Fill> joined() {
    upstream->hold("get_blob");
    auto fill = fetch();
    REQUIRE(upstream->wait_for_held());
    CHECK(fetch_from_other() == fill);
    return fill;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "who joins a fill brings its own source, which is asked when the first one refuses") {
  const auto code = GENERATE(ErrorCode::not_found, ErrorCode::denied, ErrorCode::unauthorized, ErrorCode::unavailable,
                             ErrorCode::timeout, ErrorCode::rate_limited);
  other->add_blob("c/d", content);
  const auto fill = joined();
  upstream->fail_calls("get_blob", says(code), 0);
  upstream->release();
  CHECK(read(fill).value() == content);
  CHECK(other->blob_bytes() == content.size());
  CHECK(fill->status().upstream == "up.example");  // whose it is, not where it comes from
  CHECK(fill->status().source == "other.example");
}

TEST_CASE_METHOD(Fixture, "another repository of the same upstream is another source") {
  upstream->add_blob("c/d", content);
  upstream->hold("get_blob");
  const auto fill = fetch();
  REQUIRE(upstream->wait_for_held());
  fills.fetch({upstream, "c/d", digest});
  upstream->fail_calls("get_blob a/b", says(ErrorCode::denied), 0);
  upstream->release();
  CHECK(read(fill).value() == content);
}

TEST_CASE_METHOD(Fixture, "a source that stalls in the middle is left for another's") {
  other->add_blob("c/d", content);
  upstream->break_next_blob(100'000, says(ErrorCode::timeout));
  upstream->hold_blobs_at(50'000);
  const auto fill = fetch();
  REQUIRE(upstream->wait_for_held());
  fetch_from_other();
  upstream->release();
  CHECK(read(fill).value() == content);
  CHECK(upstream->count("get_blob") == 1);
  CHECK(other->blob_bytes() == content.size() - 100'000);
}

TEST_CASE_METHOD(Fixture, "when no source has it, the fill fails with what the first one said") {
  const auto fill = joined();
  upstream->fail_calls("get_blob", says(ErrorCode::denied), 0);
  upstream->release();
  const auto result = read(fill);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::denied);
  CHECK(upstream->count("get_blob") == 1);
  CHECK(other->count("get_blob") == 1);
}

TEST_CASE_METHOD(Fixture, "another source is not asked when it is our disk that fails") {
  other->add_blob("c/d", content);
  const auto fill = joined();
  space.set_limits(1000, 0);
  upstream->release();
  CHECK(failure(read(fill)) == ErrorCode::no_space);
  CHECK(other->count() == 0);
}

TEST_CASE_METHOD(Fixture, "those that join by the thousand are not all remembered") {
  const auto fill = joined();
  for (int i = 0; i < 1000; ++i) fills.fetch({other, "r" + std::to_string(i), digest});
  upstream->fail_calls("get_blob", says(ErrorCode::not_found), 0);
  upstream->release();
  CHECK(failure(read(fill)) == ErrorCode::not_found);
  CHECK(other->count("get_blob") == FillSources::most - 1);
}

// --- wrong bytes ---

TEST_CASE_METHOD(Fixture, "after wrong bytes the other source is asked") {
  upstream->add_blob_as("a/b", digest, spoilt());
  other->add_blob("c/d", content);
  const auto fill = joined();
  upstream->release();
  (void)read(fill);
  settle();
  CHECK(stored(digest));
  CHECK(upstream->count("distrust up.example") == 1);
  CHECK(other->count("distrust") == 0);
}

TEST_CASE_METHOD(Fixture, "the source that sent wrong bytes is told from the one that had its turn with it") {
  upstream->break_next_blob(100'000, says(ErrorCode::timeout));
  other->add_blob_as("c/d", digest, pattern(299'999) + 'x');
  const auto fill = joined();
  upstream->release();
  (void)read(fill);
  settle();
  CHECK(stored(digest));
  CHECK(upstream->count("get_blob") == 2);
}

TEST_CASE_METHOD(Fixture, "a source that sends wrong bytes twice is not asked for a while, others are") {
  upstream->add_blob_as("a/b", digest, spoilt());
  CHECK_FALSE(read(fetch()));
  settle();
  const auto asked = upstream->count("get_blob");
  CHECK(failure(read(fetch())) == ErrorCode::digest_mismatch);
  settle();
  CHECK(upstream->count("get_blob") == asked);
  other->add_blob("c/d", content);
  CHECK(read(fetch_from_other()).value() == content);
  settle();
  CHECK(upstream->count("get_blob") == asked);
}

TEST_CASE_METHOD(Fixture, "when all sources send wrong bytes, that is the end") {
  upstream->add_blob_as("a/b", digest, spoilt());
  other->add_blob_as("c/d", digest, spoilt());
  const auto fill = joined();
  upstream->release();
  CHECK(failure(read(fill)) == ErrorCode::digest_mismatch);
  settle();
  CHECK_FALSE(stored(digest));
  CHECK(upstream->count("get_blob") == 2);  // first, and last, when it is the only one left
  CHECK(other->count("get_blob") == 1);
}

TEST_CASE_METHOD(Fixture, "of several endpoints the one that brought most is the likeliest to have sent wrong bytes") {
  upstream->add_blob_as("a/b", digest, spoilt());
  const auto two_endpoints = std::make_shared<AlteredUpstream>(upstream, [](BlobTransfer& transfer) {
    transfer.source = transfer.offset == 0 ? "first.example" : "second.example";
  });
  FillCoordinator pieces(loops, pool, blobs, {.fetch = {.chunk = 100'000, .buffer = 4096}, .clock = &clock});
  const auto fill = pieces.fetch({two_endpoints, "a/b", digest});
  CHECK(failure(read(fill)) == ErrorCode::digest_mismatch);
  while (!pieces.fills().empty()) std::this_thread::yield();
  CHECK(upstream->calls("distrust") == std::vector<std::string>{"distrust first.example possible",
                                                                "distrust second.example likely",
                                                                "distrust first.example certain"});
}

// --- a size that was wrong ---

TEST_CASE_METHOD(Fixture, "a fill that was put aside with too large a size starts anew") {
  upstream->hide_sizes(true);
  upstream->announce_size(content.size() + 1000);
  upstream->break_next_blob(100'000, broken_connection);
  upstream->fail_calls(digest.to_string() + " 100000", broken_connection, 0);
  CHECK_FALSE(read(fetch()));
  settle();
  REQUIRE(fills.stats().suspended == 1);
  upstream->clear_failures();
  upstream->announce_size(std::nullopt);
  (void)read(fetch());  // one who reads already hears that it failed
  settle();
  CHECK(stored(digest));
}

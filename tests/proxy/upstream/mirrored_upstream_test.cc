#include "proxy/upstream/mirrored_upstream.h"

#include <catch2/catch.hpp>

#include "tests/support/fake_upstream.h"
#include "tests/support/manual_clock.h"
#include "tests/support/run_task.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

namespace {

const std::string manifest = R"({"schemaVersion":2})";
constexpr auto media_type = "application/vnd.oci.image.index.v1+json";
const Error away{ErrorCode::unavailable, Blame::upstream, "away", true};

struct MirrorFixture {
  ManualClock clock;
  std::shared_ptr<FakeUpstream> own = std::make_shared<FakeUpstream>("own.example");
  std::shared_ptr<FakeUpstream> mirror = std::make_shared<FakeUpstream>("mirror.example");
  MirroredUpstream upstream{{own, mirror}, clock};

  Result<std::string> blob(const Digest& digest) { return run_task(read(digest)); }
  Task<Result<std::string>> read(Digest digest) {
    auto transfer = co_await upstream.get_blob("a/b", digest, 0, std::nullopt);
    if (!transfer) co_return std::unexpected(transfer.error());
    std::string text(100, '\0');
    const auto got = co_await transfer->read(std::as_writable_bytes(std::span(text)));
    if (!got) co_return std::unexpected(got.error());
    text.resize(*got);
    co_return text;
  }
};

}  // namespace

TEST_CASE_METHOD(MirrorFixture, "it is called as the upstream is, which is asked first") {
  const Digest digest = own->add_blob("a/b", "own");
  mirror->add_blob("a/b", "own");
  CHECK(upstream.name() == "own.example");
  CHECK(blob(digest).value() == "own");
  CHECK(mirror->count() == 0);
}

TEST_CASE_METHOD(MirrorFixture,
                 "its endpoints are the upstream's own, so that those of a mirror of several are told once") {
  own->set_endpoints({{.host = "a.example", .transfers = 2}, {.host = "b.example"}});
  mirror->set_endpoints({{.host = "c.example"}});
  REQUIRE(upstream.endpoints().size() == 2);
  CHECK(upstream.endpoints()[0].host == "a.example");
  CHECK(upstream.endpoints()[0].transfers == 2);
}

TEST_CASE_METHOD(MirrorFixture, "a digest that one has not got is asked of the next") {
  const Digest blob_digest = mirror->add_blob("a/b", "there");
  const Digest index = mirror->add_manifest("a/b", manifest, media_type);
  CHECK(blob(blob_digest).value() == "there");
  CHECK(run_task(upstream.head_blob("a/b", blob_digest)).value().size == 5);
  CHECK(run_task(upstream.get_manifest("a/b", index.to_string())).value().content == manifest);
  CHECK(run_task(upstream.head_manifest("a/b", index.to_string())).value().digest == index);
}

TEST_CASE_METHOD(MirrorFixture, "who has not got a blob is not asked for each of its pieces") {
  const Digest digest = mirror->add_blob("a/b", "there");
  for (int i = 0; i < 3; ++i) REQUIRE(blob(digest));
  CHECK(own->count("get_blob") == 1);
  clock.advance(60s);
  REQUIRE(blob(digest));
  CHECK(own->count("get_blob") == 2);
}

TEST_CASE_METHOD(MirrorFixture, "while the upstream is away its mirror serves what is known by digest, not its tags") {
  own->add_manifest("a/b", manifest, media_type, "1.0");
  const Digest index = mirror->add_manifest("a/b", manifest, media_type, "1.0");
  own->fail_calls("", away, 0);
  CHECK(run_task(upstream.get_manifest("a/b", index.to_string())));
  CHECK(run_task(upstream.get_manifest("a/b", "1.0")).error().code == ErrorCode::unavailable);
  CHECK(run_task(upstream.head_manifest("a/b", "1.0")).error().code == ErrorCode::unavailable);
  CHECK(run_task(upstream.list_tags("a/b", 10, "")).error().code == ErrorCode::unavailable);
  CHECK(run_task(upstream.referrers("a/b", index)).error().code == ErrorCode::unavailable);
}

TEST_CASE_METHOD(MirrorFixture, "what the upstream denies is denied, whatever a mirror would say") {
  const auto code = GENERATE(ErrorCode::denied, ErrorCode::unauthorized);
  const Digest digest = own->add_blob("a/b", "private");
  mirror->add_blob("a/b", "private");
  own->fail_calls("", Error{code, Blame::upstream, "no"}, 0);
  CHECK(blob(digest).error().code == code);
  CHECK(mirror->count() == 0);
}

TEST_CASE_METHOD(MirrorFixture, "when nobody has it the error is the upstream's own") {
  const Digest digest = Digest::of("nowhere");
  CHECK(blob(digest).error().code == ErrorCode::not_found);
  mirror->fail_calls("", away, 0);
  CHECK(blob(Digest::of("elsewhere")).error().code == ErrorCode::not_found);
  own->fail_calls("", away, 0);
  CHECK(blob(Digest::of("somewhere")).error().code == ErrorCode::unavailable);
}

TEST_CASE_METHOD(MirrorFixture, "every member hears of wrong bytes") {
  upstream.distrust("10.0.0.1:443");
  CHECK(own->count("distrust 10.0.0.1:443") == 1);
  CHECK(mirror->count("distrust 10.0.0.1:443") == 1);
}

TEST_CASE_METHOD(MirrorFixture, "who has sent wrong bytes is asked last, whatever it answers") {
  const Digest digest = own->add_blob("a/b", "both");
  mirror->add_blob("a/b", "both");
  REQUIRE(blob(digest));
  upstream.distrust("own.example");  // the fake's source is its name
  REQUIRE(blob(digest));
  CHECK(own->count("get_blob") == 1);
  CHECK(mirror->count("get_blob") == 1);
  mirror->fail_calls("", away, 0);
  CHECK(blob(digest).value() == "both");
  clock.advance(300s);
  REQUIRE(blob(digest));
  CHECK(own->count("get_blob") == 3);
}

TEST_CASE_METHOD(MirrorFixture, "who could not be reached is not waited for again with each piece") {
  const Digest digest = mirror->add_blob("a/b", "there");
  own->fail_calls("", away, 0);
  for (int i = 0; i < 5; ++i) REQUIRE(blob(digest));
  CHECK(own->count("get_blob") == 1);
  clock.advance(10s);
  REQUIRE(blob(digest));
  CHECK(own->count("get_blob") == 2);
}

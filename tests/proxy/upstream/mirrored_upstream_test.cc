#include "proxy/upstream/mirrored_upstream.h"

#include <catch2/catch.hpp>

#include "tests/support/altered_upstream.h"
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
  MirroredUpstream upstream{{{own}, {mirror}}, clock};

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

// What is never quick: it is told until when.
class TimedUpstream final : public AlteredUpstream {
 public:
  explicit TimedUpstream(std::shared_ptr<Upstream> base) : AlteredUpstream(base, [](BlobTransfer&) {}), base_(base) {}
  [[nodiscard]] std::shared_ptr<Upstream> until(SteadyTime deadline) const override {
    deadlines.push_back(deadline);
    return base_;
  }
  mutable std::vector<SteadyTime> deadlines;

 private:
  const std::shared_ptr<Upstream> base_;
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

TEST_CASE_METHOD(MirrorFixture, "what all say that they have not got is not found, and they are asked again") {
  const Digest digest = Digest::of("nowhere");
  CHECK(blob(digest).error().code == ErrorCode::not_found);
  mirror->add_blob("a/b", "nowhere");
  CHECK(blob(digest).value() == "nowhere");
  CHECK(own->count("get_blob") == 2);
}

TEST_CASE_METHOD(MirrorFixture, "an outage of the upstream is not taken for an absence, however often one asks") {
  const Digest digest = own->add_blob("a/b", "there");
  own->fail_calls("", Error{ErrorCode::timeout, Blame::upstream, "silent", true}, 0);
  for (int i = 0; i < 3; ++i) CHECK(blob(digest).error().code == ErrorCode::timeout);
  for (int i = 0; i < 3; ++i) CHECK(run_task(upstream.head_blob("a/b", digest)).error().code == ErrorCode::timeout);
  own->clear_failures();
  CHECK(blob(digest).value() == "there");
}

TEST_CASE_METHOD(MirrorFixture, "nor is an outage of the mirror that may have it") {
  const Digest digest = mirror->add_blob("a/b", "there");
  REQUIRE(blob(digest));
  mirror->fail_calls("", away, 0);
  for (int i = 0; i < 3; ++i) CHECK(blob(digest).error().code == ErrorCode::unavailable);
}

TEST_CASE_METHOD(MirrorFixture, "a mirror that refuses says nothing of what there is") {
  mirror->fail_calls("", Error{ErrorCode::unauthorized, Blame::upstream, "no such repository, or private"}, 0);
  CHECK(blob(Digest::of("nowhere")).error().code == ErrorCode::not_found);
}

TEST_CASE_METHOD(MirrorFixture, "while its bytes are distrusted it still decides who may have what") {
  const auto code = GENERATE(ErrorCode::denied, ErrorCode::unauthorized);
  const Digest digest = own->add_blob("a/b", "private");
  mirror->add_blob("a/b", "private");
  const Digest index = mirror->add_manifest("a/b", manifest, media_type);
  REQUIRE(blob(digest));
  upstream.distrust("own.example", Doubt::certain);
  own->fail_calls("", Error{code, Blame::upstream, "no"}, 0);
  CHECK(run_task(upstream.head_blob("a/b", digest)).error().code == code);
  CHECK(run_task(upstream.get_manifest("a/b", index.to_string())).error().code == code);
  CHECK(run_task(upstream.head_manifest("a/b", index.to_string())).error().code == code);
  CHECK(mirror->count("head") == 0);
  CHECK(mirror->count("get_manifest") == 0);
}

TEST_CASE_METHOD(MirrorFixture, "mirrors speak for it while it is away, and it for itself half a minute later") {
  const Digest digest = own->add_blob("a/b", "private");
  mirror->add_blob("a/b", "private");
  own->fail_calls("", away, 1);
  CHECK(run_task(upstream.head_blob("a/b", digest)));
  own->fail_calls("", Error{ErrorCode::denied, Blame::upstream, "no"}, 0);
  CHECK(run_task(upstream.head_blob("a/b", digest)));
  clock.advance(30s);
  CHECK(run_task(upstream.head_blob("a/b", digest)).error().code == ErrorCode::denied);
}

TEST_CASE_METHOD(MirrorFixture, "a mirror is not asked for what its own rules close") {
  MirroredUpstream strict({{own}, {mirror, [](const std::string& name) { return name == "open/b"; }}}, clock);
  const Digest digest = mirror->add_blob("a/b", "private");
  mirror->add_blob("open/b", "private");
  const Digest index = mirror->add_manifest("a/b", manifest, media_type);
  CHECK(run_task(strict.head_blob("a/b", digest)).error().code == ErrorCode::not_found);
  CHECK(run_task(strict.get_blob("a/b", digest, 0, 1)).error().code == ErrorCode::not_found);
  CHECK(run_task(strict.get_manifest("a/b", index.to_string())).error().code == ErrorCode::not_found);
  own->fail_calls("", away, 0);
  CHECK(run_task(strict.head_blob("a/b", digest)).error().code == ErrorCode::unavailable);
  CHECK(mirror->count() == 0);
  CHECK(run_task(strict.head_blob("open/b", digest)));
}

TEST_CASE_METHOD(MirrorFixture, "bytes are of the bandwidth of the member that sends them") {
  const auto bucket = std::make_shared<TokenBucket>(1), other = std::make_shared<TokenBucket>(1);
  own->set_bandwidth(bucket);
  mirror->set_bandwidth(other);
  const Digest first = own->add_blob("a/b", "first"), second = mirror->add_blob("a/b", "second");
  CHECK(run_task(upstream.get_blob("a/b", first, 0, std::nullopt))->bandwidth == bucket);
  CHECK(run_task(upstream.get_blob("a/b", second, 0, std::nullopt))->bandwidth == other);
}

TEST_CASE("members share the time, and what one leaves is for those behind it") {
  ManualClock clock;
  std::vector<std::shared_ptr<TimedUpstream>> timed;
  std::vector<MirroredUpstream::Member> members;
  for (const auto* name : {"a", "b", "c"}) {
    timed.push_back(std::make_shared<TimedUpstream>(std::make_shared<FakeUpstream>(name)));
    members.push_back({timed.back()});
  }
  MirroredUpstream upstream(members, clock, {.metadata = 300s, .blob = 600s});
  const auto before = std::chrono::steady_clock::now();
  CHECK_FALSE(run_task(upstream.head_blob("a/b", Digest::of("nowhere"))));
  CHECK_FALSE(run_task(upstream.get_blob("a/b", Digest::of("nowhere"), 0, std::nullopt)));
  const auto taken = std::chrono::steady_clock::now() - before;
  const std::chrono::seconds shares[][2]{{100s, 200s}, {150s, 300s}, {300s, 600s}};
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(timed[i]->deadlines.size() == 2);
    for (std::size_t j = 0; j < 2; ++j) {
      CHECK(timed[i]->deadlines[j] >= before + shares[i][j]);
      CHECK(timed[i]->deadlines[j] <= before + shares[i][j] + taken);
    }
  }
}

TEST_CASE_METHOD(MirrorFixture, "every member hears of wrong bytes") {
  upstream.distrust("10.0.0.1:443", Doubt::certain);
  CHECK(own->count("distrust 10.0.0.1:443") == 1);
  CHECK(mirror->count("distrust 10.0.0.1:443") == 1);
}

TEST_CASE_METHOD(MirrorFixture, "who has sent wrong bytes is asked last, whatever it answers") {
  const Digest digest = own->add_blob("a/b", "both");
  mirror->add_blob("a/b", "both");
  REQUIRE(blob(digest));
  upstream.distrust("own.example", Doubt::certain);  // the fake's source is its name
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
  clock.advance(30s);
  REQUIRE(blob(digest));
  CHECK(own->count("get_blob") == 2);
}

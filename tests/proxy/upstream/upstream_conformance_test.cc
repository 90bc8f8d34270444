// What every Upstream does, whatever stands behind it: one suite, run on the fake and on HTTP.
#include <catch2/catch.hpp>

#include "tests/proxy/upstream/upstream_fixture.h"
#include "tests/support/fake_upstream.h"

namespace paddock::test {
namespace {

constexpr std::string_view empty_index =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})";

struct OverHttp : UpstreamFixture {
  Upstream& upstream_under_test() { return up(); }
  Digest add_blob(const std::string& content) { return registry.add_blob(repository, content); }
  Digest add_manifest(const std::string& content, std::string_view type, std::string_view tag) {
    return registry.add_manifest(repository, content, type, tag);
  }
  void set_tag(std::string_view tag, const Digest& digest) { registry.set_tag(repository, tag, digest); }
  void set_referrers(const Digest& digest, const std::string& json) {
    registry.offer_referrers(false);
    registry.add_manifest(repository, json, oci_index_type, "sha256-" + digest.hex());
  }
  void no_referrers() { registry.offer_referrers(false); }
  void go_away() { registry.go_away(); }
  void break_blob(std::uint64_t after) { registry.script("/blobs/", {.close_at = after}); }
  void ignore_ranges() { registry.script("/blobs/", {.ignore_range = true}, 0); }
};

struct InMemory : UpstreamFixture {
  FakeUpstream fake{"up.example"};
  Upstream& upstream_under_test() { return fake; }
  Digest add_blob(const std::string& content) { return fake.add_blob(repository, content); }
  Digest add_manifest(const std::string& content, std::string_view type, std::string_view tag) {
    return fake.add_manifest(repository, content, type, tag);
  }
  void set_tag(std::string_view tag, const Digest& digest) { fake.set_tag(repository, tag, digest); }
  void set_referrers(const Digest& digest, const std::string& json) { fake.set_referrers(repository, digest, json); }
  void no_referrers() {}
  void go_away() { fake.fail_calls("", Error{ErrorCode::unavailable, Blame::upstream, "away", true}, 0); }
  void break_blob(std::uint64_t after) {
    fake.break_next_blob(after, Error{ErrorCode::unavailable, Blame::upstream, "broken", true});
  }
  void ignore_ranges() { fake.ignore_ranges(true); }
};

Task<Result<ReadBlob>> whole(Upstream* upstream, Digest digest, std::uint64_t offset,
                             std::optional<std::uint64_t> length) {
  auto transfer = co_await upstream->get_blob(UpstreamFixture::repository, digest, offset, length);
  if (!transfer) co_return std::unexpected(std::move(transfer).error());
  co_return co_await read_blob(*std::move(transfer));
}

TEMPLATE_TEST_CASE("every upstream gives manifests by tag and digest, byte for byte", "", OverHttp, InMemory) {
  TestType t;
  const std::string content(empty_index);
  const auto digest = t.add_manifest(content, oci_index_type, "1.0");
  CHECK(t.upstream_under_test().name() == "up.example");
  for (const auto& reference : {std::string("1.0"), digest.to_string()}) {
    const auto fetched = t.run(t.upstream_under_test().get_manifest(t.repository, reference));
    REQUIRE(fetched);
    CHECK(fetched->digest == digest);
    CHECK(fetched->content == content);
    CHECK(fetched->media_type == oci_index_type);
    const auto info = t.run(t.upstream_under_test().head_manifest(t.repository, reference));
    REQUIRE(info);
    CHECK(info->digest == digest);
    CHECK(info->media_type == oci_index_type);
    CHECK(info->size == content.size());
  }
}

TEMPLATE_TEST_CASE("every upstream says not_found of what it does not have", "", OverHttp, InMemory) {
  TestType t;
  auto& upstream = t.upstream_under_test();
  (void)t.add_blob("something");
  const auto digest = Digest::of("absent");
  CHECK(code_of(t.run(upstream.get_manifest(t.repository, "absent"))) == ErrorCode::not_found);
  CHECK(code_of(t.run(upstream.head_manifest(t.repository, "absent"))) == ErrorCode::not_found);
  CHECK(code_of(t.run(upstream.get_manifest(t.repository, digest.to_string()))) == ErrorCode::not_found);
  CHECK(code_of(t.run(upstream.get_manifest("no/such", "1"))) == ErrorCode::not_found);
  CHECK(code_of(t.run(upstream.head_blob(t.repository, digest))) == ErrorCode::not_found);
  CHECK(code_of(t.run(upstream.get_blob(t.repository, digest, 0, {}))) == ErrorCode::not_found);
  CHECK(code_of(t.run(upstream.get_blob("no/such", Digest::of("something"), 0, {}))) == ErrorCode::not_found);
  CHECK(code_of(t.run(upstream.list_tags("no/such", 10, ""))) == ErrorCode::not_found);
}

TEMPLATE_TEST_CASE("every upstream gives blobs whole and in part", "", OverHttp, InMemory) {
  TestType t;
  auto& upstream = t.upstream_under_test();
  const auto content = sample(100'000);
  const auto digest = t.add_blob(content);
  CHECK(t.run(upstream.head_blob(t.repository, digest))->size == content.size());
  CHECK(t.run(whole(&upstream, digest, 0, {}))->bytes == content);
  CHECK(t.run(whole(&upstream, digest, 1, {}))->bytes == content.substr(1));
  CHECK(t.run(whole(&upstream, digest, 99'999, {}))->bytes == content.substr(99'999));
  CHECK(t.run(whole(&upstream, digest, 500, 1000))->bytes == content.substr(500, 1000));
  CHECK(t.run(whole(&upstream, digest, 500, 1'000'000))->bytes == content.substr(500));
  CHECK(code_of(t.run(upstream.get_blob(t.repository, digest, 100'000, {}))) == ErrorCode::protocol);
  const auto transfer = t.run(upstream.get_blob(t.repository, digest, 500, 10));
  CHECK(transfer->offset == 500);
  CHECK(transfer->size == content.size());
  CHECK_FALSE(transfer->source.empty());
  CHECK(t.run(whole(&upstream, t.add_blob(""), 0, {}))->bytes.empty());
}

TEMPLATE_TEST_CASE("every upstream says where the bytes start if it ignores the range", "", OverHttp, InMemory) {
  TestType t;
  auto& upstream = t.upstream_under_test();
  const auto content = sample(1000);
  const auto digest = t.add_blob(content);
  t.ignore_ranges();
  CHECK(t.run(upstream.get_blob(t.repository, digest, 500, 10))->offset == 0);
  CHECK(t.run(whole(&upstream, digest, 500, 10))->bytes == content);
}

TEMPLATE_TEST_CASE("every upstream fails a transfer that breaks, after its good bytes", "", OverHttp, InMemory) {
  TestType t;
  auto& upstream = t.upstream_under_test();
  const auto content = sample(100'000);
  const auto digest = t.add_blob(content);
  t.break_blob(60'000);
  const auto got = t.run(whole(&upstream, digest, 0, {}));
  REQUIRE(got);
  REQUIRE(got->error);
  CHECK(got->error->code == ErrorCode::unavailable);
  CHECK(got->bytes == content.substr(0, 60'000));
  CHECK(t.run(whole(&upstream, digest, 60'000, {}))->bytes == content.substr(60'000));
}

TEMPLATE_TEST_CASE("every upstream lists tags in pages", "", OverHttp, InMemory) {
  TestType t;
  auto& upstream = t.upstream_under_test();
  const auto digest = t.add_manifest(std::string(empty_index), oci_index_type, "b");
  t.set_tag("a", digest);
  t.set_tag("c", digest);
  const auto first = t.run(upstream.list_tags(t.repository, 2, ""));
  REQUIRE(first);
  CHECK(first->tags == std::vector<std::string>{"a", "b"});
  CHECK(first->more);
  const auto second = t.run(upstream.list_tags(t.repository, 2, "b"));
  CHECK(second->tags == std::vector<std::string>{"c"});
  CHECK_FALSE(second->more);
}

TEMPLATE_TEST_CASE("every upstream gives referrers, or says that there are none", "", OverHttp, InMemory) {
  TestType t;
  auto& upstream = t.upstream_under_test();
  const auto digest = t.add_manifest(std::string(empty_index), oci_index_type, "1.0");
  t.no_referrers();
  CHECK(code_of(t.run(upstream.referrers(t.repository, digest))) == ErrorCode::not_found);
  t.set_referrers(digest, std::string(empty_index));
  CHECK(t.run(upstream.referrers(t.repository, digest)) == std::string(empty_index));
}

TEMPLATE_TEST_CASE("every upstream is unavailable when it is away, in every call", "", OverHttp, InMemory) {
  TestType t;
  auto& upstream = t.upstream_under_test();
  const auto digest = t.add_blob("x");
  t.go_away();
  CHECK(code_of(t.run(upstream.get_manifest(t.repository, "1"))) == ErrorCode::unavailable);
  CHECK(code_of(t.run(upstream.head_manifest(t.repository, "1"))) == ErrorCode::unavailable);
  CHECK(code_of(t.run(upstream.head_blob(t.repository, digest))) == ErrorCode::unavailable);
  CHECK(code_of(t.run(upstream.get_blob(t.repository, digest, 0, {}))) == ErrorCode::unavailable);
  CHECK(code_of(t.run(upstream.list_tags(t.repository, 1, ""))) == ErrorCode::unavailable);
  CHECK(code_of(t.run(upstream.referrers(t.repository, digest))) == ErrorCode::unavailable);
}

}  // namespace
}  // namespace paddock::test

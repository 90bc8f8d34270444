#include "proxy/tags/resolver.h"

#include <catch2/catch.hpp>

#include "storage/caching_catalog.h"
#include "tests/support/cache_fixture.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

namespace {

constexpr auto media_type = "application/vnd.oci.image.manifest.v1+json";

std::string manifest(const std::string& layer) {
  return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
         R"("config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":")" +
         Digest::of("{}").to_string() +
         R"("},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":)" +
         std::to_string(layer.size()) + R"(,"digest":")" + Digest::of(layer).to_string() + R"("}]})";
}

const Error away{ErrorCode::unavailable, Blame::upstream, "away", true};
const Error gone{ErrorCode::not_found, Blame::upstream, "manifest unknown"};
const Error refused{ErrorCode::denied, Blame::upstream, "denied"};

struct TagFixture : CacheFixture {
  ~TagFixture() { shut_down(); }

  ManifestSource manifests{pool, catalog, store, clock, {.negative_ttl = 10s}};
  TagResolver tags{pool, catalog, store, manifests, clock, {.negative_ttl = 10s, .away_ttl = 10s}};
  TagResolver impatient{pool, catalog, store, manifests, clock, {.stale_deadline = 0ms}};
  const TagPolicy policy{.ttl = 10min, .stale_if_error = 24h};
  const RepositoryKey repository{"up.example", "paddlepaddle/paddle"};
  Digest one = upstream->add_manifest(repository.repository, manifest("one"), media_type, "2.6");
  Digest two = upstream->add_manifest(repository.repository, manifest("two"), media_type);

  Result<ServedManifest> resolve(const std::string& tag = "2.6") {
    return start(tags.resolve(upstream, policy, repository, tag)).get();
  }
};

}  // namespace

TEST_CASE_METHOD(TagFixture, "a tag is fetched once, then served from the store while it is fresh") {
  const auto first = resolve().value();
  CHECK(first.digest == one);
  CHECK(first.cache == CacheState::fill);
  CHECK(*first.content == manifest("one"));
  CHECK(first.media_type == media_type);
  clock.advance(599s);
  const auto second = resolve().value();
  CHECK(second.cache == CacheState::hit);
  CHECK(*second.content == manifest("one"));
  CHECK(upstream->count() == 1);
}

TEST_CASE_METHOD(TagFixture, "an old tag is confirmed by HEAD, and is fresh again") {
  REQUIRE(resolve());
  clock.advance(600s);
  CHECK(resolve().value().digest == one);
  CHECK(upstream->count("head_manifest") == 1);
  CHECK(upstream->count("get_manifest") == 1);
  clock.advance(599s);
  REQUIRE(resolve());
  CHECK(upstream->count("head_manifest") == 1);
}

TEST_CASE_METHOD(TagFixture, "a moved tag is followed") {
  REQUIRE(resolve());
  upstream->set_tag(repository.repository, "2.6", two);
  clock.advance(599s);
  CHECK(resolve().value().digest == one);
  clock.advance(1s);
  const auto moved = resolve().value();
  CHECK(moved.digest == two);
  CHECK(moved.cache == CacheState::fill);
  CHECK(catalog.tag(repository, "2.6").value()->digest == two);
}

TEST_CASE_METHOD(TagFixture, "a tag that moves to a manifest we have costs one HEAD") {
  REQUIRE(resolve());
  REQUIRE(start(manifests.by_digest(upstream, repository, two)).get());
  upstream->set_tag(repository.repository, "2.6", two);
  clock.advance(600s);
  CHECK(resolve().value().digest == two);
  CHECK(upstream->count("get_manifest") == 2);
}

TEST_CASE_METHOD(TagFixture, "while the upstream is away a tag is served stale, with its age, until it is too old") {
  REQUIRE(resolve());
  upstream->fail_calls("", away, 0);
  clock.advance(3600s);
  const auto stale = resolve().value();
  CHECK(stale.digest == one);
  CHECK(stale.cache == CacheState::stale);
  CHECK(stale.age == 3600s);
  clock.advance(24h);
  const auto late = resolve();
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ErrorCode::unavailable);
}

TEST_CASE_METHOD(TagFixture, "an upstream that was away a moment ago is not asked again at once") {
  REQUIRE(resolve());
  upstream->fail_calls("", away, 0);
  clock.advance(3600s);
  REQUIRE(resolve());
  REQUIRE(resolve());
  CHECK(upstream->count("head_manifest") == 1);
  clock.advance(10s);
  upstream->clear_failures();
  CHECK(resolve().value().cache == CacheState::hit);
  CHECK(upstream->count("head_manifest") == 2);
}

TEST_CASE_METHOD(TagFixture, "a slow revalidation is not waited for longer than its deadline, and goes on") {
  const auto ask = [&] { return start(impatient.resolve(upstream, policy, repository, "2.6")).get().value().cache; };
  REQUIRE(resolve());
  clock.advance(600s);
  upstream->hold("head_manifest");
  CHECK(ask() == CacheState::stale);
  REQUIRE(upstream->wait_for_held());
  upstream->release();
  while (ask() == CacheState::stale) std::this_thread::yield();
  CHECK(ask() == CacheState::hit);
  CHECK(upstream->count("head_manifest") == 1);
}

TEST_CASE_METHOD(TagFixture, "a tag too old to be served stale is waited for like one that is not there") {
  REQUIRE(resolve());
  clock.advance(48h);
  upstream->hold("head_manifest");
  auto answer = start(impatient.resolve(upstream, policy, repository, "2.6"));
  REQUIRE(upstream->wait_for_held());
  upstream->release();
  const auto resolved = answer.get();
  REQUIRE(resolved);
  CHECK(resolved->cache == CacheState::hit);
}

TEST_CASE_METHOD(TagFixture,
                 "a tag too old to be served stale is asked for even if the upstream was away a moment ago") {
  REQUIRE(resolve());
  clock.advance(48h);
  upstream->fail_calls("", away);
  CHECK(resolve().error().code == ErrorCode::unavailable);
  CHECK(resolve().value().digest == one);
}

TEST_CASE_METHOD(TagFixture, "a tag that the upstream has deleted is gone here too, and that is remembered") {
  REQUIRE(resolve());
  upstream->remove_tag(repository.repository, "2.6");
  clock.advance(600s);
  CHECK(resolve().error().code == ErrorCode::not_found);
  const auto calls = upstream->count();
  CHECK(resolve().error().code == ErrorCode::not_found);
  CHECK(upstream->count() == calls);
  CHECK_FALSE(catalog.tag(repository, "2.6").value());
  upstream->set_tag(repository.repository, "2.6", one);
  clock.advance(10s);
  CHECK(resolve().value().digest == one);
}

TEST_CASE_METHOD(TagFixture, "an upstream that refuses is not covered up by a stale answer") {
  REQUIRE(resolve());
  upstream->fail_calls("", refused, 0);
  clock.advance(600s);
  CHECK(resolve().error().code == ErrorCode::denied);
}

TEST_CASE_METHOD(TagFixture, "an unknown tag with the upstream away is an error that says so") {
  upstream->fail_calls("", away, 0);
  CHECK(resolve("none").error().code == ErrorCode::unavailable);
}

TEST_CASE_METHOD(TagFixture, "concurrent requests for one tag cause one upstream request") {
  upstream->hold("get_manifest");
  std::vector<std::future<Result<ServedManifest>>> all;
  for (int i = 0; i < 8; ++i) all.push_back(start(tags.resolve(upstream, policy, repository, "2.6")));
  REQUIRE(upstream->wait_for_held());
  upstream->release();
  for (auto& answer : all) CHECK(answer.get().value().digest == one);
  CHECK(upstream->count() == 1);
}

TEST_CASE_METHOD(TagFixture, "requests for one digest cost one upstream request, whenever they come") {
  std::vector<std::future<Result<ServedManifest>>> all;
  for (int i = 0; i < 64; ++i) all.push_back(start(manifests.by_digest(upstream, repository, two)));
  for (auto& answer : all) CHECK(answer.get().value().digest == two);
  CHECK(upstream->count() == 1);
}

TEST_CASE_METHOD(TagFixture, "a full disk does not keep a client from its manifest") {
  fs.fail_all(FaultFileSystem::Op::create, ErrorCode::no_space);
  const auto answer = resolve().value();
  CHECK(answer.cache == CacheState::bypass);
  CHECK(*answer.content == manifest("one"));
}

TEST_CASE_METHOD(TagFixture, "a manifest of another repository is not served from the store without asking") {
  REQUIRE(resolve());
  const RepositoryKey other{"up.example", "secret/other"};
  const auto answer = start(manifests.by_digest(upstream, other, one)).get();
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::not_found);
  CHECK(upstream->count("get_manifest secret/other") == 1);
}

TEST_CASE_METHOD(TagFixture, "a manifest that an index names is asked for before it is served to that repository") {
  REQUIRE(resolve());
  const RepositoryKey other{"up.example", "mallory/sparse"};
  const std::string index = R"({"schemaVersion":2,"manifests":[{"mediaType":")" + std::string(media_type) +
                            R"(","size":1,"digest":")" + one.to_string() + R"("}]})";
  upstream->add_manifest(other.repository, index, "application/vnd.oci.image.index.v1+json", "sparse");
  REQUIRE(start(tags.resolve(upstream, policy, other, "sparse")).get());
  const auto refusal = start(manifests.by_digest(upstream, other, one)).get();
  REQUIRE_FALSE(refusal);
  CHECK(refusal.error().code == ErrorCode::not_found);
  CHECK(upstream->count("get_manifest mallory/sparse " + one.to_string()) == 1);
}

TEST_CASE_METHOD(TagFixture, "what a manifest names is known to be in its repository") {
  REQUIRE(resolve());
  CHECK(catalog.linked(repository, Digest::of("one")).value());
  CHECK(catalog.linked(repository, Digest::of("{}")).value());
  CHECK_FALSE(catalog.linked({"up.example", "secret/other"}, Digest::of("one")).value());
}

TEST_CASE_METHOD(TagFixture, "a manifest that cannot be parsed is neither served nor kept") {
  const Digest bad = upstream->add_manifest(repository.repository, "<html>", media_type, "bad");
  CHECK(resolve("bad").error().code == ErrorCode::protocol);
  CHECK_FALSE(catalog.manifest(bad).value());
}

TEST_CASE_METHOD(TagFixture, "a missing manifest is asked for once in a while") {
  const Digest none = Digest::of("none");
  for (int i = 0; i < 3; ++i) {
    CHECK(start(manifests.by_digest(upstream, repository, none)).get().error().code == ErrorCode::not_found);
  }
  CHECK(upstream->count("get_manifest") == 1);
}

namespace {

// As in a server: with a catalog that remembers.
struct MemoryFixture : TagFixture {
  ~MemoryFixture() { shut_down(); }

  MemoryCatalog* const slow = new MemoryCatalog;  // NOLINT(cppcoreguidelines-owning-memory): cached's
  CachingCatalog cached{std::unique_ptr<Catalog>(slow)};
  ManifestStore cached_store{blobs, records, cached};
  ManifestSource from_memory{pool, cached, cached_store, clock, {}};
  TagResolver quick{pool, cached, cached_store, from_memory, clock, {}};

  Result<ServedManifest> resolve_quickly() { return start(quick.resolve(upstream, policy, repository, "2.6")).get(); }
};

}  // namespace

TEST_CASE_METHOD(MemoryFixture, "what is fresh and in memory is had without waiting, nothing else is") {
  CHECK_FALSE(quick.fresh(policy, repository, "2.6"));
  REQUIRE(resolve_quickly());
  REQUIRE(resolve_quickly());  // from the store into memory
  const auto fresh = quick.fresh(policy, repository, "2.6");
  REQUIRE(fresh);
  CHECK(fresh->digest == one);
  CHECK(fresh->cache == CacheState::hit);
  CHECK(*fresh->content == manifest("one"));
  CHECK_FALSE(quick.fresh(policy, repository, "2.7"));
  CHECK_FALSE(quick.fresh(policy, {"up.example", "paddlepaddle/other"}, "2.6"));
  clock.advance(601s);
  CHECK_FALSE(quick.fresh(policy, repository, "2.6"));
}

TEST_CASE_METHOD(MemoryFixture, "what was read once is answered from memory, fresh or stale") {
  REQUIRE(resolve_quickly());
  REQUIRE(resolve_quickly().value().cache == CacheState::hit);
  slow->fail_with(Error{ErrorCode::io, Blame::us, "the disk failed"});
  const auto fresh = resolve_quickly().value();
  CHECK(fresh.cache == CacheState::hit);
  CHECK(*fresh.content == manifest("one"));
  CHECK(fresh.media_type == media_type);
  CHECK(start(from_memory.by_digest(upstream, repository, one)).get().value().cache == CacheState::hit);
  CHECK(upstream->count() == 1);
  const RepositoryKey other{repository.upstream, "paddlepaddle/other"};
  CHECK_FALSE(from_memory.recent(other, one));
  upstream->fail_calls("", away, 0);
  clock.advance(600s);
  CHECK(resolve_quickly().value().cache == CacheState::stale);
}

TEST_CASE_METHOD(MemoryFixture, "a tag in memory is revalidated, moves and is forgotten like one that is read") {
  REQUIRE(resolve_quickly());
  REQUIRE(resolve_quickly().value().digest == one);
  upstream->set_tag(repository.repository, "2.6", two);
  clock.advance(600s);
  CHECK(resolve_quickly().value().digest == two);
  CHECK(resolve_quickly().value().cache == CacheState::hit);
  CHECK(cached.recent_tag(repository, "2.6")->digest == two);
  clock.advance(600s);
  upstream->remove_tag(repository.repository, "2.6");
  CHECK_FALSE(resolve_quickly());
  CHECK_FALSE(cached.recent_tag(repository, "2.6"));
}

#include <catch2/catch.hpp>
#include <future>
#include <thread>
#include <vector>

#include "tests/proxy/registry/registry_fixture.h"

using namespace paddock;
using namespace paddock::test;

namespace {

const Error away{ErrorCode::unavailable, Blame::upstream, "away", true};

}  // namespace

TEST_CASE_METHOD(RegistryFixture, "a cold blob is filled while it is served, a warm one comes from disk") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  const auto cold = get(blob_path(layer_digest));
  CHECK(cold.status == 200);
  CHECK(cold.body == layer);
  CHECK(cold.header("X-Paddock-Cache") == "fill");
  CHECK(cold.header("Docker-Content-Digest") == layer_digest.to_string());
  CHECK(cold.header("Accept-Ranges") == "bytes");
  CHECK(cold.header("Content-Type") == "application/octet-stream");
  REQUIRE(fills.stop(std::chrono::seconds(30)));
  upstream->fail_calls("", away, 0);
  const auto warm = get(blob_path(layer_digest));
  CHECK(warm.body == layer);
  CHECK(warm.header("X-Paddock-Cache") == "hit");
}

TEST_CASE_METHOD(RegistryFixture, "ranges are served from a stored blob and from one that is filling") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  const std::string etag = '"' + layer_digest.to_string() + '"';
  for (const bool warm : {false, true}) {
    CAPTURE(warm);
    if (warm) REQUIRE(get(blob_path(layer_digest)).body == layer);
    const auto middle = get(blob_path(layer_digest), {{"Range", "bytes=1000-1999"}});
    CHECK(middle.status == 206);
    CHECK(middle.body == layer.substr(1000, 1000));
    CHECK(middle.header("Content-Range") == "bytes 1000-1999/200000");
    const auto tail = get(blob_path(layer_digest), {{"Range", "bytes=150000-"}, {"If-Range", etag}});
    CHECK(tail.status == 206);
    CHECK(tail.body == layer.substr(150'000));
    CHECK(get(blob_path(layer_digest), {{"Range", "bytes=-10"}}).body == layer.substr(199'990));
    CHECK(get(blob_path(layer_digest), {{"Range", "bytes=10-20"}, {"If-Range", "\"other\""}}).body == layer);
    const auto beyond = get(blob_path(layer_digest), {{"Range", "bytes=200000-"}});
    CHECK(beyond.status == 416);
    CHECK(beyond.header("Content-Range") == "bytes */200000");
  }
  CHECK(upstream->count("get_blob") == 1);
}

TEST_CASE_METHOD(RegistryFixture, "HEAD of a blob never begins a fill") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  const auto received = head(blob_path(layer_digest));
  CHECK(received.status == 200);
  CHECK(received.length == layer.size());
  CHECK(upstream->count("get_blob") == 0);
  CHECK(upstream->count("head_blob") == 1);
}

TEST_CASE_METHOD(RegistryFixture, "a conditional blob request is answered 304") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  REQUIRE(get(blob_path(layer_digest)).status == 200);
  CHECK(get(blob_path(layer_digest), {{"If-None-Match", '"' + layer_digest.to_string() + '"'}}).status == 304);
}

TEST_CASE_METHOD(RegistryFixture, "a stored blob is served for another repository only if its upstream has it there") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  REQUIRE(get(blob_path(layer_digest)).status == 200);
  const std::string other = "/v2/a/b/blobs/" + layer_digest.to_string();
  CHECK(get(other).status == 404);
  upstream->add_blob("a/b", layer);
  CHECK(get(other).body == layer);
  CHECK(upstream->count("get_blob") == 1);
  const auto asked = upstream->count("head_blob");
  CHECK(get(other).body == layer);
  CHECK(upstream->count("head_blob") == asked);
}

TEST_CASE_METHOD(RegistryFixture, "a blob that nobody has is 404, a malformed digest 400") {
  const auto unknown = get(blob_path(Digest::of("unknown")));
  CHECK(unknown.status == 404);
  CHECK(unknown.error_code() == "BLOB_UNKNOWN");
  const auto malformed = get("/v2/" + repo + "/blobs/sha256:123");
  CHECK(malformed.status == 400);
  CHECK(malformed.error_code() == "DIGEST_INVALID");
}

TEST_CASE_METHOD(RegistryFixture, "a cold blob with the upstream away is a quick 502") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  upstream->fail_calls("", away, 0);
  CHECK(get(blob_path(layer_digest)).status == 502);
  CHECK(head(blob_path(layer_digest)).status == 502);
}

TEST_CASE_METHOD(RegistryFixture, "a corrupt blob is aborted before its end and not kept") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  std::string other = layer;
  other[5] ^= 1;
  upstream->add_blob_as(repo, layer_digest, other);
  const auto received = get(blob_path(layer_digest));
  REQUIRE(received.aborted);
  CHECK(received.aborted->code == ErrorCode::digest_mismatch);
  CHECK(received.body.size() < layer.size());
  REQUIRE(fills.stop(std::chrono::seconds(30)));
  CHECK_FALSE(stored(layer_digest));
}

TEST_CASE_METHOD(RegistryFixture, "a small corrupt blob is an error, not a broken transfer") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  upstream->add_blob_as(repo, config_digest, std::string(config.size(), 'x'));
  const auto received = get(blob_path(config_digest));
  CHECK((received.aborted || received.status == 502));
  CHECK(received.body != std::string(config.size(), 'x'));
}

TEST_CASE_METHOD(RegistryFixture, "all who want what the store cannot keep share one transfer, whenever they come") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  space.set_limits(100'000, 0);
  upstream->hold_blobs_at(50'000);
  std::vector<std::future<Received>> all;
  all.push_back(start(exchange(make_request("GET", blob_path(layer_digest), {}))));
  while (uncached.begun() == 0) std::this_thread::yield();
  const auto asked = upstream->count("get_blob");
  for (int i = 0; i < 7; ++i) all.push_back(start(exchange(make_request("GET", blob_path(layer_digest), {}))));
  REQUIRE(upstream->wait_for_held());
  // They ask the store first: long enough for all of them to have come to the transfer.
  for (int i = 0; i < 50; ++i) start(pool.run([]() -> Result<void> { return {}; })).get().value();
  upstream->release();
  for (auto& received : all) CHECK(received.get().body == layer);
  CHECK(upstream->count("get_blob") <= asked + 1);
  CHECK(uncached.begun() == 1);
}

TEST_CASE_METHOD(RegistryFixture, "what the store cannot keep passes through, verified") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  space.set_limits(100'000, 0);
  const auto whole = get(blob_path(layer_digest));
  CHECK(whole.status == 200);
  CHECK(whole.body == layer);
  CHECK(whole.header("X-Paddock-Cache") == "bypass");
  // Of a part nothing could be verified: the range is ignored, as HTTP allows.
  for (const auto* range : {"bytes=5000-5999", "bytes=199000-", "bytes=900000-"}) {
    const auto ranged = get(blob_path(layer_digest), {{"Range", range}});
    CHECK(ranged.status == 200);
    CHECK(ranged.body == layer);
    CHECK(ranged.header("Accept-Ranges") == "none");
  }
  CHECK_FALSE(stored(layer_digest));

  std::string other = layer;
  other[5] ^= 1;
  upstream->add_blob_as(repo, layer_digest, other);
  const auto corrupt = get(blob_path(layer_digest));
  REQUIRE(corrupt.aborted);
  CHECK(corrupt.body.size() < layer.size());
}

TEST_CASE_METHOD(RegistryFixture, "an empty blob is served, cold and warm") {
  const Digest empty = upstream->add_blob(repo, "");
  for (int i = 0; i < 2; ++i) {
    const auto received = get(blob_path(empty));
    CHECK(received.status == 200);
    CHECK(received.length == 0);
    CHECK_FALSE(received.aborted);
  }
}

TEST_CASE_METHOD(RegistryFixture, "many cold clients of one blob cause one transfer") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  upstream->hold("get_blob");
  std::vector<std::future<Received>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(start(exchange(make_request("GET", blob_path(layer_digest), {}))));
  REQUIRE(upstream->wait_for_held());
  upstream->release();
  for (auto& client : clients) CHECK(client.get().body == layer);
  CHECK(upstream->blob_bytes() == layer.size());
}

#include <catch2/catch.hpp>

#include "tests/proxy/registry/registry_fixture.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

TEST_CASE_METHOD(RegistryFixture, "a manifest by tag comes byte-exact, with what clients look for") {
  const auto first = get(manifest_path("2.6"));
  CHECK(first.status == 200);
  CHECK(first.body == manifest);
  CHECK(first.header("Content-Type") == image_type);
  CHECK(first.header("Docker-Content-Digest") == manifest_digest.to_string());
  CHECK(first.header("ETag") == '"' + manifest_digest.to_string() + '"');
  CHECK(first.header("X-Paddock-Cache") == "fill");
  CHECK(get(manifest_path("2.6")).header("X-Paddock-Cache") == "hit");
}

TEST_CASE_METHOD(RegistryFixture, "HEAD of a manifest says what GET would, without a body") {
  const auto received = head(manifest_path("2.6"));
  CHECK(received.status == 200);
  CHECK(received.length == manifest.size());
  CHECK(received.body.empty());
  CHECK(received.header("Docker-Content-Digest") == manifest_digest.to_string());
}

TEST_CASE_METHOD(RegistryFixture, "a manifest by digest is served for ever without asking again") {
  CHECK(get(manifest_path(manifest_digest.to_string())).body == manifest);
  upstream->fail_calls("", Error{ErrorCode::unavailable, Blame::upstream, "away", true}, 0);
  clock.advance(std::chrono::hours(24 * 365));
  CHECK(get(manifest_path(manifest_digest.to_string())).body == manifest);
}

TEST_CASE_METHOD(RegistryFixture, "If-None-Match with the digest is answered 304") {
  const std::string etag = '"' + manifest_digest.to_string() + '"';
  const auto received = get(manifest_path("2.6"), {{"If-None-Match", etag}});
  CHECK(received.status == 304);
  CHECK(received.body.empty());
  CHECK(received.header("ETag") == etag);
}

TEST_CASE_METHOD(RegistryFixture, "a stale manifest says so, and how old it is") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  upstream->fail_calls("", Error{ErrorCode::unavailable, Blame::upstream, "away", true}, 0);
  clock.advance(2h);
  const auto received = get(manifest_path("2.6"));
  CHECK(received.status == 200);
  CHECK(received.header("X-Paddock-Cache") == "stale");
  CHECK(received.header("Age") == "7200");
}

TEST_CASE_METHOD(RegistryFixture, "failures are shaped for the clients") {
  const auto [code, status, oci] = GENERATE(table<ErrorCode, int, std::string>({
      {ErrorCode::not_found, 404, "MANIFEST_UNKNOWN"},
      {ErrorCode::denied, 403, "DENIED"},
      {ErrorCode::unauthorized, 403, "DENIED"},
      {ErrorCode::unavailable, 502, ""},
      {ErrorCode::timeout, 504, ""},
      {ErrorCode::rate_limited, 503, "TOOMANYREQUESTS"},
      {ErrorCode::digest_mismatch, 502, ""},
      {ErrorCode::protocol, 502, ""},
      {ErrorCode::too_large, 502, ""},
  }));
  CAPTURE(to_string(code));
  upstream->fail_calls("", Error{code, Blame::upstream, "reason"}, 0);
  const auto received = get(manifest_path("2.6"));
  CHECK(received.status == status);
  CHECK(received.json()["errors"].size() == 1);
  if (!oci.empty()) CHECK(received.error_code() == oci);
}

TEST_CASE_METHOD(RegistryFixture, "malformed references are the client's fault and reach no upstream") {
  for (const auto& reference :
       std::vector<std::string>{"sha256:abc", "..", "-x", "sha256:" + std::string(64, 'G'), "a%20b", "%00"}) {
    CAPTURE(reference);
    const auto received = get(manifest_path(reference));
    CHECK(received.status >= 400);
    CHECK(received.status < 500);
    CHECK(received.json().contains("errors"));
  }
  CHECK(upstream->count() == 0);
}

TEST_CASE_METHOD(RegistryFixture, "the upstream is found by ns, Host, prefix, or is the default") {
  const std::string other = make_manifest(config, "hub layer");
  hub->add_manifest(repo, other, image_type, "2.6");
  CHECK(get(manifest_path("2.6")).body == manifest);
  CHECK(get(manifest_path("2.6") + "?ns=docker.io").body == other);
  CHECK(get(manifest_path("2.6"), {{"Host", "docker.io"}}).body == other);
  CHECK(get("/v2/docker.io/" + repo + "/manifests/2.6").body == other);
  CHECK(get(manifest_path("2.6") + "?ns=up.example", {{"Host", "docker.io"}}).body == manifest);
  CHECK(get(manifest_path("2.6") + "?ns=evil.example").status == 404);
}

TEST_CASE_METHOD(RegistryFixture, "a repository that is not on the allow list is denied without asking") {
  const auto received = get("/v2/other/thing/manifests/1");
  CHECK(received.status == 403);
  CHECK(received.error_code() == "DENIED");
  CHECK(upstream->count() == 0);
}

TEST_CASE_METHOD(RegistryFixture, "who asks for a tag that is there is told of, by GET and HEAD, and nobody else") {
  std::vector<std::string> pulled;
  RegistryHandler watched{{pool, catalog, blobs, fills, uncached, manifests, tags, upstreams, 30s,
                           [&](const RepositoryKey& repository, const std::string& tag) {
                             pulled.push_back(repository.upstream + "/" + repository.repository + ":" + tag);
                           }}};
  for (const auto& path : {manifest_path("2.6"), manifest_path(manifest_digest.to_string()), manifest_path("9.9")}) {
    for (const auto* method : {"GET", "HEAD"}) {
      const auto request = make_request(method, path, {});
      (void)start(watched.handle(request)).get();
    }
  }
  CHECK(pulled == std::vector<std::string>(2, "up.example/" + repo + ":2.6"));
}

#include <catch2/catch.hpp>

#include "tests/proxy/upstream/upstream_fixture.h"

namespace paddock::test {
namespace {

struct Fixture : UpstreamFixture {
  std::string content = sample(50'000);
  Digest digest = registry.add_blob(repository, content);
  ScriptedRegistry storage;
  std::string link = "/bucket/" + digest.hex() + "?sign=abc%2Fdef";

  Fixture() {
    storage.add_object(link, content);
    registry.script("/blobs/", {.redirect = storage.url() + link}, 0);
  }
};

TEST_CASE_METHOD(Fixture, "blobs are fetched from where the registry sends us, signature and all") {
  CHECK(blob(digest)->bytes == content);
  CHECK(blob(digest, 40'000)->bytes == content.substr(40'000));
  CHECK(storage.requests().at(1).target == link);
  CHECK(storage.requests().at(1).header("Range") == "bytes=40000-");
  CHECK(storage.requests().at(1).header("Host") == storage.host());
  CHECK(run(up().head_blob(repository, digest))->size == content.size());
}

TEST_CASE_METHOD(Fixture, "every kind of redirect is followed") {
  for (const int status : {301, 302, 303, 307, 308}) {
    CAPTURE(status);
    registry.clear_script();
    registry.script("/blobs/", {.status = status, .redirect = storage.url() + link});
    CHECK(blob(digest)->bytes == content);
  }
}

TEST_CASE_METHOD(Fixture, "the bytes are counted for the configured endpoint") {
  const auto transfer = run(up().get_blob(repository, digest, 0, {}));
  CHECK(transfer->source == registry.host());
  REQUIRE(blob(digest));
  const MutexLock lock(mutex);
  CHECK(observed_bytes.size() == 1);
  CHECK(observed_bytes[registry.host()] == content.size());
}

TEST_CASE_METHOD(Fixture, "an expired link is fetched anew") {
  for (const int status : {401, 403}) {
    use(options());
    storage.script("/bucket/",
                   {.status = status, .body = R"({"code":"AccessDenied","message":"Request has expired"})"});
    CHECK(blob(digest)->bytes == content);
  }
  CHECK(registry.count("/blobs/") == 4);
}

TEST_CASE_METHOD(Fixture, "storage that goes on refusing is unavailable: neither missing nor denied") {
  storage.script("/bucket/", {.status = 403, .body = R"({"code":"AccessDenied","message":"no"})"}, 0);
  const auto got = blob(digest);
  CHECK(code_of(got) == ErrorCode::unavailable);
  CHECK(got.error().retryable);
  CHECK(got.error().context.find("AccessDenied") != std::string::npos);
  CHECK(storage.count() == 3);
  CHECK(registry.count("/blobs/") == 3);
}

TEST_CASE_METHOD(Fixture, "a link that is good for GET only still tells the size") {
  storage.script("HEAD ", {.status = 403}, 0);
  CHECK(run(up().head_blob(repository, digest))->size == content.size());
  storage.script("GET ", {.status = 403}, 0);
  CHECK(code_of(run(up().head_blob(repository, digest))) == ErrorCode::unavailable);
}

TEST_CASE_METHOD(Fixture, "a redirect in circles ends") {
  registry.clear_script();
  registry.script("/blobs/", {.redirect = "/v2/" + std::string(repository) + "/blobs/" + digest.to_string()}, 0);
  CHECK(code_of(blob(digest)) == ErrorCode::protocol);
  CHECK(registry.count() == 6);
}

TEST_CASE_METHOD(Fixture, "redirects that the policy forbids are not followed") {
  registry.clear_script();
  registry.script("/blobs/", {.status = 307});
  CHECK(code_of(blob(digest)) == ErrorCode::protocol);
  registry.script("/blobs/", {.redirect = "ftp://x/y"});
  CHECK(code_of(blob(digest)) == ErrorCode::protocol);
  auto strict = options();
  strict.redirects.only_allowed = true;
  use(strict);
  registry.script("/blobs/", {.redirect = "http://localhost:" + std::to_string(storage.port()) + link});
  CHECK(code_of(blob(digest)) == ErrorCode::denied);
  CHECK(storage.count() == 0);
}

TEST_CASE_METHOD(Fixture, "a redirect to a port where nobody listens is tried again from the registry") {
  storage.go_away();
  CHECK(code_of(blob(digest)) == ErrorCode::unavailable);
  CHECK(registry.count("/blobs/") == 3);
}

}  // namespace
}  // namespace paddock::test

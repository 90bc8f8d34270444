#include <catch2/catch.hpp>

#include "proxy/oci/media_type.h"
#include "tests/proxy/upstream/upstream_fixture.h"

namespace paddock::test {
namespace {

struct Fixture : UpstreamFixture {
  TestImage image = registry.add_image(repository, "2.6", {"layer one", "layer two"});
};

TEST_CASE_METHOD(Fixture, "a manifest comes as the registry has it, by tag and by digest") {
  for (const auto& reference : {std::string("2.6"), image.manifest.to_string()}) {
    const auto fetched = manifest(reference);
    REQUIRE(fetched);
    CHECK(fetched->digest == image.manifest);
    CHECK(fetched->content == image.content);
    CHECK(fetched->media_type == oci_manifest_type);
  }
  const auto requests = registry.requests("/manifests/");
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].line() == "GET /v2/paddlepaddle/paddle/manifests/2.6");
  CHECK(requests[0].header("Accept") == manifest_accept());
  CHECK(requests[0].header("Accept-Encoding") == "identity");
  CHECK(requests[0].header("Authorization").empty());
  CHECK(registry.connections() <= 2);  // one for each event loop
}

TEST_CASE_METHOD(Fixture, "the digest of a manifest is computed in the algorithm that was asked for") {
  const auto digest = Digest::of(image.content, Digest::Algorithm::sha512);
  registry.script("/manifests/sha512:", {.status = 200, .body = image.content, .content_type = "application/json"});
  const auto fetched = manifest(digest.to_string());
  REQUIRE(fetched);
  CHECK(fetched->digest == digest);
}

TEST_CASE_METHOD(Fixture, "a manifest's bytes must be those of the digest that was asked for") {
  registry.script("/manifests/", {.corrupt_at = 5}, 0);
  const auto fetched = manifest(image.manifest.to_string());
  CHECK(code_of(fetched) == ErrorCode::digest_mismatch);
  CHECK(fetched.error().blame == Blame::upstream);
}

TEST_CASE_METHOD(Fixture, "a manifest asked for by tag must be what Docker-Content-Digest says") {
  registry.script("/manifests/", {.headers = {{"Docker-Content-Digest", Digest::of("other").to_string()}}});
  CHECK(code_of(manifest("2.6")) == ErrorCode::digest_mismatch);
  registry.script("/manifests/", {.omit = {"Docker-Content-Digest"}});
  CHECK(manifest("2.6")->digest == image.manifest);
  registry.script("/manifests/", {.headers = {{"Docker-Content-Digest", "nonsense"}}});
  CHECK(manifest("2.6")->digest == image.manifest);
}

TEST_CASE_METHOD(Fixture, "the media type is the header's, or the content's where the header says nothing") {
  struct Case {
    std::string header, expected;
  };
  for (const auto& c :
       {Case{"application/vnd.oci.image.manifest.v1+json; charset=utf-8", std::string(oci_manifest_type)},
        Case{"application/json", std::string(oci_manifest_type)},
        Case{"text/plain; charset=utf-8", std::string(oci_manifest_type)},
        Case{"application/octet-stream", std::string(oci_manifest_type)}}) {
    CAPTURE(c.header);
    registry.script("/manifests/", {.headers = {{"Content-Type", c.header}}});
    const auto fetched = manifest("2.6");
    REQUIRE(fetched);
    CHECK(fetched->media_type == c.expected);
  }
  registry.script("/manifests/", {.omit = {"Content-Type"}});
  CHECK(manifest("2.6")->media_type == oci_manifest_type);
}

TEST_CASE_METHOD(Fixture, "what is no manifest is a protocol error, whatever its status") {
  registry.script("/manifests/", html_page());
  CHECK(code_of(manifest("2.6")) == ErrorCode::protocol);
  registry.script("/manifests/", {.status = 200, .body = "<html>", .content_type = "application/json"});
  CHECK(code_of(manifest("2.6")) == ErrorCode::protocol);
  registry.script("/manifests/", {.status = 200, .body = ""});
  CHECK(code_of(manifest("2.6")) == ErrorCode::protocol);
  registry.script("/manifests/", {.headers = {{"Content-Encoding", "gzip"}}});
  CHECK(code_of(manifest("2.6")) == ErrorCode::protocol);
  registry.script("/manifests/", {.status = 204});
  CHECK(code_of(manifest("2.6")) == ErrorCode::protocol);
}

TEST_CASE_METHOD(Fixture, "a manifest larger than the limit is not read") {
  auto small = options();
  small.manifest_limit = image.content.size() - 1;
  use(small);
  CHECK(code_of(manifest("2.6")) == ErrorCode::too_large);
  registry.script("/manifests/", {.chunked = true});
  CHECK(code_of(manifest("2.6")) == ErrorCode::too_large);
  small.manifest_limit = image.content.size();
  use(small);
  CHECK(manifest("2.6"));
}

TEST_CASE_METHOD(Fixture, "what the registry refuses is told apart") {
  CHECK(code_of(manifest("absent")) == ErrorCode::not_found);
  struct Case {
    int status;
    ErrorCode expected;
  };
  for (const auto& c : {Case{403, ErrorCode::denied}, Case{400, ErrorCode::protocol}, Case{404, ErrorCode::not_found},
                        Case{401, ErrorCode::unauthorized}, Case{501, ErrorCode::unavailable}}) {
    CAPTURE(c.status);
    registry.script("GET /v2/",
                    {.status = c.status, .body = R"({"errors":[{"code":"BECAUSE","message":"of\n\u001b[1mthis"}]})"});
    const auto fetched = manifest("2.6");
    CHECK(code_of(fetched) == c.expected);
    if (c.status != 401) CHECK(fetched.error().context.find("BECAUSE: of") != std::string::npos);
    CHECK(fetched.error().context.find('\x1b') == std::string::npos);
    CHECK(fetched.error().context.starts_with("up.example: "));
  }
}

TEST_CASE_METHOD(Fixture, "names that cannot be in a target never leave the machine") {
  for (const std::string name : {"../x", "a b", "A/b", "", "a/../b", "a\r\nHost: x"}) {
    CAPTURE(name);
    CHECK(code_of(run(up().get_manifest(name, "1"))) == ErrorCode::invalid_argument);
    CHECK(code_of(run(up().head_manifest(name, "1"))) == ErrorCode::invalid_argument);
    CHECK(code_of(run(up().head_blob(name, image.config))) == ErrorCode::invalid_argument);
    CHECK(code_of(run(up().get_blob(name, image.config, 0, {}))) == ErrorCode::invalid_argument);
    CHECK(code_of(run(up().list_tags(name, 5, ""))) == ErrorCode::invalid_argument);
    CHECK(code_of(run(up().referrers(name, image.config))) == ErrorCode::invalid_argument);
  }
  for (const std::string reference : {"", "a b", "a/b", "sha256:short", "../x"}) {
    CHECK(code_of(manifest(reference)) == ErrorCode::invalid_argument);
    CHECK(code_of(head(reference)) == ErrorCode::invalid_argument);
  }
  CHECK(registry.count() == 0);
}

TEST_CASE_METHOD(Fixture, "HEAD is enough to know a manifest") {
  const auto info = head("2.6");
  REQUIRE(info);
  CHECK(info->digest == image.manifest);
  CHECK(info->media_type == oci_manifest_type);
  CHECK(info->size == image.content.size());
  CHECK(registry.count("GET ") == 0);
  CHECK(code_of(head("absent")) == ErrorCode::not_found);
  CHECK(registry.count("GET ") == 0);
}

TEST_CASE_METHOD(Fixture, "where HEAD is not supported or says too little, GET answers") {
  const Behaviour poor[] = {
      {.status = 405},
      {.status = 501},
      {.status = 400},
      {.status = 403},
      html_page(),
      {.omit = {"Docker-Content-Digest"}},
      {.omit = {"Content-Type"}},
      {.omit = {"Content-Length"}},
      {.headers = {{"Docker-Content-Digest", "sha256:nonsense"}}},
      {.headers = {{"Content-Type", "application/json"}}},
  };
  std::size_t gets = 0;
  for (const auto& behaviour : poor) {
    CAPTURE(gets);
    registry.script("HEAD ", behaviour);
    const auto info = head("2.6");
    REQUIRE(info);
    CHECK(info->digest == image.manifest);
    CHECK(info->media_type == oci_manifest_type);
    CHECK(info->size == image.content.size());
    CHECK(registry.count("GET ") == ++gets);
  }
}

TEST_CASE_METHOD(Fixture, "a HEAD that names another digest than was asked for is checked by GET") {
  registry.script("HEAD ", {.headers = {{"Docker-Content-Digest", Digest::of("other").to_string()}}});
  const auto info = head(image.manifest.to_string());
  REQUIRE(info);
  CHECK(info->digest == image.manifest);
}

TEST_CASE_METHOD(Fixture, "a refusal that both HEAD and GET give is the answer") {
  registry.script(" /v2/", {.status = 403}, 0);
  CHECK(code_of(head("2.6")) == ErrorCode::denied);
}

TEST_CASE_METHOD(Fixture, "an endpoint may have a path of its own") {
  use(options({registry.url() + "/mirror/"}));
  CHECK(code_of(manifest("2.6")) == ErrorCode::not_found);
  CHECK(registry.requests().back().target == "/mirror/v2/paddlepaddle/paddle/manifests/2.6");
}

TEST_CASE_METHOD(Fixture, "requests and bytes are told to who watches") {
  REQUIRE(manifest("2.6"));
  CHECK(code_of(manifest("absent")) == ErrorCode::not_found);
  CHECK(seen("up.example " + registry.host() + " 200") == 1);
  CHECK(seen("up.example " + registry.host() + " 404") == 1);
  const MutexLock lock(mutex);
  CHECK(observed_bytes[registry.host()] == registry.body_bytes());
}

}  // namespace
}  // namespace paddock::test

#include <catch2/catch.hpp>

#include "tests/proxy/registry/registry_fixture.h"

using namespace paddock;
using namespace paddock::test;
using nlohmann::json;

namespace {

const Error away{ErrorCode::unavailable, Blame::upstream, "away", true};
const std::string tags_path = "/v2/" + repo + "/tags/list";

}  // namespace

TEST_CASE_METHOD(RegistryFixture, "the base says that this is a registry") {
  const auto received = get("/v2/");
  CHECK(received.status == 200);
  CHECK(received.body == "{}");
  CHECK(received.header("Docker-Distribution-API-Version") == "registry/2.0");
  CHECK_FALSE(received.header("X-Paddock-Cache").empty());
}

TEST_CASE_METHOD(RegistryFixture, "pushing is not supported") {
  for (const auto* method : {"PUT", "POST", "PATCH", "DELETE"}) {
    CAPTURE(method);
    for (const auto& path : {manifest_path("2.6"), "/v2/" + repo + "/blobs/uploads/", blob_path(layer_digest)}) {
      const auto received = send(method, path);
      CHECK(received.status == 405);
      CHECK(received.error_code() == "UNSUPPORTED");
    }
  }
}

TEST_CASE_METHOD(RegistryFixture, "paths outside the API are 404 with the specification's JSON") {
  for (const auto* path : {"/", "/v1/", "/v2/a/b", "/v2//manifests/x", "/v2/../etc/passwd"}) {
    CAPTURE(path);
    const auto received = get(path);
    CHECK(received.status >= 400);
    CHECK(received.status < 500);
    CHECK(received.json().contains("errors"));
  }
}

TEST_CASE_METHOD(RegistryFixture, "what no upstream is configured for can be told from what an upstream lacks") {
  const auto elsewhere = get(manifest_path("2.6") + "?ns=ghcr.io");
  CHECK(elsewhere.status == 404);
  CHECK(elsewhere.error_code() == "NAME_UNKNOWN");
  CHECK(elsewhere.header("X-Paddock-Reason") == "unknown-upstream");
  const auto missing = get(manifest_path("none"));
  CHECK(missing.status == 404);
  CHECK(missing.header("X-Paddock-Reason").empty());
}

TEST_CASE_METHOD(RegistryFixture, "tags are listed page by page") {
  for (const auto* tag : {"1.0", "1.1", "2.0"}) upstream->set_tag(repo, tag, manifest_digest);
  CHECK(get(tags_path).json() == json{{"name", repo}, {"tags", {"1.0", "1.1", "2.0", "2.6"}}});
  const auto first = get(tags_path + "?n=3");
  CHECK(first.json()["tags"] == json{"1.0", "1.1", "2.0"});
  CHECK(first.header("Link") == "</v2/" + repo + "/tags/list?n=3&last=2.0>; rel=\"next\"");
  const auto second = get(tags_path + "?n=3&last=2.0");
  CHECK(second.json()["tags"] == json{"2.6"});
  CHECK(second.header("Link").empty());
  CHECK(get(tags_path + "?n=0").json()["tags"] == json::array());
  CHECK(get(tags_path + "?n=x").status == 400);
  CHECK(get(tags_path + "?n=-1").status == 400);
}

TEST_CASE_METHOD(RegistryFixture, "while the upstream is away the cached tags are listed") {
  REQUIRE(get(manifest_path("2.6")).status == 200);
  upstream->fail_calls("", away, 0);
  const auto received = get(tags_path);
  CHECK(received.json()["tags"] == json{"2.6"});
  CHECK(received.header("X-Paddock-Cache") == "stale");
  CHECK(get("/v2/a/b/tags/list").status == 502);
}

TEST_CASE_METHOD(RegistryFixture, "a repository that does not exist has no tags") {
  upstream->fail_calls("list_tags", Error{ErrorCode::not_found, Blame::upstream, "name unknown"}, 0);
  const auto received = get("/v2/a/b/tags/list");
  CHECK(received.status == 404);
  CHECK(received.error_code() == "NAME_UNKNOWN");
}

TEST_CASE_METHOD(RegistryFixture, "referrers are passed on, filtered, or empty") {
  const std::string path = "/v2/" + repo + "/referrers/" + manifest_digest.to_string();
  CHECK(get(path).json()["manifests"] == json::array());
  CHECK(get(path).header("Content-Type") == "application/vnd.oci.image.index.v1+json");
  const json one{{"digest", Digest::of("1").to_string()}, {"artifactType", "a/sbom"}};
  const json two{{"digest", Digest::of("2").to_string()}, {"artifactType", "a/signature"}};
  upstream->set_referrers(repo, manifest_digest, json{{"schemaVersion", 2}, {"manifests", {one, two}}}.dump());
  CHECK(get(path).json()["manifests"] == json{one, two});
  const auto filtered = get(path + "?artifactType=a%2Fsbom");
  CHECK(filtered.json()["manifests"] == json::array({one}));
  CHECK(filtered.header("OCI-Filters-Applied") == "artifactType");
  upstream->set_referrers(repo, manifest_digest, R"({"manifests":["x",{"artifactType":1}]})");
  CHECK(get(path + "?artifactType=a").json()["manifests"] == json::array());
  CHECK(get("/v2/" + repo + "/referrers/2.6").status == 400);
}

TEST_CASE_METHOD(RegistryFixture, "the catalog lists what is cached, page by page") {
  CHECK(get("/v2/_catalog").json() == json{{"repositories", json::array()}});
  REQUIRE(get(manifest_path("2.6")).status == 200);
  hub->add_manifest("library/x", make_manifest(config, "x"), image_type, "1");
  hub->add_manifest("library/y", make_manifest(config, "y"), image_type, "1");
  REQUIRE(get("/v2/docker.io/library/x/manifests/1").status == 200);
  REQUIRE(get("/v2/docker.io/library/y/manifests/1").status == 200);
  const json all{"docker.io/library/x", "docker.io/library/y", repo};
  CHECK(get("/v2/_catalog").json()["repositories"] == all);
  json paged = json::array();
  std::string target = "/v2/_catalog?n=1";
  for (int i = 0; i < 3; ++i) {
    const auto page = get(target);
    for (const auto& name : page.json()["repositories"]) paged.push_back(name);
    const auto link = page.header("Link");
    CHECK(link.empty() == (i == 2));
    if (!link.empty()) target = link.substr(1, link.find('>') - 1);
  }
  CHECK(paged == all);
  CHECK(get("/v2/_catalog?ns=docker.io").json()["repositories"] == json{"library/x", "library/y"});
}

TEST_CASE_METHOD(RegistryFixture, "a list is not cut off where the upstream failed between its pages") {
  for (const auto* tag : {"1.0", "1.1", "2.0"}) upstream->set_tag(repo, tag, manifest_digest);
  REQUIRE(get(manifest_path("2.6")).status == 200);  // all that is cached
  REQUIRE(get(tags_path + "?n=2").header("Link").contains("last=1.1"));
  for (const auto& [code, status] : {std::pair(ErrorCode::unavailable, 502),
                                     {ErrorCode::timeout, 504},
                                     {ErrorCode::too_large, 502},
                                     {ErrorCode::protocol, 502}}) {
    CAPTURE(to_string(code));
    upstream->fail_calls("list_tags", Error{code, Blame::upstream, "no"}, 0);
    for (const auto* last : {"1.1", "2.6", "zzz"}) {
      CAPTURE(last);
      CHECK(get(tags_path + "?n=2&last=" + last).status == status);
      CHECK(get("/v2/a/b/tags/list?last=" + std::string(last)).status == status);  // never cached
    }
    upstream->clear_failures();
  }
}

TEST_CASE_METHOD(RegistryFixture, "the cached tags come in pages too, while the upstream is away") {
  for (const auto* tag : {"1.0", "1.1"}) {
    upstream->set_tag(repo, tag, manifest_digest);
    REQUIRE(get(manifest_path(tag)).status == 200);
  }
  REQUIRE(get(manifest_path("2.6")).status == 200);
  upstream->fail_calls("", away, 0);
  json all = json::array();
  std::string target = tags_path + "?n=1";
  for (int i = 0; i < 3; ++i) {
    const auto page = get(target);
    REQUIRE(page.status == 200);
    CHECK(page.header("X-Paddock-Cache") == "stale");
    for (const auto& tag : page.json()["tags"]) all.push_back(tag);
    const auto link = page.header("Link");
    CHECK(link.empty() == (i == 2));
    if (!link.empty()) target = link.substr(1, link.find('>') - 1);
  }
  CHECK(all == json{"1.0", "1.1", "2.6"});
}

#include "proxy/oci/route.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

using paddock::parse_route;
using Kind = paddock::Route::Kind;

TEST_CASE("paths are taken apart into kind, name and reference") {
  struct Case {
    std::string_view path;
    Kind kind;
    std::string_view name, reference;
  };
  const auto c = GENERATE(values<Case>({
      {"/v2/", Kind::base, "", ""},
      {"/v2", Kind::base, "", ""},
      {"/v2/_catalog", Kind::catalog, "", ""},
      {"/v2/a/manifests/latest", Kind::manifest, "a", "latest"},
      {"/v2/paddlepaddle/paddle/manifests/2.6.2", Kind::manifest, "paddlepaddle/paddle", "2.6.2"},
      {"/v2/a/manifests/sha256:00", Kind::manifest, "a", "sha256:00"},
      {"/v2/a/manifests/sha256%3A00", Kind::manifest, "a", "sha256:00"},
      {"/v2/a%2Fb/manifests/x", Kind::manifest, "a/b", "x"},
      {"/v2/registry.baidubce.com/a/b/blobs/sha256:00", Kind::blob, "registry.baidubce.com/a/b", "sha256:00"},
      {"/v2/localhost:5000/a/blobs/sha256:00", Kind::blob, "localhost:5000/a", "sha256:00"},
      {"/v2/a/b/tags/list", Kind::tags, "a/b", ""},
      {"/v2/a/referrers/sha256:00", Kind::referrers, "a", "sha256:00"},
      {"/v2/a/blobs/uploads/", Kind::upload, "a", ""},
      {"/v2/a/blobs/uploads", Kind::upload, "a", ""},
      {"/v2/a/blobs/uploads/123-456", Kind::upload, "a", "123-456"},
      {"/v2/manifests/latest", Kind::manifest, "", "latest"},
      {"/v2//manifests/latest", Kind::manifest, "", "latest"},
  }));
  CAPTURE(c.path);
  const auto route = parse_route(c.path);
  REQUIRE(route);
  CHECK(route->kind == c.kind);
  CHECK(route->name == c.name);
  CHECK(route->reference == c.reference);
}

TEST_CASE("the last resource word decides where a repository is named like one") {
  struct Case {
    std::string_view path;
    Kind kind;
    std::string_view name, reference;
  };
  const auto c = GENERATE(values<Case>({
      {"/v2/manifests/manifests/latest", Kind::manifest, "manifests", "latest"},
      {"/v2/a/manifests/b/blobs/sha256:0", Kind::blob, "a/manifests/b", "sha256:0"},
      {"/v2/a/blobs/b/manifests/x", Kind::manifest, "a/blobs/b", "x"},
      {"/v2/a/manifests/tags/list", Kind::tags, "a/manifests", ""},
      {"/v2/a/tags/list/tags/list", Kind::tags, "a/tags/list", ""},
      {"/v2/a/blobs/uploads/manifests/x", Kind::manifest, "a/blobs/uploads", "x"},
      {"/v2/a/tags/list/manifests/list", Kind::manifest, "a/tags/list", "list"},
      {"/v2/a/manifests/blobs", Kind::manifest, "a", "blobs"},
      {"/v2/_catalog/manifests/x", Kind::manifest, "_catalog", "x"},
  }));
  CAPTURE(c.path);
  const auto route = parse_route(c.path);
  REQUIRE(route);
  CHECK(route->kind == c.kind);
  CHECK(route->name == c.name);
  CHECK(route->reference == c.reference);
}

TEST_CASE("what is no resource is unknown") {
  const auto* const path =
      GENERATE("", "/", "/v1/", "/v2x/", "v2/", "/v2/a", "/v2/a/b", "/v2/a/manifests/", "/v2/a/blobs/", "/v2/a/tags/",
               "/v2/a/tags/other", "/v2/a/tags/list/", "/v2/a/b/c", "/v2/_catalog/", "/v2/a/uploads/x", "/v2/list",
               "/v2//", "/healthz", "/v3/a/manifests/b");
  CAPTURE(path);
  const auto route = parse_route(path);
  REQUIRE(route);
  CHECK(route->kind == Kind::unknown);
}

TEST_CASE("an encoded slash in a reference does not move the resource") {
  const auto route = parse_route("/v2/a/manifests/b%2Fmanifests%2Fc");
  REQUIRE(route);
  CHECK(route->name == "a");
  CHECK(route->reference == "b/manifests/c");
}

TEST_CASE("a path that cannot be decoded is the client's fault") {
  const auto* const path =
      GENERATE("/v2/a/manifests/%", "/v2/a/manifests/%4", "/v2/a/manifests/%zz", "/v2/a%2/manifests/b",
               "/v2/a/manifests/%00", "/v2/a/manifests/x%0d%0ay", "/v2/a%7f/blobs/b", "/v2/a/manifests/%-1");
  CAPTURE(path);
  const auto route = parse_route(path);
  REQUIRE_FALSE(route);
  CHECK(route.error().code == paddock::ErrorCode::invalid_argument);
  CHECK(route.error().blame == paddock::Blame::client);
}

TEST_CASE("a route built from any name and reference is taken apart into the same") {
  std::mt19937 random(20240607);
  static const std::vector<std::string> words{"a", "manifests", "blobs", "tags", "list", "uploads", "referrers", "b.c"};
  for (int round = 0; round < 5000; ++round) {
    std::string name = words[random() % words.size()];
    for (unsigned parts = random() % 4; parts > 0; --parts) name += '/' + words[random() % words.size()];
    const std::string reference = random() % 2 == 0 ? "v1" : "sha256:0";
    const auto manifest = parse_route("/v2/" + name + "/manifests/" + reference);
    REQUIRE(manifest);
    CAPTURE(name);
    CHECK(manifest->kind == Kind::manifest);
    CHECK(manifest->name == name);
    CHECK(manifest->reference == reference);
    const auto blob = parse_route("/v2/" + name + "/blobs/" + reference);
    CHECK(blob->kind == Kind::blob);
    CHECK(blob->name == name);
    const auto tags = parse_route("/v2/" + name + "/tags/list");
    CHECK(tags->kind == Kind::tags);
    CHECK(tags->name == name);
  }
}

TEST_CASE("no path does more than fail") {
  std::mt19937 random(20240607);
  static constexpr std::string_view letters = "/%0aA2Fv_manifestsblobs?#\\ \x7f";
  for (int round = 0; round < 20'000; ++round) {
    std::string path = random() % 2 == 0 ? "/v2/" : "";
    for (unsigned length = random() % 40; length > 0; --length) path += letters[random() % letters.size()];
    const auto route = parse_route(path);
    if (!route) {
      CHECK(route.error().code == paddock::ErrorCode::invalid_argument);
    } else if (route->kind == Kind::manifest || route->kind == Kind::blob) {
      CHECK_FALSE(route->reference.empty());
    }
  }
}

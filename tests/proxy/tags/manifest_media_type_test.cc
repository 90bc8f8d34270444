// The same bytes delivered under several names and headers: nobody's header changes what another's clients are told.
#include <catch2/catch.hpp>

#include "proxy/tags/manifest_source.h"
#include "tests/support/cache_fixture.h"

using namespace paddock;
using namespace paddock::test;

namespace {

constexpr auto oci_type = "application/vnd.oci.image.index.v1+json";
constexpr auto docker_type = "application/vnd.docker.distribution.manifest.list.v2+json";

struct MediaTypeFixture : CacheFixture {
  ~MediaTypeFixture() { shut_down(); }

  ManifestSource manifests{pool, catalog, store, clock, {}};
  const RepositoryKey first{"up.example", "paddlepaddle/paddle"};
  const RepositoryKey second{"up.example", "somebody/else"};

  std::string type_for(const RepositoryKey& repository, const Digest& digest) {
    return start(manifests.by_digest(upstream, repository, digest)).get().value().media_type;
  }
};

}  // namespace

TEST_CASE_METHOD(MediaTypeFixture, "what a manifest says of itself is believed before the header") {
  const std::string content = std::string(R"({"schemaVersion":2,"mediaType":")") + oci_type + R"(","manifests":[]})";
  const Digest digest = upstream->add_manifest(first.repository, content, docker_type);
  CHECK(type_for(first, digest) == oci_type);  // fetched
  CHECK(type_for(first, digest) == oci_type);  // kept
  CHECK(catalog.manifest(digest).value()->media_type == oci_type);
}

TEST_CASE_METHOD(MediaTypeFixture, "of a manifest that does not say its type the first header stays") {
  const std::string content = R"({"schemaVersion":2,"manifests":[]})";
  const Digest digest = upstream->add_manifest(first.repository, content, oci_type);
  CHECK(type_for(first, digest) == oci_type);
  upstream->add_manifest(second.repository, content, docker_type);
  (void)type_for(second, digest);
  CHECK(catalog.holds(second, digest).value());
  CHECK(type_for(first, digest) == oci_type);
}

TEST_CASE_METHOD(MediaTypeFixture, "a record that somebody has tampered with does not make a manifest a web page") {
  const std::string content = R"({"schemaVersion":2,"manifests":[]})";
  const Digest digest = Digest::of(content);
  REQUIRE(store.put(first, digest, {"text/html", content, {}}));
  CHECK(type_for(first, digest) == oci_type);
}

TEST_CASE_METHOD(MediaTypeFixture, "an index is served though one of its children has a digest that we cannot verify") {
  const std::string content =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)"
      R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"blake3:12","size":2}]})";
  const Digest digest = upstream->add_manifest(first.repository, content, oci_type);
  CHECK(type_for(first, digest) == oci_type);
  CHECK(catalog.holds(first, digest).value());
}

#include "proxy/oci/media_type.h"

#include <catch2/catch.hpp>
#include <string>

using paddock::manifest_accept;
using paddock::manifest_kind;
using paddock::ManifestKind;

TEST_CASE("manifest media types are told apart, without case and parameters") {
  struct Case {
    std::string_view type;
    ManifestKind kind;
  };
  const auto c = GENERATE(values<Case>({
      {"application/vnd.oci.image.manifest.v1+json", ManifestKind::image},
      {"application/vnd.docker.distribution.manifest.v2+json", ManifestKind::image},
      {"application/vnd.oci.image.index.v1+json", ManifestKind::index},
      {"application/vnd.docker.distribution.manifest.list.v2+json", ManifestKind::index},
      {"application/vnd.docker.distribution.manifest.v1+json", ManifestKind::schema1},
      {"application/vnd.docker.distribution.manifest.v1+prettyjws", ManifestKind::schema1},
      {"application/vnd.oci.image.index.v1+json; charset=utf-8", ManifestKind::index},
      {" Application/VND.oci.image.Index.v1+JSON ;x=y", ManifestKind::index},
      {"application/vnd.oci.image.index.v1+jsonx", ManifestKind::other},
      {"application/vnd.oci.image.index.v1", ManifestKind::other},
      {"application/vnd.oci.artifact.manifest.v1+json", ManifestKind::other},
      {"application/json", ManifestKind::other},
      {"text/html", ManifestKind::other},
      {"", ManifestKind::other},
      {" ; ", ManifestKind::other},
  }));
  CAPTURE(c.type);
  CHECK(manifest_kind(c.type) == c.kind);
}

TEST_CASE("every type asked for is one we know, indexes first, and anything last") {
  const std::string& accept = manifest_accept();
  CHECK(accept.starts_with("application/vnd.oci.image.index.v1+json, "));
  CHECK(accept.ends_with(", */*"));
  std::size_t count = 0;
  for (std::size_t begin = 0; begin < accept.size();) {
    const std::size_t end = std::min(accept.find(", ", begin), accept.size());
    const std::string type = accept.substr(begin, end - begin);
    if (type != "*/*") CHECK(manifest_kind(type) != ManifestKind::other);
    ++count;
    begin = end + 2;
  }
  CHECK(count == 7);
}

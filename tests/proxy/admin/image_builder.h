// ImageBuilder: puts images into a catalog as a pull would, for tests of what lists them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/memory_catalog.h"

namespace paddock::test {

inline constexpr const char* image_type = "application/vnd.oci.image.manifest.v1+json";
inline constexpr const char* index_type = "application/vnd.oci.image.index.v1+json";

inline WallTime at_second(int second) { return WallTime(std::chrono::seconds(1'700'000'000 + second)); }

// A blob that exists as `content`; `stored` says whether the catalog has it.
struct Piece {
  std::string content;
  bool stored = true;
  int used = 0;  // second of its last use
};

inline nlohmann::json descriptor(const std::string& content, const char* type) {
  return {{"mediaType", type}, {"digest", Digest::of(content).to_string()}, {"size", content.size()}};
}

struct ImageBuilder {
  MemoryCatalog& catalog;
  RepositoryKey repository{"registry.baidubce.com", "paddlepaddle/paddle"};

  void put_blob(const Piece& piece) const {
    if (piece.stored)
      catalog.put_blob(Digest::of(piece.content), {piece.content.size(), at_second(piece.used)}).value();
  }

  // Returns the manifest's bytes.
  [[nodiscard]] std::string manifest_text(const Piece& config, const std::vector<Piece>& layers) const {
    nlohmann::json manifest = {{"schemaVersion", 2},
                               {"mediaType", image_type},
                               {"config", descriptor(config.content, "application/vnd.oci.image.config.v1+json")},
                               {"layers", nlohmann::json::array()}};
    put_blob(config);
    for (const auto& layer : layers) {
      put_blob(layer);
      manifest["layers"].push_back(descriptor(layer.content, "application/vnd.oci.image.layer.v1.tar+gzip"));
    }
    return manifest.dump();
  }

  Digest put_manifest(const std::string& content, const char* type) const {
    const auto digest = Digest::of(content);
    put_blob({content});
    catalog.put_manifest(repository, digest, {type, content, {}}).value();
    return digest;
  }

  Digest put_image(const Piece& config, const std::vector<Piece>& layers) const {
    return put_manifest(manifest_text(config, layers), image_type);
  }

  Digest put_tagged(const std::string& tag, const std::string& layer) const {
    const auto digest = put_image({"config of " + layer}, {{layer}});
    put_tag(tag, digest);
    return digest;
  }

  void put_tag(const std::string& tag, const Digest& digest) const {
    catalog.put_tag(repository, tag, {digest, at_second(1), at_second(2)}).value();
  }
};

}  // namespace paddock::test

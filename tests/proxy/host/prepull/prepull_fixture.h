// What the tests of pre-pulling share: an image with two layers, and a watch over its pull.
#pragma once

#include <string>
#include <utility>

#include "proxy/host/prepull/engine.h"
#include "proxy/host/prepull/names.h"
#include "proxy/host/prepull/prepull.h"

namespace paddock::test {

inline Descriptor layer_of(const std::string& content, std::uint64_t size) {
  return {"application/vnd.oci.image.layer.v1.tar+gzip", Digest::of(content), size, "", "", "", ""};
}

struct SampleImage {
  Digest index = Digest::of("index"), manifest = Digest::of("manifest"), configuration = Digest::of("configuration");
  std::vector<Descriptor> layers{layer_of("one", 1000), layer_of("two", 3000)};

  [[nodiscard]] CacheImage at_cache() const { return {index, manifest, configuration, layers, this_platform()}; }
  [[nodiscard]] PullProgress progress() const { return PullProgress(layers); }
  [[nodiscard]] std::string id(std::size_t at) const { return layers.at(at).digest.hex().substr(0, 12); }
  [[nodiscard]] PullOrder order(const std::string& name) const { return {parse_original_name(name).value(), index}; }
};

inline ImageReference original(const std::string& name) { return parse_original_name(name).value(); }

}  // namespace paddock::test

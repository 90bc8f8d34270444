// Pre-pulling one image: whether it is there already, pulling it through the cache if not, and whether what is there
// then is what the cache gives.
//
// "Ready" is an image that the engine has under its original name with the content that the cache gives for that name;
// of one that is asked for by digest the engine alone can tell. Engines name content by different digests (manifest,
// index, configuration); each of them stands for the whole.
//
// Blocking; for one thread. Nothing is thrown: what went wrong is in the outcome.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "proxy/host/prepull/engine.h"
#include "proxy/oci/manifest.h"
#include "proxy/oci/reference.h"
#include "storage/error.h"

namespace paddock {

// What the cache gives for a name.
struct CacheImage {
  Digest digest;    // of what the name leads to: an index, or the manifest itself
  Digest manifest;  // of the platform
  Digest configuration;
  std::vector<Descriptor> layers{};

  [[nodiscard]] bool is(const EngineImage& image) const {
    return image.is(digest) || image.is(manifest) || image.is(configuration);
  }
};
using AskCache = std::function<Result<CacheImage>(const ImageReference& original)>;

enum class PrepullState : std::uint8_t { present, pulled, failed };
std::string_view to_string(PrepullState state);

struct PrepullOutcome {
  ImageReference image;  // by its original name
  PrepullState state = PrepullState::failed;
  std::optional<Digest> digest{};
  std::optional<Error> error{};
  std::vector<std::string> notes{};

  [[nodiscard]] bool ready() const { return state != PrepullState::failed; }
};

PrepullOutcome prepull(Engine& engine, const ImageReference& original, const AskCache& ask_cache,
                       const std::string& platform, const PullWatch::Options& options);

}  // namespace paddock

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
#include <set>
#include <string>
#include <vector>

#include "proxy/host/platform.h"
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
  std::string platform{};  // the index's entry; empty: it is none

  // An index stands for the content only of an engine that says which platform's it holds.
  [[nodiscard]] bool is(const EngineImage& image) const {
    return image.is(manifest) || image.is(configuration) ||
           (image.is(digest) && is_same_platform(image.platform, platform));
  }
};
using AskCache = std::function<Result<CacheImage>(const ImageReference& original)>;

// `elsewhere`: of a registry that the cache is not for, which the caller knows.
enum class PrepullState : std::uint8_t { present, pulled, failed, elsewhere };
std::string_view to_string(PrepullState state);

struct PrepullOutcome {
  ImageReference image;  // by its original name
  PrepullState state = PrepullState::failed;
  std::optional<Digest> digest{};
  std::optional<Error> error{};
  std::vector<std::string> notes{};

  [[nodiscard]] bool ready() const { return state == PrepullState::present || state == PrepullState::pulled; }
};

// What the images of one run have in common.
struct PrepullRun {
  AskCache ask_cache;
  std::string platform{};  // empty: this machine's
  PullWatch::Options watch{};
  // The engine's names for the images that are ready, which prepull() keeps. An engine may have one name for two
  // images, "a:1" and "a:1@sha256:...": that the second be another one than the first is refused.
  std::set<std::string> taken{};
};

PrepullOutcome prepull(Engine& engine, const ImageReference& original, PrepullRun& run);

}  // namespace paddock

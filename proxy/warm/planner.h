// Planner: what has to be fetched for an image to be complete here.
//
//   reference ──▶ upstream and repository, as for pulls ──▶ manifest ──▶ of an index the platforms asked for ──▶ blobs
//
// Manifests are fetched and kept on the way, blobs are not. Thread-safe; call from any event loop.
// image() does not fail: what went wrong is in the plan. not_found comes with the nearest tags there are, where the
// upstream lists them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/ingress/upstream_set.h"
#include "proxy/oci/manifest.h"
#include "proxy/tags/resolver.h"
#include "proxy/warm/tag_lists.h"
#include "storage/blocking_pool.h"
#include "storage/catalog.h"

namespace paddock {

struct PlannedBlob {
  Digest digest;
  std::uint64_t size = 0;  // as the manifest says, bytes
  bool stored = false;
};

struct PlannedImage {
  std::string reference;  // as asked for
  RepositoryKey repository{};
  std::string target{};  // the tag, or the digest where none was asked for
  UpstreamSet::Entry upstream{};
  std::optional<Digest> digest{};  // of what `target` names
  std::vector<std::string> platforms{}, missing_platforms{};
  std::vector<PlannedBlob> blobs{};  // each once
  std::optional<Error> error{};
  bool ours = true;         // some upstream here is meant
  bool by_default = false;  // the default one, for want of a registry's name
  std::vector<std::string> nearest{};

  [[nodiscard]] std::string name() const;  // in full; empty where the upstream is not known
};

// Each blob once, in the order of the images.
std::vector<PlannedBlob> distinct_blobs(const std::vector<PlannedImage>& images);

// Whether an index's entry is for a platform as people write it: "linux/arm64" means every variant of it.
bool is_for_platform(const Descriptor& entry, std::string_view platform);
std::string platform_of(const Descriptor& entry);

class Planner {
 public:
  Planner(BlockingPool& pool, Catalog& catalog, ManifestSource& manifests, TagResolver& tags, TagLists& lists,
          const CurrentUpstreams& upstreams)
      : pool_(pool), catalog_(catalog), manifests_(manifests), tags_(tags), lists_(lists), upstreams_(upstreams) {}

  // `revalidate`: its upstream is asked what a tag is now, however lately it was.
  Task<PlannedImage> image(std::string reference, std::vector<std::string> platforms, bool revalidate = false);

 private:
  Result<void> locate(PlannedImage& image, bool revalidate) const;
  Task<Result<void>> complete(PlannedImage& image, const std::vector<std::string>& platforms);
  Task<Result<ServedManifest>> resolve(PlannedImage& image);
  Task<Result<void>> add_index(PlannedImage& image, const Manifest& index, const std::vector<std::string>& platforms);
  Task<Result<void>> add_manifest(PlannedImage& image, Manifest manifest);
  Task<void> look_for_nearest(PlannedImage& image);

  BlockingPool& pool_;
  Catalog& catalog_;
  ManifestSource& manifests_;
  TagResolver& tags_;
  TagLists& lists_;
  const CurrentUpstreams& upstreams_;
};

// The upstream and repository that a reference means, by the rules for pulls. Errors as UpstreamSelector's.
Result<Target> locate_repository(const UpstreamSelector& selector, const std::optional<std::string>& registry,
                                 const std::string& repository);

}  // namespace paddock

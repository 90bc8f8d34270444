// Catalog: the seam over the index of the store: what is there, what it is called, who is known to contain it.
//
// An index only: files are the truth, and recovery.h rebuilds a catalog from them. Blocking; thread-safe. Each call is
// atomic. Errors: io, corrupt. Absent things are empty optionals, not errors.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/clock.h"
#include "storage/digest.h"
#include "storage/error.h"

namespace paddock {

// A repository of an upstream. Both parts have been validated by whoever made it; no part holds a NUL.
struct RepositoryKey {
  std::string upstream;    // "registry.baidubce.com"
  std::string repository;  // "paddlepaddle/paddle"
  friend auto operator<=>(const RepositoryKey&, const RepositoryKey&) = default;
};

struct BlobRecord {
  std::uint64_t size = 0;  // bytes
  WallTime last_used{};
  friend bool operator==(const BlobRecord&, const BlobRecord&) = default;
};

struct ManifestRecord {
  std::string media_type;        // as the upstream said it
  std::string content;           // byte-exact
  std::vector<Digest> children;  // what it names: config, layers, manifests of an index
  friend bool operator==(const ManifestRecord&, const ManifestRecord&) = default;
};

// Registries take an image only when they have what it is made of; an index may name what its repository does not have,
// somebody else's layers too. Of kinds not known here nothing is believed.
inline bool proves_children(std::string_view media_type) {
  return media_type == "application/vnd.oci.image.manifest.v1+json" ||
         media_type == "application/vnd.docker.distribution.manifest.v2+json" ||
         media_type == "application/vnd.docker.distribution.manifest.v1+prettyjws" ||
         media_type == "application/vnd.docker.distribution.manifest.v1+json";
}

struct TagRecord {
  Digest digest;
  WallTime changed{};    // when it was first seen to point here
  WallTime validated{};  // when the upstream last confirmed it
  friend bool operator==(const TagRecord&, const TagRecord&) = default;
};

// Keeps the manifest and all it reaches from eviction.
struct PinRecord {
  RepositoryKey repository;
  std::string reference;  // the tag or digest as pinned, for listings
  Digest manifest;
  std::optional<WallTime> until;  // without: for ever
  std::string rule{};             // the one that alone wants it; empty: somebody pinned it, or several want it
  friend bool operator==(const PinRecord&, const PinRecord&) = default;
};

class Catalog {
 public:
  virtual ~Catalog() = default;

  // --- what is in memory: for event loops, as these never block; nothing where it would have to be looked up ---
  [[nodiscard]] virtual std::optional<TagRecord> recent_tag(const RepositoryKey& /*repository*/,
                                                            const std::string& /*tag*/) {
    return std::nullopt;
  }
  [[nodiscard]] virtual bool recently_linked(const RepositoryKey& /*repository*/, const Digest& /*digest*/) {
    return false;
  }
  [[nodiscard]] virtual bool recently_held(const RepositoryKey& /*repository*/, const Digest& /*manifest*/) {
    return false;
  }

  // --- blobs (manifests are stored as blobs too) ---
  virtual Result<void> put_blob(const Digest& digest, const BlobRecord& record) = 0;
  virtual Result<std::optional<BlobRecord>> blob(const Digest& digest) = 0;
  virtual Result<void> erase_blob(const Digest& digest) = 0;
  // Last uses, in one batch; a digest that is not in the catalog is passed over.
  virtual Result<void> touch(std::span<const std::pair<Digest, WallTime>> uses) = 0;
  // In no particular order, over a snapshot; stops when `visit` returns false.
  virtual Result<void> for_each_blob(const std::function<bool(const Digest&, const BlobRecord&)>& visit) = 0;

  // --- manifests ---
  // Also links the manifest, and its children where proves_children(), to the repository. A manifest that is there
  // already stays as it is: what one repository's upstream says of it must not change it for the others.
  virtual Result<void> put_manifest(const RepositoryKey& repository, const Digest& digest,
                                    const ManifestRecord& record) = 0;
  virtual Result<std::optional<ManifestRecord>> manifest(const Digest& digest) = 0;
  // Whether put_manifest() was called for both. More than a link: an image may name a manifest as one of its blobs.
  virtual Result<bool> holds(const RepositoryKey& repository, const Digest& manifest) = 0;
  // Forgets the manifest, the tags that point to it, and who holds it with their links to it; links of its children
  // stay.
  virtual Result<void> erase_manifest(const Digest& digest) = 0;

  // --- links: this repository is known to contain this digest ---
  virtual Result<void> link(const RepositoryKey& repository, const Digest& digest) = 0;
  virtual Result<bool> linked(const RepositoryKey& repository, const Digest& digest) = 0;

  // --- tags ---
  virtual Result<void> put_tag(const RepositoryKey& repository, const std::string& tag, const TagRecord& record) = 0;
  virtual Result<std::optional<TagRecord>> tag(const RepositoryKey& repository, const std::string& tag) = 0;
  virtual Result<void> erase_tag(const RepositoryKey& repository, const std::string& tag) = 0;
  // Ordered by repository, then tag, bytewise.
  virtual Result<void> for_each_tag(
      const std::function<bool(const RepositoryKey&, const std::string& tag, const TagRecord&)>& visit) = 0;
  // The tags of one repository, in order, after `last` (exclusive; empty: from the first), at most `limit`.
  virtual Result<std::vector<std::string>> tags(const RepositoryKey& repository, std::string_view last,
                                                std::size_t limit) = 0;
  // Repositories with at least one manifest, in order, after `last` (exclusive), at most `limit`.
  virtual Result<std::vector<RepositoryKey>> repositories(const std::optional<RepositoryKey>& last,
                                                          std::size_t limit) = 0;

  // --- pins, one for each repository and reference ---
  virtual Result<void> put_pin(const PinRecord& pin) = 0;
  virtual Result<void> erase_pin(const RepositoryKey& repository, const std::string& reference) = 0;
  virtual Result<std::vector<PinRecord>> pins() = 0;

  // Everything gone, for a rebuild.
  virtual Result<void> clear() = 0;
  virtual Result<void> flush() = 0;  // durable from here on
};

}  // namespace paddock

// CachingCatalog: a Catalog in front of a slower one, which remembers what was read lately: tags, links, who holds a
// manifest, blobs. All writes must come through it.
//
// A hit is served from here: Catalog's recent_…() calls take one short mutex and never block on a disk. Only what is
// there is remembered, never that something is missing. A write forgets what it concerns after the slower catalog has
// taken it, and a read that was under way meanwhile is not remembered, so that nothing older than the last write that
// has returned is ever answered. Bounded: about 20 MB when full (names of usual length). Thread-safe. Errors: those of
// the slower one; what is remembered is still answered while that cannot be read.
#pragma once

#include <memory>
#include <string>

#include "storage/catalog.h"
#include "storage/lru_cache.h"
#include "storage/mutex.h"

namespace paddock {

class CachingCatalog final : public Catalog {
 public:
  struct Limits {
    std::size_t tags = 16'384;
    std::size_t links = 32'768;  // and as many blobs
  };

  explicit CachingCatalog(std::unique_ptr<Catalog> inner) : CachingCatalog(std::move(inner), Limits()) {}
  CachingCatalog(std::unique_ptr<Catalog> inner, Limits limits);

  [[nodiscard]] std::optional<TagRecord> recent_tag(const RepositoryKey& repository, const std::string& tag) override;
  [[nodiscard]] bool recently_linked(const RepositoryKey& repository, const Digest& digest) override;
  [[nodiscard]] bool recently_held(const RepositoryKey& repository, const Digest& manifest) override;

  Result<void> put_blob(const Digest& digest, const BlobRecord& record) override;
  Result<std::optional<BlobRecord>> blob(const Digest& digest) override;
  Result<void> erase_blob(const Digest& digest) override;
  Result<void> touch(std::span<const std::pair<Digest, WallTime>> uses) override;
  Result<void> for_each_blob(const std::function<bool(const Digest&, const BlobRecord&)>& visit) override;

  Result<void> put_manifest(const RepositoryKey& repository, const Digest& digest,
                            const ManifestRecord& record) override;
  Result<std::optional<ManifestRecord>> manifest(const Digest& digest) override;
  Result<bool> holds(const RepositoryKey& repository, const Digest& manifest) override;
  Result<void> erase_manifest(const Digest& digest) override;

  Result<void> link(const RepositoryKey& repository, const Digest& digest) override;
  Result<bool> linked(const RepositoryKey& repository, const Digest& digest) override;

  Result<void> put_tag(const RepositoryKey& repository, const std::string& tag, const TagRecord& record) override;
  Result<std::optional<TagRecord>> tag(const RepositoryKey& repository, const std::string& tag) override;
  Result<void> erase_tag(const RepositoryKey& repository, const std::string& tag) override;
  Result<void> for_each_tag(
      const std::function<bool(const RepositoryKey&, const std::string&, const TagRecord&)>& visit) override;
  Result<std::vector<std::string>> tags(const RepositoryKey& repository, std::string_view last,
                                        std::size_t limit) override;
  Result<std::vector<RepositoryKey>> repositories(const std::optional<RepositoryKey>& last, std::size_t limit) override;

  Result<void> put_pin(const PinRecord& pin) override;
  Result<void> erase_pin(const RepositoryKey& repository, const std::string& reference) override;
  Result<std::vector<PinRecord>> pins() override;

  Result<void> clear() override;
  Result<void> flush() override;

 private:
  enum class Relation : char { links = 'l', holds = 'h' };
  using Ask = Result<bool> (Catalog::*)(const RepositoryKey&, const Digest&);

  [[nodiscard]] bool recent(Relation relation, const RepositoryKey& repository, const Digest& digest);
  Result<bool> related(Relation relation, Ask ask, const RepositoryKey& repository, const Digest& digest);
  [[nodiscard]] std::uint64_t writes();
  // After a write, whether it was taken or not: who knows what an error left behind.
  void forget_blob(const Digest& digest);
  void forget_tag(const RepositoryKey& repository, const std::string& tag);
  void forget_all();

  const std::unique_ptr<Catalog> inner_;
  Mutex mutex_;  // not held while the slower catalog is asked
  std::uint64_t writes_ PADDOCK_GUARDED_BY(mutex_) = 0;
  LruCache<std::string, TagRecord> tags_ PADDOCK_GUARDED_BY(mutex_);
  LruCache<std::string, bool> relations_ PADDOCK_GUARDED_BY(mutex_);
  LruCache<Digest, BlobRecord> blobs_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock

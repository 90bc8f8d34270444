// MemoryCatalog: the Catalog in maps, for tests. Every call fails with `fail_with`'s error while there is one.
// Thread-safe; visits run on a copy, without the lock.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/catalog.h"
#include "storage/mutex.h"

namespace paddock {

class MemoryCatalog final : public Catalog {
 public:
  void fail_with(std::optional<Error> error);
  [[nodiscard]] std::size_t touch_calls() const;
  // Called once, when the next tag(), linked(), holds() or blob() has read what it answers.
  void after_next_read(std::function<void()> hook);

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
  struct Afterwards {
    explicit Afterwards(MemoryCatalog& of) : catalog(of) {}
    ~Afterwards();
    Afterwards(const Afterwards&) = delete;
    Afterwards& operator=(const Afterwards&) = delete;
    MemoryCatalog& catalog;
  };

  using Named = std::pair<RepositoryKey, std::string>;
  using Held = std::pair<RepositoryKey, Digest>;

  mutable Mutex mutex_;
  std::optional<Error> error_ PADDOCK_GUARDED_BY(mutex_);
  std::size_t touch_calls_ PADDOCK_GUARDED_BY(mutex_) = 0;
  std::function<void()> hook_ PADDOCK_GUARDED_BY(mutex_);
  std::map<Digest, BlobRecord> blobs_ PADDOCK_GUARDED_BY(mutex_);
  std::map<Digest, ManifestRecord> manifests_ PADDOCK_GUARDED_BY(mutex_);
  std::set<Held> holders_ PADDOCK_GUARDED_BY(mutex_);  // manifests by repository
  std::set<Held> links_ PADDOCK_GUARDED_BY(mutex_);
  std::map<Named, TagRecord> tags_ PADDOCK_GUARDED_BY(mutex_);
  std::map<Named, PinRecord> pins_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock

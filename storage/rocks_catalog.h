// RocksCatalog: the Catalog in a RocksDB database, in a folder of its own.
//
// open() reads and verifies everything once (an index is small) and answers corrupt when it is damaged or parts of it
// are missing; then recovery sets the folder aside and builds a new one. Writes are atomic batches that reach the
// operating system at once and the disk by flush(): after a power cut some of the last ones may be missing, which
// recovery finds by comparing with the files. Needs about 10 MB of memory. One process at a time (conflict).
// After a write failed (a full disk, one that became read-only) it goes on answering reads, and opens its database anew
// for the first write that finds a disk which takes writes again. If it can then not even be opened for reading, every
// call fails, and a read tries again once in a while. Thread-safe: RocksDB's own locks for reading, one mutex around
// writes. https://github.com/facebook/rocksdb/wiki
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

#include "storage/catalog.h"

namespace paddock {

class RocksCatalog final : public Catalog {
 public:
  // Made when it is not there. corrupt, conflict, denied, no_space. `patience`: between two tries of reads to open it.
  static Result<std::unique_ptr<RocksCatalog>> open(const std::filesystem::path& folder,
                                                    std::chrono::milliseconds patience = std::chrono::seconds(5));
  // Moves a broken database to `<folder>.broken-<seconds>`, for whoever wants to look into it; an older one goes.
  static Result<void> set_aside(const std::filesystem::path& folder, WallTime now);

  ~RocksCatalog() override;
  RocksCatalog(const RocksCatalog&) = delete;
  RocksCatalog& operator=(const RocksCatalog&) = delete;

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
  class Database;
  explicit RocksCatalog(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
};

}  // namespace paddock

// Storage: everything that stands on the data folder, built in the right order from the configuration.
//
// open() takes the folder's lock and fails fast; recover() then makes catalog and files agree, after which the
// accessors may be used. Blocking. Destroyed after everything that refers to it.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "config/options.h"
#include "storage/catalog.h"
#include "storage/clock.h"
#include "storage/data_folder.h"
#include "storage/disk_blob_store.h"
#include "storage/eviction.h"
#include "storage/last_use.h"
#include "storage/manifest_store.h"
#include "storage/posix_file_system.h"
#include "storage/records.h"
#include "storage/recovery.h"
#include "storage/space.h"

namespace paddock {

class Storage {
 public:
  static Result<std::unique_ptr<Storage>> open(const config::StorageOptions& options, const Clock& clock);
  // `in_use` keeps a digest from eviction; `on_progress` as in recovery.h; `opening` is held while the catalog opens.
  Result<RecoveryReport> recover(std::function<bool(const Digest&)> in_use, OnProgress on_progress,
                                 std::timed_mutex& opening);
  void set_limits(const config::StorageOptions& options);
  // Once recovered: see SuspendedFills::whole().
  [[nodiscard]] std::vector<Digest> whole_fills() { return blobs_->suspended().whole(); }
  // A stored blob of at most `limit` bytes, without counting as a use. not_found, too_large, corrupt, io.
  [[nodiscard]] Result<std::string> peek(const Digest& digest, std::uint64_t limit);
  // Last uses and the catalog, durable.
  Result<void> flush();

  [[nodiscard]] const std::filesystem::path& root() const { return folder_.paths().root(); }
  [[nodiscard]] FileSystem& files() { return *fs_; }
  [[nodiscard]] DataPaths paths() const { return folder_.paths(); }
  [[nodiscard]] Space& space() { return space_; }
  [[nodiscard]] Catalog& catalog() { return *catalog_; }
  [[nodiscard]] LastUse& last_use() { return *last_use_; }
  [[nodiscard]] BlobStore& blobs() { return *blobs_; }
  [[nodiscard]] ManifestStore& manifests() { return *manifests_; }
  // These also while recover() is at work on another thread.
  [[nodiscard]] Evictor::Stats evicted() const { return recovered_ ? evictor_->stats() : Evictor::Stats{}; }
  [[nodiscard]] Result<void> present() { return folder_.present(*fs_); }  // looks at the disk
  // Once recovered: whether the catalog answers.
  [[nodiscard]] Result<void> readable();

 private:
  Storage(std::unique_ptr<PosixFileSystem> fs, DataFolder folder, const config::StorageOptions& options,
          const Clock& clock);

  const Clock& clock_;
  std::unique_ptr<PosixFileSystem> fs_;
  DataFolder folder_;
  Space space_;
  RecordFiles records_;
  std::unique_ptr<Catalog> catalog_;
  std::optional<LastUse> last_use_;
  std::optional<DiskBlobStore> blobs_;
  std::optional<ManifestStore> manifests_;
  std::optional<Evictor> evictor_;
  std::atomic<bool> recovered_{false};  // all of the above are made
};

// Recovery is still going on: there is no catalog to ask.
std::unexpected<Error> recovering();

}  // namespace paddock

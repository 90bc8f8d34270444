// DiskBlobStore: the BlobStore on a file system, one file a digest.
//
// Files are the truth, the catalog's rows follow them: commit and put make the file durable in its final place before
// the row is written, erase unlinks the file before the row goes. A row without a file, or with a file of another size,
// is repaired when open() meets it, unless the whole data folder is gone (io): it may come back. Folders that were
// removed below it are made anew. Space counts what has a row or is
// suspended, which stays suspended when it cannot be opened.
//
// Blocking; thread-safe. The file system, catalog, space and clock outlive the store, and so does what on_use refers
// to. Fails as blob_store.h says. Locks: see storage/README.md.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <set>
#include <unordered_map>

#include "storage/blob_store.h"
#include "storage/catalog.h"
#include "storage/clock.h"
#include "storage/data_folder.h"
#include "storage/mutex.h"
#include "storage/space.h"
#include "storage/suspended_fills.h"

namespace paddock {

class DiskBlobStore final : public BlobStore {
 public:
  struct Options {
    std::function<void(const Digest&)> on_use{};  // told of every open(); may be empty
    std::string boot{};                           // see PartialJournal
  };

  DiskBlobStore(FileSystem& fs, DataPaths paths, Catalog& catalog, Space& space, const Clock& clock, Options options);

  Result<Blob> open(const Digest& digest) override;
  Result<std::shared_ptr<PartialBlob>> begin(const Digest& digest, std::optional<std::uint64_t> size) override;
  Result<std::shared_ptr<PartialBlob>> resume(const Digest& digest) override;
  bool suspend(PartialBlob& partial, Error why) override;
  Result<void> commit(PartialBlob& partial) override;
  void abandon(PartialBlob& partial, Error why) override;
  Result<void> put(const Digest& digest, std::string_view content) override;
  Result<std::uint64_t> erase(const Digest& digest) override;
  [[nodiscard]] SuspendedFills& suspended() { return suspended_; }

 private:
  using Made = Result<std::shared_ptr<PartialBlob>>;
  // With no other fill of the digest at work.
  Made exclusively(const Digest& digest, const std::function<Made()>& make);
  Made create_partial(const Digest& digest, std::optional<std::uint64_t> size);
  Made reopen_partial(const Digest& digest);
  Made reopen(const Digest& digest, const PartialProgress& progress);
  Result<void> write_temporary(const std::filesystem::path& path, std::string_view content);
  // From a durable temporary file to a blob with a row. On failure neither name is left.
  Result<void> publish(const Digest& digest, const std::filesystem::path& from, std::uint64_t size,
                       Reservation& reservation);
  Result<void> ensure_folder(const Digest& digest);
  Result<void> renew_folder(const Digest& digest);
  Result<std::unique_ptr<File>> create_file(const std::filesystem::path& path);
  // The row and its bytes in `space_`, under the digest's lock.
  Result<void> forget_row(const Digest& digest);
  void discard(const std::filesystem::path& path);  // a failure is only logged
  Result<Blob> open_file(const Digest& digest, std::uint64_t expected);
  [[nodiscard]] Mutex& lock_of(const Digest& digest) { return digest_locks_.at(std::hash<Digest>{}(digest) % stripes); }
  [[nodiscard]] bool owns(const PartialBlob& partial);
  void forget_active(const Digest& digest);

  static constexpr std::size_t stripes = 64;

  FileSystem& fs_;
  const DataPaths paths_;
  Catalog& catalog_;
  Space& space_;
  const Clock& clock_;
  const Options options_;
  SuspendedFills suspended_;
  std::atomic<std::uint64_t> next_put_ = 0;

  // File and row of a digest change together under its lock.
  std::array<Mutex, stripes> digest_locks_;
  Mutex folders_mutex_;
  std::set<std::filesystem::path> durable_folders_ PADDOCK_GUARDED_BY(folders_mutex_);  // at most 2 x 65,536
  Mutex active_mutex_;
  std::unordered_map<Digest, const PartialBlob*> active_ PADDOCK_GUARDED_BY(active_mutex_);  // null: being created
};

}  // namespace paddock

// SuspendedFills: partial blobs that nobody fills at the moment, kept so that they can be taken up again: from an
// earlier process, or because nobody waited for them.
//
// Their bytes count as stored in Space. They are the first to go when room is needed, the oldest first.
// Blocking; thread-safe. A digest is here or being filled, never both; the caller (DiskBlobStore) sees to that.
// Errors: the file system's, of load() only; elsewhere what cannot be removed is logged and stays until the next start.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/clock.h"
#include "storage/data_folder.h"
#include "storage/file_system.h"
#include "storage/mutex.h"
#include "storage/partial_journal.h"
#include "storage/space.h"

namespace paddock {

class SuspendedFills {
 public:
  // `boot`: see PartialJournal.
  SuspendedFills(FileSystem& fs, DataPaths paths, Space& space, const Clock& clock, std::string boot);

  // At start: keeps what a journal vouches for, unless the blob is stored already; removes everything else from
  // partial/. Returns the files removed.
  Result<std::uint64_t> load();
  // Not here any more, its files stay. Nothing when there is none.
  std::optional<PartialProgress> take(const Digest& digest);
  // The partial's file and journal are in place.
  void keep(const Digest& digest, PartialProgress progress);
  // Those of which every byte is there.
  [[nodiscard]] std::vector<Digest> whole() const;
  // Removes the oldest until `bytes` are free; returns what that freed.
  std::uint64_t drop(std::uint64_t bytes);
  [[nodiscard]] std::unique_ptr<PartialJournal> journal(const Digest& digest) const;

 private:
  struct Entry {
    PartialProgress progress;
    SteadyTime since;
  };

  // What partial/ holds for this digest, if it is worth anything.
  [[nodiscard]] std::optional<PartialProgress> find(const std::string& name) const;
  // Out of the way of another fill, quickly; the file under its new name is still to be removed.
  void set_aside(const Digest& digest) PADDOCK_REQUIRES(mutex_);
  [[nodiscard]] std::filesystem::path aside(const Digest& digest) const;
  void remove(const std::filesystem::path& path);  // a failure is only logged

  FileSystem& fs_;
  const DataPaths paths_;
  Space& space_;
  const Clock& clock_;
  const std::string boot_;
  mutable Mutex mutex_;
  std::unordered_map<Digest, Entry> entries_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock

// MemoryFileSystem: a FileSystem in memory that knows what would survive a power cut.
//
// Every file has its bytes as seen and as synced, every folder its names as seen and as synced. power_cut() goes back
// to what was synced, as a disk may. Open files of the time before must not be used after it. Locks last until
// destroyed. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "storage/file_system.h"
#include "storage/mutex.h"

namespace paddock {

class MemoryFileSystem final : public FileSystem {
 public:
  // What a disk may do with what was not synced; what was synced always stays.
  enum class PowerCut : std::uint8_t {
    lose_all,    // new names and new bytes are gone
    lose_bytes,  // names made it, bytes did not: zeros in their place
    lose_names,  // bytes made it, names did not
  };

  explicit MemoryFileSystem(std::uint64_t capacity = std::uint64_t{1} << 40U);

  Result<std::unique_ptr<File>> open(const Path& path, Open how) override;
  Result<void> rename(const Path& from, const Path& to) override;
  Result<void> remove(const Path& path) override;
  Result<void> create_directories(const Path& path) override;
  Result<void> sync_directory(const Path& path) override;
  Result<std::vector<DirectoryEntry>> list(const Path& path) override;
  Result<DiskSpace> space(const Path& path) override;
  Result<std::unique_ptr<FileLock>> lock(const Path& path) override;

  void power_cut(PowerCut how);
  void drop_unsynced() { power_cut(PowerCut::lose_all); }
  // Shared with whatever else fills the disk.
  void set_capacity(std::uint64_t capacity);

  struct Node;

 private:
  struct Disk;
  std::shared_ptr<Disk> disk_;
};

}  // namespace paddock

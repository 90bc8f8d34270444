// FaultFileSystem: passes everything on to another FileSystem, except for the faults a test asks for.
//
// Changing calls (create, write, sync, rename, remove, create folders, sync folder) are numbered from 0 on in the order
// they come. A fault hits one number, all from a number on (as if the process had died there), all of one kind, or what
// is written after some bytes. Reading calls have faults of their own. Thread-safe.
// For a power cut use it over MemoryFileSystem: fail from N on, then MemoryFileSystem::drop_unsynced().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "storage/file_system.h"
#include "storage/mutex.h"

namespace paddock {

class FaultFileSystem final : public FileSystem {
 public:
  enum class Op : std::uint8_t {
    create,
    write,
    sync_data,
    rename,
    remove,
    create_directories,
    sync_directory,
    open,
    read
  };

  explicit FaultFileSystem(FileSystem& inner);

  void fail_call(std::uint64_t number, ErrorCode code = ErrorCode::io);  // that one
  void fail_from(std::uint64_t number, ErrorCode code = ErrorCode::io);  // that one and all after it
  void fail_all(Op op, ErrorCode code = ErrorCode::io);                  // until clear()
  // Of what is written from now on the first `bytes` reach the file, also within one call; then `code`.
  void fail_after_bytes(std::uint64_t bytes, ErrorCode code = ErrorCode::no_space);
  void fail_path(const Path& path, ErrorCode code = ErrorCode::io);  // opening or listing it, until clear()
  void hide_path(const Path& path);                                  // listings know its name alone, until clear()
  void on_list(std::function<void(const Path&)> call);               // before each listing, by whoever asks for it
  void clear();                                                      // no faults; numbers go on
  [[nodiscard]] std::uint64_t calls() const;                         // changing calls so far
  [[nodiscard]] std::uint64_t count(Op op) const;

  Result<std::unique_ptr<File>> open(const Path& path, Open how) override;
  Result<void> rename(const Path& from, const Path& to) override;
  Result<void> remove(const Path& path) override;
  Result<void> create_directories(const Path& path) override;
  Result<void> sync_directory(const Path& path) override;
  Result<std::vector<DirectoryEntry>> list(const Path& path) override;
  Result<DiskSpace> space(const Path& path) override { return inner_.space(path); }
  Result<std::unique_ptr<FileLock>> lock(const Path& path) override { return inner_.lock(path); }

 private:
  friend class FaultFile;
  struct Plan;
  FileSystem& inner_;
  std::shared_ptr<Plan> plan_;
};

}  // namespace paddock

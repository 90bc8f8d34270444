// PosixFileSystem: the FileSystem of the machine.
//
// Files and folders are readable by the owner and the group alone (0640, 0750). Descriptors are closed on exec. Only
// regular files are opened, at once and not through a link: in the place of one a pipe, a device or a link is corrupt.
// The lock is flock(2) on a file that holds the owner's process id; it goes when the process does, however it ends.
// Thread-safe. Fails as file_system.h says.
#pragma once

#include "storage/file_system.h"

namespace paddock {

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const Path& path, Open how) override;
  Result<void> rename(const Path& from, const Path& to) override;
  Result<void> remove(const Path& path) override;
  Result<void> create_directories(const Path& path) override;
  Result<void> sync_directory(const Path& path) override;
  Result<std::vector<DirectoryEntry>> list(const Path& path) override;
  Result<DiskSpace> space(const Path& path) override;
  Result<std::unique_ptr<FileLock>> lock(const Path& path) override;
};

}  // namespace paddock

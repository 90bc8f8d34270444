// FileSystem and File: the seam through which storage touches the disk, and at which tests inject faults.
//
// Blocking: call from a BlockingPool thread. Thread-safe; one File may be read and written by several threads at
// different offsets. Errors: not_found, no_space (ENOSPC, EDQUOT), denied (EACCES, EPERM, EROFS), conflict (lock
// held), corrupt (not a regular file), io for the rest; the message names the path and what the system said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/error.h"

namespace paddock {

class File {
 public:
  virtual ~File() = default;
  // Reads until `out` is full or the file ends; returns the bytes read.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const = 0;
  // Like read_at(), but never waits for the disk: only what is in memory, 0 where nothing is or nobody knows.
  [[nodiscard]] virtual std::size_t read_cached(std::uint64_t /*offset*/, std::span<std::byte> /*out*/) const {
    return 0;
  }
  // How many of the `length` bytes at `offset` are in memory, counted up to the first that is not; 0 where nobody
  // knows, or where reading them might have to wait. Like read_cached() it may be called on an event loop.
  [[nodiscard]] virtual std::uint64_t in_memory(std::uint64_t /*offset*/, std::uint64_t /*length*/) const { return 0; }
  // Writes all of `bytes` or fails; after a failure some may have been written.
  virtual Result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  virtual Result<void> sync_data() = 0;  // fdatasync
  [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;
  // The descriptor for the kernel's zero-copy calls, or -1 when there is none.
  [[nodiscard]] virtual int descriptor() const { return -1; }
};

// Held until destroyed.
class FileLock {
 public:
  virtual ~FileLock() = default;
  // Whether the file at the path is still the one that is held: it may have been removed, and made anew by another.
  [[nodiscard]] virtual bool in_place() const = 0;
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;  // itself, not a link to one: who follows links may end in anybody's folders
  bool is_other = false;      // neither that nor a regular file: a pipe, a device, a link
  bool is_unknown = false;    // the disk does not say what it is
  std::uint64_t size = 0;     // of a regular file
};

struct DiskSpace {
  std::uint64_t total = 0;      // bytes
  std::uint64_t available = 0;  // bytes, to an unprivileged writer
};

class FileSystem {
 public:
  using Path = std::filesystem::path;
  enum class Open : std::uint8_t {
    read,    // must exist
    update,  // must exist; read and write
    create,  // read and write; created, or cut to nothing
  };

  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> open(const Path& path, Open how) = 0;
  virtual Result<void> rename(const Path& from, const Path& to) = 0;  // replaces `to`
  virtual Result<void> remove(const Path& path) = 0;                  // a file; not_found when absent
  virtual Result<void> create_directories(const Path& path) = 0;      // and makes the new entries durable
  virtual Result<void> sync_directory(const Path& path) = 0;
  virtual Result<std::vector<DirectoryEntry>> list(const Path& path) = 0;  // unordered, without . and ..
  virtual Result<DiskSpace> space(const Path& path) = 0;
  // Exclusive across processes; conflict names the holder's process id where it is known.
  virtual Result<std::unique_ptr<FileLock>> lock(const Path& path) = 0;
};

// Durable replacement of a small file: temporary file beside it, sync, rename, sync of the folder.
Result<void> write_file_durably(FileSystem& fs, const FileSystem::Path& path, std::string_view content);
// A whole file; too_large above `limit` bytes.
Result<std::string> read_file(FileSystem& fs, const FileSystem::Path& path, std::uint64_t limit);

}  // namespace paddock

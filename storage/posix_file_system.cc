#include "storage/posix_file_system.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "storage/file_descriptor.h"
#include "storage/page_residency.h"

namespace paddock {
namespace {

using Path = std::filesystem::path;

ErrorCode code_of(int system_error) {
  switch (system_error) {
    case ENOENT:
      return ErrorCode::not_found;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::no_space;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::denied;
    default:
      return ErrorCode::io;
  }
}

std::unexpected<Error> system_failure(std::string_view doing, const Path& path, int system_error) {
  return fail(code_of(system_error), Blame::us,
              std::string(doing) + " " + path.string() + ": " + std::system_category().message(system_error));
}

// Calls until it is not interrupted by a signal.
template <typename Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

class PosixFile final : public File {
 public:
  PosixFile(FileDescriptor descriptor, const struct stat& status, Path path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)), residency_(descriptor_.get(), status) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    const std::size_t at_hand = read_cached(offset, out);
    if (at_hand == out.size()) return at_hand;
    const PageResidency::Wait wait(residency_);
    std::size_t done = at_hand;
    while (done < out.size()) {
      const auto rest = out.subspan(done);
      const auto got = uninterrupted(
          [&] { return ::pread(descriptor(), rest.data(), rest.size(), static_cast<off_t>(offset + done)); });
      if (got < 0) {
        if (errno == EIO) PageResidency::note_failure();
        return system_failure("cannot read", path_, errno);
      }
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    if (done > at_hand) residency_.note_miss();  // once more: that may have taken long
    return done;
  }

  [[nodiscard]] std::size_t read_cached(std::uint64_t offset, std::span<std::byte> out) const override {
    const iovec into{.iov_base = out.data(), .iov_len = out.size()};
    const auto got = ::preadv2(descriptor(), &into, 1, static_cast<off_t>(offset), RWF_NOWAIT);
    const auto end = offset + static_cast<std::uint64_t>(std::max<ssize_t>(got, 0));
    // The kernel may have begun with the rest, unless the file has none.
    if (end < offset + out.size() && end < size().value_or(UINT64_MAX)) residency_.note_miss();
    return got > 0 ? static_cast<std::size_t>(got) : 0;  // what is wrong shows when it is read for good
  }

  [[nodiscard]] std::uint64_t in_memory(std::uint64_t offset, std::uint64_t length) const override {
    return residency_.in_memory(offset, length);
  }

  Result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const auto put =
          uninterrupted([&] { return ::pwrite(descriptor(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
      if (put < 0) return system_failure("cannot write", path_, errno);
      offset += static_cast<std::uint64_t>(put);
      bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
    return {};
  }

  Result<void> sync_data() override {
    if (uninterrupted([&] { return ::fdatasync(descriptor()); }) < 0)
      return system_failure("cannot sync", path_, errno);
    return {};
  }

  [[nodiscard]] Result<std::uint64_t> size() const override {
    struct stat status{};
    if (::fstat(descriptor(), &status) < 0) return system_failure("cannot look at", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  [[nodiscard]] int descriptor() const override { return descriptor_.get(); }

 private:
  FileDescriptor descriptor_;
  Path path_;
  PageResidency residency_;
};

class PosixLock final : public FileLock {
 public:
  PosixLock(FileDescriptor descriptor, Path path) : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  [[nodiscard]] bool in_place() const override {
    struct stat held{};
    struct stat there{};
    if (::fstat(descriptor_.get(), &held) < 0 || ::lstat(path_.c_str(), &there) < 0) return false;
    return held.st_dev == there.st_dev && held.st_ino == there.st_ino;
  }

 private:
  FileDescriptor descriptor_;
  Path path_;
};

FileDescriptor open_descriptor(const Path& path, int flags) {
  constexpr mode_t mode = 0640;
  return FileDescriptor(uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); }));
}

std::unexpected<Error> not_regular(const Path& path) {
  return fail(ErrorCode::corrupt, Blame::us, path.string() + " is not a regular file");
}

struct RegularFile {
  FileDescriptor descriptor;
  struct stat status{};
};

// Whatever else may lie where a file should: a pipe would wait for ever, a device may do anything, a link leads
// somebody else's file in.
Result<RegularFile> open_regular(const Path& path, int flags, std::string_view doing) {
  RegularFile file{open_descriptor(path, flags | O_NONBLOCK | O_NOFOLLOW)};
  if (file.descriptor.get() < 0) {
    const int error = errno;
    if (error == ELOOP || error == ENXIO || error == ENODEV) return not_regular(path);
    return system_failure(doing, path, error);
  }
  if (::fstat(file.descriptor.get(), &file.status) < 0) return system_failure("cannot look at", path, errno);
  if (!S_ISREG(file.status.st_mode)) return not_regular(path);
  return file;
}

int flags_of(FileSystem::Open how) {
  switch (how) {
    case FileSystem::Open::read:
      return O_RDONLY;
    case FileSystem::Open::update:
      return O_RDWR;
    case FileSystem::Open::create:
      return O_RDWR | O_CREAT | O_TRUNC;
  }
  return O_RDONLY;
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

// Nothing when it vanished meanwhile.
std::optional<DirectoryEntry> look_at(int folder, const char* name) {
  DirectoryEntry entry{.name = name};
  struct stat status{};
  if (::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
    if (errno == ENOENT) return std::nullopt;
    entry.is_unknown = true;
    return entry;
  }
  if (S_ISREG(status.st_mode)) {
    entry.size = static_cast<std::uint64_t>(status.st_size);
    return entry;
  }
  entry.is_directory = S_ISDIR(status.st_mode);
  entry.is_other = !entry.is_directory;
  return entry;
}

std::string holder_of(int fd) {
  std::array<char, 32> text{};
  const auto got = ::pread(fd, text.data(), text.size(), 0);
  long pid = 0;
  if (got > 0) std::from_chars(text.data(), text.data() + got, pid);
  return pid > 0 ? "process " + std::to_string(pid) : "another process";
}

}  // namespace

Result<std::unique_ptr<File>> PosixFileSystem::open(const Path& path, Open how) {
  auto file = open_regular(path, flags_of(how), "cannot open");
  if (!file) return std::unexpected(std::move(file).error());
  return std::make_unique<PosixFile>(std::move(file->descriptor), file->status, path);
}

Result<void> PosixFileSystem::rename(const Path& from, const Path& to) {
  if (::rename(from.c_str(), to.c_str()) < 0) return system_failure("cannot rename to " + to.string(), from, errno);
  return {};
}

Result<void> PosixFileSystem::remove(const Path& path) {
  if (::unlink(path.c_str()) < 0) return system_failure("cannot remove", path, errno);
  return {};
}

Result<void> PosixFileSystem::create_directories(const Path& path) {
  constexpr mode_t mode = 0750;
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) {
    return S_ISDIR(status.st_mode) ? Result<void>{} : system_failure("cannot create folder", path, ENOTDIR);
  }
  if (errno != ENOENT) return system_failure("cannot create folder", path, errno);
  const Path parent = path.has_filename() ? path.parent_path() : path.parent_path().parent_path();
  if (!parent.empty()) {
    if (auto made = create_directories(parent); !made) return made;
  }
  if (::mkdir(path.c_str(), mode) < 0 && errno != EEXIST) return system_failure("cannot create folder", path, errno);
  return sync_directory(parent.empty() ? Path(".") : parent);
}

Result<void> PosixFileSystem::sync_directory(const Path& path) {
  const FileDescriptor descriptor = open_descriptor(path, O_RDONLY | O_DIRECTORY);
  if (descriptor.get() < 0) return system_failure("cannot open folder", path, errno);
  // EINVAL: a file system that keeps its folders durable in its own way.
  if (uninterrupted([&] { return ::fsync(descriptor.get()); }) < 0 && errno != EINVAL) {
    return system_failure("cannot sync folder", path, errno);
  }
  return {};
}

Result<std::vector<DirectoryEntry>> PosixFileSystem::list(const Path& path) {
  const std::unique_ptr<DIR, CloseFolder> folder(::opendir(path.c_str()));
  if (folder == nullptr) return system_failure("cannot list folder", path, errno);
  std::vector<DirectoryEntry> entries;
  for (errno = 0; const dirent* found = ::readdir(folder.get()); errno = 0) {
    const char* name = static_cast<const char*>(found->d_name);
    if (name == std::string_view(".") || name == std::string_view("..")) continue;
    if (found->d_type == DT_DIR) {
      entries.push_back({.name = name, .is_directory = true});
    } else if (auto entry = look_at(::dirfd(folder.get()), name)) {
      entries.push_back(*std::move(entry));
    }
  }
  if (errno != 0) return system_failure("cannot list folder", path, errno);
  return entries;
}

Result<DiskSpace> PosixFileSystem::space(const Path& path) {
  struct statvfs status{};
  if (uninterrupted([&] { return ::statvfs(path.c_str(), &status); }) < 0) {
    return system_failure("cannot ask for the free space of", path, errno);
  }
  return DiskSpace{.total = std::uint64_t{status.f_blocks} * status.f_frsize,
                   .available = std::uint64_t{status.f_bavail} * status.f_frsize};
}

Result<std::unique_ptr<FileLock>> PosixFileSystem::lock(const Path& path) {
  auto file = open_regular(path, O_RDWR | O_CREAT, "cannot open the lock");
  if (!file) return std::unexpected(std::move(file).error());
  const int fd = file->descriptor.get();
  if (uninterrupted([&] { return ::flock(fd, LOCK_EX | LOCK_NB); }) < 0) {
    if (errno != EWOULDBLOCK) return system_failure("cannot lock", path, errno);
    return fail(ErrorCode::conflict, Blame::us, path.string() + " is held by " + holder_of(fd));
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  const bool noted =
      ::ftruncate(fd, 0) == 0 && ::pwrite(fd, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
  if (!noted) return system_failure("cannot write the lock", path, errno);
  return std::make_unique<PosixLock>(std::move(file->descriptor), path);
}

}  // namespace paddock

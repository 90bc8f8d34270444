// PrivateFolder: a folder for one run's files that nobody else may read, as passwords stand in them. It goes with this.
// It is locked while this lives, by which the next one knows those that a process that was killed has left, and removes
// them.
//
// Below TMPDIR, or /tmp. For one thread. Errors: io.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "storage/error.h"
#include "storage/file_descriptor.h"

namespace paddock {

class PrivateFolder {
 public:
  static Result<PrivateFolder> make();
  PrivateFolder(PrivateFolder&& other) noexcept
      : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}
  PrivateFolder& operator=(PrivateFolder&&) = delete;
  ~PrivateFolder();

  // `name` is relative, its folders are made. The file's whole path.
  Result<std::string> write(const std::string& name, std::string_view content) const;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  PrivateFolder(std::filesystem::path path, FileDescriptor lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::filesystem::path path_;
  FileDescriptor lock_;
};

}  // namespace paddock

// PrivateFolder: a folder for one run's files that nobody else may read, as passwords stand in them. It goes with this.
//
// Below TMPDIR, or /tmp. For one thread. Errors: io.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "storage/error.h"

namespace paddock {

class PrivateFolder {
 public:
  static Result<PrivateFolder> make();
  PrivateFolder(PrivateFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PrivateFolder& operator=(PrivateFolder&&) = delete;
  ~PrivateFolder();

  // `name` is relative, its folders are made. The file's whole path.
  Result<std::string> write(const std::string& name, std::string_view content) const;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit PrivateFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace paddock

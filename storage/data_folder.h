// DataFolder: the folder that holds everything stored, opened and locked by one process.
//
//   LOCK                               held while in use; its text is the owner's process id
//   FORMAT                             "paddock-store 1"
//   blobs/<alg>/<aa>/<bb>/<hex>        verified content; aa and bb are the first bytes of the digest
//   partial/<alg>-<hex>[...]           content on its way, with its journal: see suspended_fills.h
//   records/, catalog/                 see records.h and rocks_catalog.h
//   jobs/                              of the warm-up: see proxy/warm/job_files.h
//
// Made once at start, kept until the end; destroying it gives the lock back. Immutable, so usable from any thread.
// open() fails with conflict (another process has it), denied (not writable) or unsupported (another format); the
// message says what to do.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include "storage/digest.h"
#include "storage/file_system.h"

namespace paddock {

// Where things are below a data folder. A path is made from a Digest, never from text of a request.
class DataPaths {
 public:
  explicit DataPaths(std::filesystem::path root) : root_(std::move(root)) {}

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] std::filesystem::path blobs() const { return root_ / "blobs"; }
  [[nodiscard]] std::filesystem::path partial() const { return root_ / "partial"; }
  [[nodiscard]] std::filesystem::path records() const { return root_ / "records"; }
  [[nodiscard]] std::filesystem::path catalog() const { return root_ / "catalog"; }
  [[nodiscard]] std::filesystem::path jobs() const { return root_ / "jobs"; }
  [[nodiscard]] std::filesystem::path lock() const { return root_ / "LOCK"; }
  [[nodiscard]] std::filesystem::path format() const { return root_ / "FORMAT"; }
  [[nodiscard]] std::filesystem::path blob(const Digest& digest) const;
  [[nodiscard]] std::filesystem::path partial(const Digest& digest) const;

 private:
  std::filesystem::path root_;
};

// Whether a data folder is (still) there: io, saying so, when it was removed or is not mounted. One look at FORMAT.
Result<void> check_present(FileSystem& fs, const DataPaths& paths);

// Where a digest's bytes are below the data folder `root`.
std::filesystem::path blob_path(const std::filesystem::path& root, const Digest& digest);
// The digest whose blob_path() ends in blobs/<algorithm>/<first>/<second>/<name>, if there is one.
std::optional<Digest> digest_of_blob_file(std::string_view algorithm, std::string_view first, std::string_view second,
                                          std::string_view name);

class DataFolder {
 public:
  static constexpr std::string_view format_line = "paddock-store 1\n";

  // Creates what is missing.
  static Result<DataFolder> open(FileSystem& fs, const std::filesystem::path& root);

  [[nodiscard]] const DataPaths& paths() const { return paths_; }
  // Whether it is still this one that is at its path; conflict when another has taken its place.
  [[nodiscard]] Result<void> present(FileSystem& fs) const;

 private:
  DataFolder(DataPaths paths, std::unique_ptr<FileLock> lock) : paths_(std::move(paths)), lock_(std::move(lock)) {}

  DataPaths paths_;
  std::unique_ptr<FileLock> lock_;
};

}  // namespace paddock

// RecordFiles: what the bytes of blobs do not say, one small JSON file a fact, so that the catalog can be rebuilt.
//
// Layout: records/<2 hex>/<sha256 of the fact's key>.json. The name is made from a digest of the key, never from
// request text; the content holds the key in clear, so that a file in the wrong place is noticed. Replaced atomically,
// durable when put() returns. Blocking; thread-safe (different keys; one key by one writer at a time, the last wins).
// Errors: io, no_space; put: invalid_argument (text that is not UTF-8), too_large. Unreadable files are reported to
// `visit_broken`, not fatal: corrupt or too_large when their content is bad, else what reading them failed with.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "storage/catalog.h"
#include "storage/file_system.h"

namespace paddock {

struct ManifestFact {  // this repository contains this manifest
  RepositoryKey repository;
  Digest digest;
  std::string media_type;
  std::vector<Digest> children;
};
struct TagFact {
  RepositoryKey repository;
  std::string tag;
  Digest digest;
  WallTime changed{};
  WallTime validated{};  // the last confirmation that was recorded: not each one is. Older than `changed`: none
};
struct PinFact {
  PinRecord pin;
};
using Fact = std::variant<ManifestFact, TagFact, PinFact>;

class RecordFiles {
 public:
  static constexpr std::uint64_t max_file_size = 4U << 20U;  // bytes

  RecordFiles(FileSystem& fs, std::filesystem::path folder) : fs_(fs), folder_(std::move(folder)) {}

  Result<void> put(const Fact& fact);
  // Only the key fields of `fact` matter. Absent: ok.
  Result<void> erase(const Fact& fact);
  // Read by several threads; the visitors are called by one of them at a time, and the first failure of one ends it.
  Result<void> for_each(const std::function<Result<void>(const Fact&)>& visit,
                        const std::function<Result<void>(const std::filesystem::path&, const Error&)>& visit_broken,
                        unsigned threads);

 private:
  struct Found {
    std::filesystem::path path;
    Result<Fact> fact;
  };
  [[nodiscard]] std::vector<Found> read_folder(const DirectoryEntry& folder);
  [[nodiscard]] std::filesystem::path path_of(const Fact& fact) const;
  [[nodiscard]] Result<Fact> read(const std::filesystem::path& path);

  FileSystem& fs_;
  std::filesystem::path folder_;
};

}  // namespace paddock

// PartialJournal: which bytes of a partial blob are in its file, kept beside it, so that its fill is taken up again
// after a crash.
//
//   <partial>.written   good as long as the machine runs: what a process wrote outlives it in the page cache. Names the
//                       boot it belongs to
//   <partial>.synced    good after a power cut too; noted only when the bytes are durable
//
// Both are JSON, a few hundred bytes. Nobody has to trust them: the digest is verified over the whole blob.
// Blocking. One writer at a time; read() before the first note. Errors: the file system's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "storage/digest.h"
#include "storage/extent_map.h"
#include "storage/file_system.h"

namespace paddock {

struct PartialProgress {
  std::uint64_t size = 0;  // of the whole blob
  ExtentMap extents;
};

class PartialJournal {
 public:
  // `boot`: whatever tells one run of the machine from the next; empty when unknown, then .written is never believed.
  PartialJournal(FileSystem& fs, const std::filesystem::path& partial, const Digest& digest, std::string boot);

  Result<void> note_written(const PartialProgress& progress);
  Result<void> note_synced(const PartialProgress& progress);
  // All that is known to be there; nothing when there is no note that can be believed.
  [[nodiscard]] std::optional<PartialProgress> read() const;
  Result<void> erase();

  // Whether `name` is that of a journal's file, or of one in the making.
  static bool is_journal(std::string_view name);

 private:
  [[nodiscard]] std::optional<PartialProgress> read(const std::filesystem::path& path, bool any_boot) const;
  [[nodiscard]] std::string encode(const PartialProgress& progress) const;

  FileSystem& fs_;
  const std::filesystem::path written_, synced_;
  const Digest digest_;
  const std::string boot_;
};

// The running kernel's boot id; empty where there is none.
std::string current_boot();

}  // namespace paddock

// JobFiles: warm-up jobs on disk, so that they outlive the process: jobs/<id>.json, one a job, replaced atomically.
//
// Blocking; thread-safe for different jobs. load() comes first: it removes what a crash left, and passes over files
// that cannot be read, with a word in the log. Errors: io, no_space, of the file system.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/warm/job.h"
#include "storage/error.h"
#include "storage/file_system.h"

namespace paddock {

// More is neither asked for nor believed.
inline constexpr std::chrono::seconds longest_pin{std::chrono::years(100)};

// [0-9a-f], 1 to 12 of them: what may become the name of a file.
bool is_job_id(std::string_view text);

class JobFiles {
 public:
  JobFiles(FileSystem& fs, std::filesystem::path folder) : fs_(fs), folder_(std::move(folder)) {}

  Result<void> save(const WarmJobReport& job);
  Result<void> erase(const std::string& id);  // absent: ok
  // The oldest first.
  Result<std::vector<WarmJobReport>> load();

 private:
  static constexpr std::uint64_t max_file_size = 8U << 20U;  // bytes
  [[nodiscard]] std::filesystem::path path_of(const std::string& id) const { return folder_ / (id + ".json"); }

  FileSystem& fs_;
  const std::filesystem::path folder_;
};

}  // namespace paddock

// Scans texts as files of a temporary folder, and says what was found in short lines: "3 docker.io/library/redis:7" for
// an image, "3 ? unset-variable" for what is unresolved; "FILE:3 ..." where there are several files.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "proxy/warm/ci/scan.h"
#include "tests/support/temporary_folder.h"

namespace paddock::ci::test {

using Lines = std::vector<std::string>;

inline void write_file(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

// Sorted; files without the folder in front.
inline Lines lines_of(const ScanReport& report, const std::filesystem::path& folder, bool with_files) {
  Lines lines;
  const auto place = [&](const Place& at) {
    const auto name = std::filesystem::path(at.file).lexically_relative(folder).string();
    return (with_files ? name + ":" : std::string()) + std::to_string(at.line) + " ";
  };
  for (const auto& finding : report.findings) lines.push_back(place(finding.place) + finding.reference);
  for (const auto& item : report.unresolved) {
    lines.push_back(place(item.place) + "? " + std::string(to_string(item.kind)));
  }
  std::ranges::sort(lines);
  return lines;
}

// A folder of files, and what a scan of it says.
class Folder {
 public:
  explicit Folder(const std::map<std::string, std::string>& files) {
    for (const auto& [name, text] : files) write_file(folder_ / name, text);
  }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] const std::filesystem::path& path() const { return folder_.path(); }
  [[nodiscard]] ScanReport scan(const ScanOptions& options = {}) const { return scan_paths({path()}, options); }
  [[nodiscard]] Lines lines() const { return lines_of(scan(), path(), true); }

 private:
  TemporaryFolder folder_;
};

// One file, given by its name.
inline ScanReport scan_text(const std::string& name, const std::string& text) {
  const Folder folder({{name, text}});
  return scan_paths({folder / name});
}
inline Lines scan_lines(const std::string& name, const std::string& text) {
  const Folder folder({{name, text}});
  return lines_of(scan_paths({folder / name}), folder.path(), false);
}
// The messages of the problems, with their lines.
inline Lines problems_of(const ScanReport& report) {
  Lines lines;
  for (const auto& problem : report.problems) lines.push_back(std::to_string(problem.line) + " " + problem.message);
  return lines;
}
inline bool has_problem(const ScanReport& report, const std::string& text) {
  return std::ranges::any_of(report.problems, [&](const Problem& problem) { return problem.message.contains(text); });
}

}  // namespace paddock::ci::test

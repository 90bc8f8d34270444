#include "proxy/cli/ci_images.h"

#include <spdlog/fmt/fmt.h>

#include "proxy/cli/format.h"
#include "proxy/warm/ci/scan.h"

namespace paddock {

std::vector<std::string> images_in_ci_files(const std::vector<std::string>& paths, Console& console) {
  const auto report = ci::scan_paths({paths.begin(), paths.end()});
  const auto note = [&](const std::string& file, int line, const std::string& text) {
    console.err << printable(line > 0 ? fmt::format("{}:{}: {}", file, line, text) : file + ": " + text) << "\n";
  };
  for (const auto& problem : report.problems) note(problem.file, problem.line, problem.message);
  for (const auto& left : report.unresolved) {
    note(left.place.file, left.place.line, fmt::format("cannot be known: {} ({})", left.text, left.reason));
  }
  std::vector<std::string> images;
  for (const auto& finding : ci::unique_images(report)) {
    images.push_back(finding.reference);
    note(finding.place.file, finding.place.line, finding.reference);
  }
  return images;
}

}  // namespace paddock

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>
#include <string>
#include <vector>

#include "proxy/cli/command.h"
#include "proxy/cli/format.h"
#include "proxy/warm/ci/scan.h"

namespace paddock {
namespace {

using Json = nlohmann::ordered_json;

std::string position(const std::string& file, int line) { return line > 0 ? fmt::format("{}:{}", file, line) : file; }

Json place_json(const ci::Place& place) {
  return {{"file", place.file}, {"line", place.line}, {"where", place.where}, {"format", ci::to_string(place.format)}};
}

Json to_json(const ci::ScanReport& report) {
  Json out{
      {"files", report.files}, {"images", Json::array()}, {"unresolved", Json::array()}, {"problems", Json::array()}};
  for (const auto& finding : report.findings) {
    Json item{{"reference", finding.reference}, {"name", finding.name}, {"written", finding.written}};
    item.update(place_json(finding.place));
    out["images"].push_back(std::move(item));
  }
  for (const auto& unresolved : report.unresolved) {
    Json item{{"text", unresolved.text}, {"kind", ci::to_string(unresolved.kind)}, {"reason", unresolved.reason}};
    item.update(place_json(unresolved.place));
    out["unresolved"].push_back(std::move(item));
  }
  for (const auto& problem : report.problems) {
    out["problems"].push_back({{"file", problem.file}, {"line", problem.line}, {"message", problem.message}});
  }
  return out;
}

std::string describe(const ci::ScanReport& report) {
  std::vector<std::vector<std::string>> images{{"IMAGE", "PLACE", "WHERE"}};
  for (const auto& finding : report.findings) {
    images.push_back({finding.reference, position(finding.place.file, finding.place.line), finding.place.where});
  }
  std::vector<std::vector<std::string>> unresolved{{"UNRESOLVED", "PLACE", "REASON"}};
  for (const auto& item : report.unresolved) {
    unresolved.push_back({item.text, position(item.place.file, item.place.line), item.reason});
  }
  std::string out;
  if (images.size() > 1) out += format_table(images) + "\n";
  if (unresolved.size() > 1) out += format_table(unresolved) + "\n";
  out += fmt::format("{} CI files, {} images, {} different; {} unresolved, {} problems\n", report.files,
                     report.findings.size(), ci::unique_images(report).size(), report.unresolved.size(),
                     report.problems.size());
  return out;
}

// Problems go to stderr in either form, so that stdout stays what it is.
int run(const std::vector<std::string>& paths, bool as_json, Console& console) {
  const auto report = ci::scan_paths({paths.begin(), paths.end()});
  for (const auto& problem : report.problems) {
    console.err << "paddock: " << printable(position(problem.file, problem.line)) << ": " << printable(problem.message)
                << "\n";
  }
  console.out << (as_json ? to_json(report).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                          : describe(report));
  return report.problems.empty() ? exit_done : exit_failed;
}

}  // namespace

void add_scan_command(CLI::App& app, Console& console) {
  auto* command = app.add_subcommand(
      "scan",
      "List the images that CI files name: GitLab CI, GitHub Actions, Jenkinsfile, compose, Kubernetes, Tekton, "
      "Argo, Helm, Dockerfile, shell, Markdown");
  const auto paths = std::make_shared<std::vector<std::string>>();
  const auto as_json = std::make_shared<bool>(false);
  command->add_option("path", *paths, "Files and folders")->required();
  command->add_flag("--json", *as_json, "Print the report as JSON");
  command->callback([&console, paths, as_json] { console.status = run(*paths, *as_json, console); });
}

}  // namespace paddock

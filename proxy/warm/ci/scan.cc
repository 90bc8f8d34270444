#include "proxy/warm/ci/scan.h"

#include <algorithm>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "proxy/warm/ci/compose.h"
#include "proxy/warm/ci/dockerfile.h"
#include "proxy/warm/ci/github_actions.h"
#include "proxy/warm/ci/gitlab_ci.h"
#include "proxy/warm/ci/helm.h"
#include "proxy/warm/ci/jenkinsfile.h"
#include "proxy/warm/ci/kubernetes.h"
#include "proxy/warm/ci/markdown.h"
#include "proxy/warm/ci/recognise.h"
#include "proxy/warm/ci/shell.h"
#include "proxy/warm/ci/workspace.h"

namespace paddock::ci {
namespace {

namespace fs = std::filesystem;

class Scan {
 public:
  explicit Scan(const ScanOptions& options)
      : options_(options), collector_(options.findings_limit), files_(collector_, options.file_limit) {}

  ScanReport run(const std::vector<fs::path>& paths) {
    for (const fs::path& path : paths) add(path);
    scan_pipelines();
    return std::move(collector_).take();
  }

 private:
  void add(const fs::path& path) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      if (const Source* source = files_.load(path, repository_of(path)); source != nullptr && !scan(*source)) {
        collector_.problem(source->name, 0, "not a CI file that is understood here; see `paddock scan --help`");
      }
      return;
    }
    const fs::path root = path.lexically_normal();
    for (const fs::path& file : walk(root, options_.entries_limit, options_.list, collector_)) {
      if (!may_be_ci_file(file)) continue;
      if (const Source* source = files_.load(file, root, !has_telling_name(file))) scan(*source);
    }
  }

  // For a file by itself: the folder with .git above it, or its own.
  static fs::path repository_of(const fs::path& path) {
    std::error_code ignored;
    fs::path own = path.parent_path();
    for (fs::path folder = own; !folder.empty(); folder = folder.parent_path()) {
      if (fs::exists(folder / ".git", ignored)) return folder;
      if (folder == folder.parent_path()) break;
    }
    return own;
  }

  // Whether it was understood.
  bool scan(const Source& source) {
    if (!scanned_.insert(&source).second) return true;
    const auto look = look_at(source.path, source.text);
    if (!look) return false;
    bool understood = true;
    switch (*look) {
      case Look::yaml:
        understood = scan_yaml(source);
        break;
      case Look::helm_template:
        scan_helm_template(source, files_);
        break;
      case Look::jenkinsfile:
        scan_jenkinsfile(source, files_);
        break;
      case Look::dockerfile:
        scan_dockerfile(source.text, source, 1, {}, "", collector_);
        break;
      case Look::shell:
        scan_shell(source);
        break;
      case Look::markdown:
        scan_markdown(source, collector_);
        break;
    }
    if (understood) collector_.count_file();
    return understood;
  }

  bool scan_yaml(const Source& source) {
    bool understood = files_.yaml(source).problem().has_value();  // has been said
    for (const YamlNode* document : files_.yaml(source).documents()) {
      const auto format = recognise_yaml(source.path, *document);
      if (!format) continue;
      understood = true;
      switch (*format) {
        case Format::gitlab_ci:
          add_pipeline(source);
          break;
        case Format::github_actions:
          scan_github(source, *document, files_);
          break;
        case Format::compose:
          scan_compose(source, *document, files_);
          break;
        case Format::kubernetes:
          scan_kubernetes(source, *document, files_);
          break;
        default:
          scan_helm_values(source, *document, collector_);
          break;
      }
    }
    return understood;
  }

  void scan_shell(const Source& source) {
    ShellScanner shell(collector_, {source.name, 0, "", Format::shell}, {});
    shell.scan(source.text, 1);
    shell.finish();
  }

  // Pipelines wait until all are known: what another includes is no pipeline of its own.
  void add_pipeline(const Source& source) {
    if (!contains(pipelines_, &source)) pipelines_.push_back(&source);
  }

  void scan_pipelines() {
    std::vector<std::vector<GitlabPart>> loaded;
    std::set<const Source*> included;
    for (const Source* source : pipelines_) {
      loaded.push_back(load_gitlab(*source, files_));
      for (const GitlabPart& part : loaded.back()) {
        if (part.source != source) included.insert(part.source);
      }
    }
    std::set<const Source*> seen;
    const auto run = [&](std::size_t i) {
      for (const GitlabPart& part : loaded[i]) seen.insert(part.source);
      scan_gitlab(std::move(loaded[i]), files_);
    };
    for (std::size_t i = 0; i < pipelines_.size(); ++i) {
      if (!included.contains(pipelines_[i])) run(i);
    }
    // Those that only include each other.
    for (std::size_t i = 0; i < pipelines_.size(); ++i) {
      if (!seen.contains(pipelines_[i])) run(i);
    }
  }

  const ScanOptions& options_;
  Collector collector_;
  Workspace files_;
  std::set<const Source*> scanned_;
  std::vector<const Source*> pipelines_;
};

}  // namespace

ScanReport scan_paths(const std::vector<fs::path>& paths, const ScanOptions& options) {
  return Scan(options).run(paths);
}

}  // namespace paddock::ci

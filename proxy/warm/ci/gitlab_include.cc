#include "proxy/warm/ci/gitlab_include.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "proxy/oci/printable.h"
#include "proxy/warm/ci/walk.h"

namespace paddock::ci {
namespace {

namespace fs = std::filesystem;
using std::string_view;

constexpr std::size_t parts_limit = 150;  // GitLab's own
constexpr std::size_t glob_entries = 10'000;
constexpr std::size_t glob_limit = 256;  // bytes of a pattern

class Loader {
 public:
  Loader(const Source& top, Workspace& files) : top_(top), files_(files), collector_(files.collector()) {}

  std::vector<GitlabPart> run() {
    load(top_, {});
    return std::move(parts_);
  }

 private:
  void load(const Source& source, Variables given) {
    if (contains(open_, &source)) {
      return collector_.problem(source.name, 1,
                                "includes itself, through " + open_.back()->name + "; take the circle out");
    }
    if (++loads_ > parts_limit) {
      return collector_.problem(top_.name, 1, "more than 150 includes, which GitLab refuses; the rest is left out");
    }
    open_.push_back(&source);
    for (const YamlNode* document : files_.yaml(source).documents()) {
      if (const YamlNode* inputs = document->find_path("spec.inputs")) {
        for (const auto& [name, input] : inputs->entries) {
          const YamlNode* value = input->find("default");
          if (value != nullptr && value->is_scalar()) given.try_emplace(name->text, Readings{{value->text}});
        }
        continue;
      }
      if (const YamlNode* include = document->find("include")) each(source, *include);
      parts_.push_back({&source, document, given});
    }
    open_.pop_back();
  }

  void each(const Source& source, const YamlNode& include) {
    if (!include.is_list()) return one(source, include);
    for (const YamlNode* item : include.items) one(source, *item);
  }

  void one(const Source& source, const YamlNode& include) {
    string_view local = include.is_scalar() ? string_view(include.text) : include.scalar("local");
    const YamlNode* line = include.is_map() && !include.entries.empty() ? include.entries.front().first : &include;
    if (local.contains("://")) return elsewhere(source, *line, "the address " + std::string(local));
    if (!local.empty()) return follow(source, *line, local, include.find("inputs"));
    for (const string_view kind : {"remote", "project", "template", "component"}) {
      const string_view what = include.scalar(kind);
      if (!what.empty()) return elsewhere(source, *line, std::string(kind) + " " + quote(what));
    }
  }

  void elsewhere(const Source& source, const YamlNode& node, const std::string& what) {
    collector_.problem(source.name, node.line,
                       "includes " + what + ", which is not read; scan a copy of that file too");
  }

  void follow(const Source& source, const YamlNode& node, string_view local, const YamlNode* inputs) {
    while (local.starts_with('/')) local.remove_prefix(1);
    if (local.contains('$')) {
      return collector_.problem(source.name, node.line,
                                "includes " + quote(local) + ", known when the pipeline runs; scan that file too");
    }
    Variables given;
    if (inputs != nullptr) {
      for (const auto& [name, value] : inputs->entries) given[name->text] = {{value->text}};
    }
    bool found = false;
    for (const fs::path& path : resolve(local)) {
      const Source* other = files_.load(path, top_.root);
      if (other != nullptr) load(*other, given);
      found = true;
    }
    if (!found) {
      collector_.problem(source.name, node.line, "includes " + quote(local) + ", which is not there; correct the path");
    }
  }

  // The repository's root is the pipeline file's folder, or one above it that was scanned.
  [[nodiscard]] std::vector<fs::path> resolve(string_view local) const {
    const fs::path relative = fs::path(local).lexically_normal();
    if (relative.empty() || *relative.begin() == "..") return {};
    fs::path base = top_.path.parent_path();
    while (true) {
      auto found = below(base, relative);
      if (!found.empty() || base.lexically_normal() == top_.root.lexically_normal() || !base.has_relative_path()) {
        return found;
      }
      base = base.parent_path();
    }
  }

  [[nodiscard]] std::vector<fs::path> below(const fs::path& base, const fs::path& relative) const {
    const std::string pattern = relative.string();
    std::error_code ignored;
    if (!pattern.contains('*')) {
      return fs::is_regular_file(base / relative, ignored) ? std::vector{base / relative} : std::vector<fs::path>();
    }
    fs::path folder = base;
    for (const fs::path& name : relative.parent_path()) {
      if (name.string().contains('*')) break;
      folder /= name;
    }
    if (!fs::is_directory(folder, ignored)) return {};
    auto found = walk(folder, glob_entries, list_folder, collector_);
    std::erase_if(found,
                  [&](const fs::path& path) { return !matches_glob(path.lexically_relative(base).string(), pattern); });
    return found;
  }

  const Source& top_;
  Workspace& files_;
  Collector& collector_;
  std::vector<const Source*> open_;
  std::vector<GitlabPart> parts_;
  std::size_t loads_ = 0;
};

}  // namespace

// row[i]: whether the pattern so far matches the path's first i bytes. So no pattern is slow.
bool matches_glob(string_view path, string_view pattern) {
  if (pattern.size() > glob_limit) return false;
  std::vector<bool> row(path.size() + 1);
  row[0] = true;
  while (!pattern.empty()) {
    std::vector<bool> next(path.size() + 1);
    const bool folders = pattern.starts_with("**/");  // none, or some
    const bool across = pattern.starts_with("**");
    bool before = false;
    for (std::size_t i = 0; i <= path.size(); ++i) {
      const char last = i == 0 ? '\0' : path[i - 1];
      if (folders) {
        next[i] = row[i] || (before && last == '/');
      } else if (pattern.front() == '*') {
        next[i] = row[i] || (i > 0 && next[i - 1] && (across || last != '/'));
      } else {
        next[i] = i > 0 && row[i - 1] && last == pattern.front();
      }
      before = before || row[i];
    }
    row = std::move(next);
    pattern.remove_prefix(folders ? 3 : across ? 2 : 1);
  }
  return row[path.size()];
}

std::vector<GitlabPart> load_gitlab(const Source& source, Workspace& files) { return Loader(source, files).run(); }

}  // namespace paddock::ci

#include "proxy/warm/ci/recognise.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "proxy/oci/ascii.h"
#include "proxy/warm/ci/reading.h"

namespace paddock::ci {
namespace {

using std::string_view;

constexpr std::array<string_view, 46> other_extensions{
    ".c",     ".cc",    ".cpp",   ".cu",  ".cuh",  ".h",   ".hpp", ".py",   ".js",       ".ts",     ".tsx",  ".go",
    ".rs",    ".java",  ".rb",    ".css", ".html", ".svg", ".png", ".jpg",  ".gif",      ".pdf",    ".zip",  ".gz",
    ".tar",   ".xz",    ".so",    ".a",   ".o",    ".bin", ".pt",  ".onnx", ".npy",      ".csv",    ".lock", ".toml",
    ".ipynb", ".cmake", ".proto", ".sum", ".mod",  ".rst", ".pyc", ".whl",  ".pdparams", ".pdmodel"};

std::string lower_name(const std::filesystem::path& path) { return lower_case(path.filename().string()); }

bool has_extension(string_view name, std::initializer_list<string_view> extensions) {
  return std::ranges::any_of(extensions, [&](string_view extension) { return name.ends_with(extension); });
}

// The first line that is neither empty nor a comment of '#' or "//".
string_view first_statement(string_view text) {
  while (!text.empty()) {
    const string_view line = trimmed(text.substr(0, text.find('\n')));
    if (!line.empty() && !line.starts_with('#') && !line.starts_with("//")) return line;
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  }
  return {};
}

bool starts_with_word(string_view line, string_view word) {
  const auto same = [](char a, char b) { return std::toupper(static_cast<unsigned char>(a)) == b; };
  return line.size() > word.size() && std::equal(word.begin(), word.end(), line.begin(), same) &&
         std::isspace(static_cast<unsigned char>(line[word.size()])) != 0;
}

bool looks_like_dockerfile(string_view text) {
  string_view line = first_statement(text);
  if (starts_with_word(line, "FROM")) return !line.ends_with(';') && !line.contains(" import ");
  if (!starts_with_word(line, "ARG")) return false;
  while (starts_with_word(line, "ARG")) {
    text.remove_prefix(static_cast<std::size_t>(line.data() - text.data()) + line.size());
    line = first_statement(text);
  }
  return starts_with_word(line, "FROM");
}

bool looks_like_shell(string_view text) {
  if (!text.starts_with("#!")) return false;
  const string_view line = text.substr(0, text.find('\n'));
  return has_extension(trimmed(line.substr(0, line.find(" -"))), {"/sh", "bash", "dash", "zsh", "ksh"});
}

bool looks_like_jenkinsfile(string_view text) {
  const string_view line = first_statement(text);
  if (line.starts_with("pipeline") && trimmed(line.substr(8)).starts_with('{')) return true;
  const bool groovy = text.starts_with("#!groovy") || text.starts_with("#!/usr/bin/env groovy") ||
                      line.starts_with("@Library") || line.starts_with("podTemplate(") || line.starts_with("node");
  return groovy && (text.contains("node") || text.contains("pipeline {") || text.contains("docker.image("));
}

bool looks_like_yaml(string_view text) {
  const string_view line = first_statement(text);
  if (line.starts_with('{')) return text.contains("\"apiVersion\"");
  if (line.starts_with("---") || line.starts_with("%YAML")) return true;
  const std::size_t colon = line.find(':');
  if (colon == string_view::npos || !is_name(line.substr(0, colon))) return false;
  return std::ranges::any_of(
      std::array<string_view, 7>{"apiVersion:", "image:", "services:", "jobs:", "stages:", "include:", "version:"},
      [&](string_view key) { return line.starts_with(key); });
}

bool is_chart_template(const std::filesystem::path& path) {
  for (auto folder = path.parent_path(); folder.has_filename(); folder = folder.parent_path()) {
    if (folder.filename() != "templates") continue;
    std::error_code ignored;
    return std::filesystem::exists(folder.parent_path() / "Chart.yaml", ignored);
  }
  return false;
}

bool is_gitlab(const std::string& name, const YamlNode& document) {
  if (name.ends_with(".gitlab-ci.yml") || name.ends_with(".gitlab-ci.yaml")) return true;
  if (const YamlNode* stages = document.find("stages"); stages != nullptr && stages->is_list()) return true;
  if (document.find_path("spec.inputs") != nullptr || document.find_path("default.image") != nullptr) return true;
  const bool services = document.find("services") != nullptr && document.find("services")->is_list();
  if (!document.scalar("image").empty() && (services || document.find("before_script") != nullptr)) return true;
  if (services && document.entries.size() == 1) return true;
  if (document.entries.size() == 1 && document.entries.front().first->text == "include") return true;
  return std::ranges::any_of(document.entries, [](const YamlNode::Entry& entry) {
    const YamlNode& job = *entry.second;
    if (job.find("steps") != nullptr || job.find("stages") != nullptr) return false;
    const YamlNode* script = job.find("script");
    const bool runs = script != nullptr && (script->is_list() || script->is_scalar());
    return runs || job.find("trigger") != nullptr || (job.find("extends") != nullptr && job.find("stage") != nullptr) ||
           (entry.first->text.starts_with('.') && job.find("image") != nullptr);
  });
}

bool is_compose(const YamlNode& document) {
  const YamlNode* services = document.find("services");
  if (services == nullptr || !services->is_map()) return false;
  return std::ranges::any_of(services->entries, [](const YamlNode::Entry& entry) {
    return entry.second->find("image") != nullptr || entry.second->find("build") != nullptr ||
           entry.second->find("extends") != nullptr;
  });
}

// An "image" with its parts apart, anywhere.
bool has_image_parts(const YamlNode& node) {
  if (node.find("repository") != nullptr && (node.find("tag") != nullptr || node.find("registry") != nullptr ||
                                             node.find("pullPolicy") != nullptr || node.find("digest") != nullptr)) {
    return true;
  }
  const YamlNode* image = node.find("image");
  if (image != nullptr && image->find("repository") != nullptr) return true;
  return std::ranges::any_of(node.entries, [](const auto& entry) { return has_image_parts(*entry.second); }) ||
         std::ranges::any_of(node.items, [](const auto* item) { return has_image_parts(*item); });
}

bool beside_chart(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path.parent_path() / "Chart.yaml", ignored);
}

}  // namespace

bool may_be_ci_file(const std::filesystem::path& path) {
  const std::string name = lower_name(path);
  if (name.starts_with("dockerfile") || name.starts_with("jenkinsfile")) return true;
  return std::ranges::find(other_extensions, path.extension().string()) == other_extensions.end();
}

bool has_telling_name(const std::filesystem::path& path) {
  const std::string name = lower_name(path);
  return name.starts_with("dockerfile") || name.starts_with("jenkinsfile") ||
         has_extension(name, {".yaml", ".yml", ".sh", ".md"});
}

std::optional<Look> look_at(const std::filesystem::path& path, string_view text) {
  const std::string name = lower_name(path);
  if (has_extension(name, {".yaml", ".yml", ".tpl"})) {
    if (is_chart_template(path)) return Look::helm_template;
    if (!name.ends_with(".tpl")) return Look::yaml;
  }
  if (has_extension(name, {".md", ".markdown", ".mdx"})) return Look::markdown;
  if (name.starts_with("jenkinsfile") || has_extension(name, {".jenkinsfile"})) return Look::jenkinsfile;
  if (name.starts_with("dockerfile") || name.starts_with("containerfile") ||
      has_extension(name, {".dockerfile", ".containerfile"})) {
    return Look::dockerfile;
  }
  if (has_extension(name, {".sh", ".bash"})) return Look::shell;
  if (looks_like_shell(text)) return Look::shell;
  if (looks_like_jenkinsfile(text)) return Look::jenkinsfile;
  if (looks_like_dockerfile(text)) return Look::dockerfile;
  if (looks_like_yaml(text)) return Look::yaml;
  return std::nullopt;
}

std::optional<Format> recognise_yaml(const std::filesystem::path& path, const YamlNode& document) {
  if (!document.is_map()) return std::nullopt;
  const std::string name = lower_name(path);
  if (!document.scalar("apiVersion").empty() && !document.scalar("kind").empty()) return Format::kubernetes;
  const YamlNode* jobs = document.find("jobs");
  const bool workflow = document.find("on") != nullptr || path.parent_path().filename() == "workflows";
  if (jobs != nullptr && jobs->is_map() && workflow) return Format::github_actions;
  if (document.find_path("runs.using") != nullptr) return Format::github_actions;
  if (is_compose(document)) return Format::compose;
  if (is_gitlab(name, document)) return Format::gitlab_ci;
  const bool values = name.starts_with("values") || beside_chart(path);
  if ((values && !name.starts_with("chart.")) || has_image_parts(document)) return Format::helm;
  return std::nullopt;
}

}  // namespace paddock::ci

#include "proxy/warm/ci/gitlab_config.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <ranges>

#include "proxy/oci/printable.h"

namespace paddock::ci {
namespace {

using std::string_view;

constexpr std::size_t layers_limit = 500;
constexpr std::size_t items_limit = 10'000;
constexpr int depth_limit = 10;  // references to references; GitLab's own

bool is_reserved(string_view key) {
  constexpr std::array<string_view, 11> keys{"default",  "include", "stages", "variables",     "workflow",    "image",
                                             "services", "spec",    "cache",  "before_script", "after_script"};
  return contains(keys, key);
}

}  // namespace

GitlabConfig::GitlabConfig(std::vector<GitlabPart> parts, Collector& collector)
    : parts_(std::move(parts)), collector_(collector) {
  for (const GitlabPart& part : std::views::reverse(parts_)) {
    std::set<string_view> here;  // of a key given twice the last counts
    for (const auto& [key, value] : std::views::reverse(part.document->entries)) {
      if (here.insert(key->text).second && value->is_map()) top_level_[key->text].push_back(value);
    }
  }
}

std::vector<std::string> GitlabConfig::jobs() const {
  std::vector<std::string> names;
  std::set<string_view> seen;
  for (const GitlabPart& part : parts_) {
    for (const auto& [key, value] : part.document->entries) {
      const bool job = value->is_map() && !is_reserved(key->text);
      if (job && seen.insert(key->text).second) names.push_back(key->text);
    }
  }
  return names;
}

const Layers& GitlabConfig::own_layers(string_view key) const {
  static const Layers none;
  const auto found = top_level_.find(key);
  return found == top_level_.end() ? none : found->second;
}

Layers GitlabConfig::job_layers(const std::string& job) const {
  Layers layers;
  std::vector<std::string> open;
  extend(job, open, layers);
  return layers;
}

void GitlabConfig::extend(const std::string& job, std::vector<std::string>& open, Layers& out) const {
  const Layers& own = own_layers(job);
  if (own.empty() || out.size() + own.size() > layers_limit) return;
  const auto say = [&](const std::string& message) {
    collector_.problem(*own.front()->file, own.front()->line, message);
  };
  if (contains(open, job))
    return say(quote(job) + " extends itself, through " + quote(open.back()) + "; take the circle out");
  if (open.size() > depth_limit) return say(quote(job) + " is extended over more than 10 levels, which GitLab refuses");
  out.insert(out.end(), own.begin(), own.end());
  const YamlNode* extends = lookup(own, "extends");
  if (extends == nullptr) return;
  open.push_back(job);
  // The last that is named counts most.
  const auto parents = flatten(extends);
  for (const YamlNode* parent : std::views::reverse(parents)) {
    if (own_layers(parent->text).empty()) {
      collector_.problem(*parent->file, parent->line,
                         quote(job) + " extends " + quote(parent->text) + ", which is not there; correct the name");
    }
    extend(parent->text, open, out);
  }
  open.pop_back();
}

const YamlNode* GitlabConfig::top(string_view key) const {
  for (const GitlabPart& part : std::views::reverse(parts_)) {
    if (const YamlNode* node = part.document->find(key)) return follow(node);
  }
  return nullptr;
}

const YamlNode* GitlabConfig::lookup(const Layers& layers, string_view key) const {
  for (const YamlNode* layer : layers) {
    if (const YamlNode* node = layer->find(key)) return follow(node);
  }
  return nullptr;
}

// !reference [job, key, ...]
const YamlNode* GitlabConfig::follow(const YamlNode* node, int depth) const {
  if (node == nullptr || node->tag != "!reference" || node->items.empty()) return node;
  const YamlNode* found = nullptr;
  if (depth >= depth_limit) {
    collector_.problem(*node->file, node->line, "!reference leads in a circle, or over more than 10 steps; shorten it");
    return nullptr;
  }
  if (node->items.size() == 1) found = top(node->items.front()->text);
  for (const YamlNode* layer : node->items.size() > 1 ? own_layers(node->items.front()->text) : Layers()) {
    found = layer;
    for (std::size_t i = 1; i < node->items.size() && found != nullptr; ++i) {
      found = follow(found->find(node->items[i]->text), depth + 1);
    }
    if (found != nullptr) break;
  }
  if (found == nullptr) {
    collector_.problem(*node->file, node->line, "!reference to what is not there; correct the names");
  }
  return follow(found, depth + 1);
}

std::vector<const YamlNode*> GitlabConfig::flatten(const YamlNode* node) const {
  std::vector<const YamlNode*> out;
  flatten(node, 0, out);
  return out;
}

void GitlabConfig::flatten(const YamlNode* node, int depth, std::vector<const YamlNode*>& out) const {
  node = follow(node, depth);
  if (node == nullptr || depth > depth_limit || out.size() > items_limit) return;
  if (!node->is_list()) {
    out.push_back(node);
    return;
  }
  for (const YamlNode* item : node->items) flatten(item, depth + 1, out);
}

}  // namespace paddock::ci

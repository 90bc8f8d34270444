#include "proxy/warm/ci/gitlab_variables.h"

#include <algorithm>
#include <cstddef>
#include <ranges>

namespace paddock::ci {
namespace {

using std::string_view;

constexpr std::size_t matrix_limit = 200;     // GitLab's own
constexpr std::size_t variants_limit = 1000;  // with the rules'
constexpr int depth_limit = 16;               // variables in variables
constexpr int lookups_limit = 10'000;         // of one text

constexpr auto same_value = [](const auto& one, const auto& other) {
  const bool same_text = one.second->is_scalar() && other.second->is_scalar() && one.second->text == other.second->text;
  return one.first == other.first && (one.second == other.second || same_text);
};

bool is_predefined(string_view name) { return name.starts_with("CI_") || name.starts_with("GITLAB_"); }

}  // namespace

GitlabInputs::GitlabInputs(const std::vector<GitlabPart>& parts) {
  for (const GitlabPart& part : parts) {
    for (const auto& [name, readings] : part.inputs) {
      Readings& all = values_[name];
      for (const Reading& reading : readings) {
        if (!contains(all, reading.text, &Reading::text)) all.push_back(reading);
      }
    }
  }
}

Readings GitlabInputs::expand(string_view text) const {
  return expand_marked(text, "$[[", "]]", [this](string_view inner) -> Readings {
    const string_view name = trimmed(inner.substr(0, inner.find('|')));
    const auto found = name.starts_with("inputs.") ? values_.find(name.substr(7)) : values_.end();
    if (found != values_.end()) return found->second;
    return {Reading::not_known(UnresolvedKind::unset_variable,
                               std::string(name) + " has no default, and no file that includes this one gives it")};
  });
}

GitlabVariables::GitlabVariables(const GitlabConfig& config, const Layers& layers, const GitlabInputs& inputs,
                                 bool with_globals)
    : config_(config), inputs_(inputs) {
  for (const YamlNode* layer : layers) maps_.push_back(config.follow(layer->find("variables")));
  for (const GitlabPart& part : std::views::reverse(config.parts())) {
    if (with_globals) maps_.push_back(config.follow(part.document->find("variables")));
  }
  const YamlNode* parallel = config.lookup(layers, "parallel");
  if (parallel != nullptr) multiply(matrix(config.follow(parallel->find("matrix"))));
  if (const YamlNode* workflow = config.top("workflow")) multiply(rules(config.follow(workflow->find("rules"))));
  multiply(rules(config.lookup(layers, "rules")));
}

void GitlabVariables::multiply(const std::vector<Values>& alternatives) {
  if (alternatives.empty()) return;
  if (variants_.size() * alternatives.size() > variants_limit) {
    too_many_ = true;
    return;
  }
  std::vector<Values> next;
  for (const Values& variant : variants_) {
    for (const Values& alternative : alternatives) {
      Values& both = next.emplace_back(variant);
      for (const auto& [name, value] : alternative) both[name] = value;
    }
  }
  variants_ = std::move(next);
}

// matrix: [{A: [1, 2], B: 3}, ...]: the products of each mapping's lists.
std::vector<GitlabVariables::Values> GitlabVariables::matrix(const YamlNode* list) const {
  std::vector<Values> all;
  for (const YamlNode* item : config_.flatten(list)) {
    std::vector<Values> products{{}};
    for (const auto& [name, value] : item->entries) {
      std::vector<Values> next;
      for (const Values& product : products) {
        for (const YamlNode* one : config_.flatten(value)) {
          if (next.size() <= matrix_limit) next.emplace_back(product)[name->text] = one;
        }
      }
      products = std::move(next);
    }
    std::ranges::copy(products, std::back_inserter(all));
    if (all.size() > matrix_limit) break;
  }
  return all;
}

// Any rule may be the one that applies; one that sets nothing leaves the variables as they are.
std::vector<GitlabVariables::Values> GitlabVariables::rules(const YamlNode* list) const {
  std::vector<Values> all;
  for (const YamlNode* rule : config_.flatten(list)) {
    const YamlNode* variables = rule->find("variables");
    if (rule->scalar("when") == "never") continue;
    Values values;
    if (variables != nullptr) {
      for (const auto& [name, value] : variables->entries) values[name->text] = value;
    }
    const auto is_same = [&](const Values& other) { return std::ranges::equal(values, other, same_value); };
    if (std::ranges::none_of(all, is_same)) all.push_back(std::move(values));
  }
  return all;
}

Readings GitlabVariables::expand(string_view text) const {
  lookups_ = 0;
  return expand(text, 0);
}

std::optional<Readings> GitlabVariables::find(string_view name) const {
  lookups_ = 0;
  return find(name, 0);
}

Readings GitlabVariables::expand(string_view text, int depth) const {
  return inputs_.budget().within([&] {
    Readings out;
    for (Reading& reading : inputs_.expand(text)) {
      if (reading.unknown) {
        out.push_back(std::move(reading));
        continue;
      }
      const auto expanded =
          expand_variables(reading.text, Dialect::gitlab, [&](string_view name) { return find(name, depth + 1); });
      std::ranges::copy(expanded, std::back_inserter(out));
      if (out.size() > readings_limit) break;  // which makes them too many
    }
    return out;
  });
}

std::optional<Readings> GitlabVariables::find(string_view name, int depth) const {
  if (depth > depth_limit || ++lookups_ > lookups_limit) {
    return Readings{Reading::not_known(UnresolvedKind::expression, "its variables name each other in a circle")};
  }
  const YamlNode* value = config_.follow(value_of(name));
  if (value == nullptr) {
    if (!is_predefined(name)) return std::nullopt;
    return Readings{
        Reading::not_known(UnresolvedKind::run_time, "GitLab sets " + std::string(name) + " when the job runs")};
  }
  if (value->is_map()) value = config_.follow(value->find("value"));
  if (value == nullptr || !value->is_scalar()) return std::nullopt;
  return expand(value->text, depth);
}

const YamlNode* GitlabVariables::value_of(string_view name) const {
  const auto found = variants_[variant_].find(name);
  if (found != variants_[variant_].end()) return found->second;
  for (const YamlNode* map : maps_) {
    const YamlNode* value = map == nullptr ? nullptr : map->find(name);
    if (value != nullptr) return value;
  }
  return nullptr;
}

}  // namespace paddock::ci

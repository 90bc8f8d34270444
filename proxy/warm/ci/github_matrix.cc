#include "proxy/warm/ci/github_matrix.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>

namespace paddock::ci {
namespace {

constexpr std::size_t combinations_limit = 256;

// Scalars by their text; mappings by what they hold, as far as `wanted` asks.
bool matches(const YamlNode& value, const YamlNode& wanted) {
  if (wanted.is_scalar() || value.is_scalar()) return value.kind == wanted.kind && value.text == wanted.text;
  return std::ranges::all_of(wanted.entries, [&](const YamlNode::Entry& entry) {
    const YamlNode* found = value.find(entry.first->text);
    return found != nullptr && matches(*found, *entry.second);
  });
}

bool is_excluded(const Combination& combination, const YamlNode* exclude) {
  if (exclude == nullptr) return false;
  return std::ranges::any_of(exclude->items, [&](const YamlNode* item) {
    return !item->entries.empty() && std::ranges::all_of(item->entries, [&](const YamlNode::Entry& entry) {
      const auto found = combination.find(entry.first->text);
      return found != combination.end() && matches(*found->second, *entry.second);
    });
  });
}

// Adds to every combination whose original values it does not change; to none: it is one of its own.
void include(const YamlNode& item, const std::set<std::string, std::less<>>& axes, std::size_t originals,
             std::vector<Combination>& combinations) {
  bool added = false;
  for (std::size_t i = 0; i < originals; ++i) {
    Combination& combination = combinations[i];
    const bool fits = std::ranges::all_of(item.entries, [&](const YamlNode::Entry& entry) {
      return !axes.contains(entry.first->text) || matches(*combination.at(entry.first->text), *entry.second);
    });
    if (!fits) continue;
    added = true;
    for (const auto& [key, value] : item.entries) combination[key->text] = value;
  }
  if (added) return;
  Combination own;
  for (const auto& [key, value] : item.entries) own[key->text] = value;
  combinations.push_back(std::move(own));
}

}  // namespace

Matrix read_matrix(const YamlNode* matrix) {
  Matrix out{{Combination()}};
  if (matrix == nullptr) return out;
  if (matrix->is_scalar()) {
    out.expression = matrix;
    return out;
  }
  std::set<std::string, std::less<>> axes;
  for (const auto& [key, values] : matrix->entries) {
    if (key->text == "include" || key->text == "exclude") continue;
    axes.insert(key->text);
    std::vector<Combination> next;
    // A scalar is an expression for the whole list.
    const std::vector<const YamlNode*> items = values->is_list() ? values->items : std::vector{values};
    if (out.combinations.size() * items.size() > combinations_limit) {
      out.too_many = true;
      return out;
    }
    for (const Combination& combination : out.combinations) {
      for (const YamlNode* item : items) {
        next.push_back(combination);
        next.back()[key->text] = item;
      }
    }
    out.combinations = std::move(next);
  }
  std::erase_if(out.combinations, [&](const Combination& one) { return is_excluded(one, matrix->find("exclude")); });
  const YamlNode* includes = matrix->find("include");
  if (axes.empty() && includes != nullptr) out.combinations.clear();
  const std::size_t originals = out.combinations.size();
  if (includes == nullptr) return out;
  if (includes->is_scalar()) out.expression = includes;
  for (const YamlNode* item : includes->items) {
    if (out.combinations.size() >= combinations_limit) out.too_many = true;
    if (!out.too_many) include(*item, axes, originals, out.combinations);
  }
  return out;
}

}  // namespace paddock::ci

#include "proxy/warm/rule_match.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "proxy/oci/printable.h"

namespace paddock {
namespace {

struct Matched {
  std::string tag;
  std::optional<Version> version;
};

bool is_newer(const Matched& a, const Matched& b) {
  const auto order = a.version <=> b.version;  // without one comes last
  return order == 0 ? a.tag < b.tag : order > 0;
}

// The tags of a list that a glob matches. `used` notes which patterns matched one.
std::vector<std::string> globbed(const RuleSelection& rule, const RepositoryTags& list, std::vector<bool>& used) {
  std::vector<std::size_t> patterns;
  for (std::size_t i = 0; i < rule.images.size(); ++i) {
    const ImagePattern& pattern = rule.images[i];
    if (!pattern.is_fixed() && pattern.matches_repository(list.registry, list.repository)) patterns.push_back(i);
  }
  std::vector<std::string> tags;
  for (const std::string& tag : list.tags) {
    bool matches = false;
    for (const std::size_t i : patterns) {
      if (!rule.images[i].matches_tag(tag)) continue;
      used[i] = true;
      matches = true;
    }
    if (matches) tags.push_back(tag);
  }
  return tags;
}

void keep_latest(std::vector<Matched>& sorted, std::size_t latest) {
  std::erase_if(sorted, [](const Matched& tag) { return !tag.version || tag.version->is_latest(); });
  std::size_t versions = 0;
  const Version* last = nullptr;
  const auto end = std::ranges::find_if(sorted, [&](const Matched& tag) {
    if (last == nullptr || *last != *tag.version) ++versions;
    last = &*tag.version;
    return versions > latest;
  });
  sorted.erase(end, sorted.end());
}

std::vector<Matched> matched(const RuleSelection& rule, const RepositoryTags& list, std::vector<bool>& used) {
  std::vector<Matched> tags;
  for (std::string& tag : globbed(rule, list, used)) {
    TagFields fields = parse_tag(list.repository, tag);
    if (rule.where.matches(fields)) tags.push_back({std::move(tag), std::move(fields.version)});
  }
  std::ranges::sort(tags, is_newer);
  if (rule.latest > 0) keep_latest(tags, rule.latest);
  return tags;
}

Error too_many(const RuleSelection& rule, std::size_t count) {
  const std::string total = std::to_string(count);
  return {ErrorCode::too_large, Blame::client,
          "rule " + quote(rule.rule) + " means " + total + " images, more than " + std::to_string(rule.max_images) +
              "; narrow it by images, where or latest, or allow it with limit: " + total};
}

}  // namespace

Result<RuleMatch> match_rule(const RuleSelection& rule, std::span<const RepositoryTags> lists) {
  RuleMatch match;
  std::set<std::string> seen;
  const auto add = [&](ImageReference reference) {
    if (seen.insert(reference.to_string()).second) match.images.push_back(std::move(reference));
  };
  for (const ImagePattern& pattern : rule.images) {
    if (pattern.is_fixed()) add(pattern.reference());
  }
  std::vector<bool> used(rule.images.size(), false);
  for (const RepositoryTags& list : lists) {
    for (Matched& tag : matched(rule, list, used)) {
      add({list.registry, list.repository, std::move(tag.tag), std::nullopt});
    }
  }
  if (match.images.size() > rule.max_images) return std::unexpected(too_many(rule, match.images.size()));
  for (std::size_t i = 0; i < rule.images.size(); ++i) {
    if (!used[i] && !rule.images[i].is_fixed()) match.without_match.push_back(rule.images[i].text);
  }
  return match;
}

}  // namespace paddock

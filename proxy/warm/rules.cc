#include "proxy/warm/rules.h"

#include <algorithm>
#include <set>
#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>
#include <utility>

#include "proxy/upstream/private_key.h"
#include "proxy/warm/ci/scan.h"

namespace paddock {
namespace {

constexpr std::size_t repository_limit = 100;  // that one pattern may mean

std::string names_of(const RuleSet& rules) {
  std::string names;
  for (const auto& [name, rule] : rules) names += (names.empty() ? "; there are " : ", ") + name;
  return names.empty() ? "; none is configured" : names;
}

std::vector<std::string> names_of(const RuleMatch& matched) {
  std::vector<std::string> names;
  names.reserve(matched.images.size());
  for (const auto& image : matched.images) names.push_back(image.to_string());
  return names;
}

Result<std::vector<std::string>> matching(const RuleSelection& selection, const std::vector<PulledTags>& pulled) {
  std::vector<RepositoryTags> lists;
  lists.reserve(pulled.size());
  for (const auto& [repository, tags] : pulled) lists.push_back({repository.upstream, repository.repository, tags});
  const auto matched = match_rule(selection, lists);
  if (!matched) return std::unexpected(matched.error());
  return names_of(*matched);
}

// Images of CI files that nothing here is the upstream of are of no concern to this cache.
std::vector<std::string> images_in(const std::vector<std::filesystem::path>& paths, const UpstreamSelector& selector) {
  const auto report = ci::scan_paths(paths);
  for (const auto& problem : report.problems) {
    spdlog::warn("{}:{}: {}", problem.file, problem.line, problem.message);
  }
  std::vector<std::string> images;
  for (const auto& finding : ci::unique_images(report)) {
    const auto reference = parse_image_reference(finding.reference);
    if (!reference) continue;
    const auto& registry = reference->registry;
    if (registry && !selector.select({*registry, "", ""}, reference->repository)) continue;
    images.push_back(finding.reference);
  }
  return images;
}

}  // namespace

Rules::Rules(Parts parts, RuleSet rules) : parts_(parts) { replace(std::move(rules)); }

void Rules::replace(RuleSet rules) {
  std::chrono::days kept{0};
  for (const auto& [name, rule] : rules) {
    if (rule.learning) kept = std::max(kept, rule.learning->within);
  }
  parts_.pulls.keep(kept);
  auto made = std::make_shared<const RuleSet>(std::move(rules));
  const MutexLock lock(mutex_);
  rules_ = std::move(made);
}

std::shared_ptr<const RuleSet> Rules::get() const {
  const MutexLock lock(mutex_);
  return rules_;
}

Result<WarmRule> Rules::find(const std::string& name) const {
  const auto rules = get();
  const auto found = rules->find(name);
  if (found != rules->end()) return found->second;
  return fail(ErrorCode::not_found, Blame::client, "no rule has this name" + names_of(*rules));
}

Result<void> Rules::fill_in(WarmRequest& request) const {
  if (request.rule.empty()) return {};
  auto rule = find(request.rule);
  if (!rule) return std::unexpected(std::move(rule).error());
  if (request.platforms.empty()) request.platforms = std::move(rule->platforms);
  if (request.pin.count() == 0) request.pin = rule->pin;
  if (!rule->from_ci.empty()) request.ours_only = true;
  // CI files may be out of reach for a moment, and what is due now is not all that a rule means.
  request.displaces = rule->selection.latest > 0 && rule->from_ci.empty() && request.images.empty();
  return {};
}

Task<Result<std::vector<std::string>>> Rules::expand(std::string name) const {
  auto rule = find(name);
  if (!rule) co_return std::unexpected(std::move(rule).error());
  if (rule->learning) {
    co_return co_await parts_.pool.run(
        [this, &rule] { return matching(rule->selection, parts_.pulls.pulled(rule->learning->within)); });
  }
  const auto tags = co_await list(rule->selection);
  if (!tags) co_return std::unexpected(tags.error());
  const auto matched = co_await parts_.pool.run([&rule, &tags] { return match_rule(rule->selection, *tags); });
  if (!matched) co_return std::unexpected(matched.error());
  for (const auto& pattern : matched->without_match) {
    spdlog::warn("rule {}: no tag matches {}", name, pattern);
  }
  auto images = names_of(*matched);
  if (!rule->from_ci.empty()) {
    const auto set = parts_.upstreams.get();
    auto found = co_await parts_.pool.run(
        [&rule, &set]() -> Result<std::vector<std::string>> { return images_in(rule->from_ci, set->selector); });
    if (!found) co_return std::unexpected(std::move(found).error());
    for (auto& image : *found) {
      if (std::ranges::find(images, image) == images.end()) images.push_back(std::move(image));
    }
  }
  if (images.size() > rule->selection.max_images) {
    co_return fail(
        ErrorCode::too_large, Blame::client,
        "it means " + std::to_string(images.size()) + " images, more than its limit: narrow it, or raise limit");
  }
  co_return images;
}

// What was usual in hours that are over is of no use now.
Result<std::vector<std::string>> Rules::due(const WarmRule& rule, WallTime covered, WallTime now) const {
  const auto& [within, ahead] = *rule.learning;
  const auto last = parts_.pulls.hour_of(now + ahead);
  auto hour = std::max(parts_.pulls.hour_of(covered) + std::chrono::hours(1), parts_.pulls.hour_of(now));
  std::vector<std::string> images;
  for (; hour <= last; hour += std::chrono::hours(1)) {
    const auto usual = matching(rule.selection, parts_.pulls.usual(hour, within));
    if (!usual) return std::unexpected(usual.error());
    std::ranges::copy_if(*usual, std::back_inserter(images),
                         [&](const auto& image) { return std::ranges::find(images, image) == images.end(); });
  }
  if (images.size() > rule.selection.max_images) {
    return fail(ErrorCode::too_large, Blame::client,
                fmt::format("{} images are due at once, more than its limit", images.size()));
  }
  return images;
}

Task<Result<std::vector<RepositoryTags>>> Rules::list(const RuleSelection& selection) const {
  std::set<RepositoryKey> wanted;
  for (const auto& pattern : selection.images) {
    if (pattern.is_fixed()) continue;
    auto found = co_await repositories(pattern);
    if (!found) co_return std::unexpected(std::move(found).error());
    wanted.insert(found->begin(), found->end());
  }
  const auto set = parts_.upstreams.get();
  std::vector<RepositoryTags> lists;
  for (const auto& repository : wanted) {
    auto tags = co_await parts_.lists.get(set->entries.at(repository.upstream).upstream, repository);
    if (!tags) co_return std::unexpected(std::move(tags).error().with("listing the tags of " + repository.repository));
    lists.push_back({repository.upstream, repository.repository, **tags});
  }
  co_return lists;
}

// Upstreams do not tell which repositories they have: of a pattern over repositories, those that are known here.
Task<Result<std::vector<RepositoryKey>>> Rules::repositories(const ImagePattern& pattern) const {
  const auto set = parts_.upstreams.get();
  if (!set->entries.contains(pattern.registry)) {
    co_return fail(ErrorCode::not_found, Blame::client, pattern.text + ": no upstream is named " + pattern.registry);
  }
  if (pattern.names_one_repository()) {
    const auto target = set->selector.select({pattern.registry, "", ""}, pattern.repository);
    if (!target) co_return std::unexpected(target.error());
    co_return std::vector<RepositoryKey>{{target->upstream, target->repository}};
  }
  co_return co_await parts_.pool.run([this, &pattern]() -> Result<std::vector<RepositoryKey>> {
    constexpr std::size_t page = 1000;
    std::vector<RepositoryKey> found;
    std::optional<RepositoryKey> last;
    for (bool more = true; more;) {
      const auto keys = parts_.catalog.repositories(last, page);
      if (!keys) return std::unexpected(keys.error());
      std::ranges::copy_if(*keys, std::back_inserter(found), [&](const RepositoryKey& key) {
        return !is_private(key.repository) && pattern.matches_repository(key.upstream, key.repository);
      });
      if (found.size() > repository_limit) {
        return fail(ErrorCode::too_large, Blame::client, pattern.text + " means more than 100 repositories");
      }
      more = keys->size() == page;
      if (more) last = keys->back();
    }
    return found;
  });
}

}  // namespace paddock

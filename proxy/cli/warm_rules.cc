#include "proxy/cli/warm_rules.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace paddock {
namespace {

constexpr std::uint32_t most_images = 10'000;

class Reading {
 public:
  Reading(const config::Config& config, std::vector<std::string>& problems) : config_(config), problems_(problems) {
    const auto found = std::ranges::find_if(config.upstreams, &config::UpstreamOptions::is_default);
    if (found != config.upstreams.end()) default_upstream_ = found->name;
  }

  WarmRule rule(const config::WarmRule& from, const std::string& place) {
    WarmRule rule{
        .selection = {.rule = from.name, .images = {}, .where = {}, .latest = from.latest, .max_images = from.limit},
        .platforms = from.platforms,
        .pin = from.pin};
    for (std::size_t i = 0; i < from.images.size(); ++i) {
      take(ImagePattern::parse(from.images[i], default_upstream_), fmt::format("{}.images[{}]", place, i),
           [&](ImagePattern pattern) { add(std::move(pattern), fmt::format("{}.images[{}]", place, i), rule); });
    }
    take(TagFilter::parse(from.where), place + ".where",
         [&](TagFilter where) { rule.selection.where = std::move(where); });
    if (!from.schedule.empty()) {
      take(Schedule::parse(from.schedule), place + ".schedule",
           [&](Schedule schedule) { rule.schedule = std::move(schedule); });
    }
    for (const auto& path : from.from_ci) rule.from_ci.emplace_back(path);
    if (from.images.empty() && from.from_ci.empty())
      problems_.push_back(place + ": it names neither images nor from_ci");
    if (from.limit < 1 || from.limit > most_images) {
      problems_.push_back(fmt::format("{}.limit: is not between 1 and {}", place, most_images));
    }
    return rule;
  }

 private:
  template <typename T, typename F>
  void take(Result<T> parsed, const std::string& place, F keep) {
    if (parsed) {
      keep(*std::move(parsed));
    } else {
      problems_.push_back(place + ": " + parsed.error().context);
    }
  }
  void add(ImagePattern pattern, const std::string& place, WarmRule& rule) {
    const auto known = [&](const auto& upstream) { return upstream.name == pattern.registry; };
    if (std::ranges::none_of(config_.upstreams, known)) {
      problems_.push_back(fmt::format("{}: no upstream is named '{}'", place, pattern.registry));
    }
    rule.selection.images.push_back(std::move(pattern));
  }

  const config::Config& config_;
  std::vector<std::string>& problems_;
  std::string default_upstream_;
};

RuleSet read(const config::Config& config, std::vector<std::string>& problems) {
  RuleSet rules;
  Reading reading(config, problems);
  for (std::size_t i = 0; i < config.warm.size(); ++i) {
    rules.insert_or_assign(config.warm[i].name, reading.rule(config.warm[i], fmt::format("warm[{}]", i)));
  }
  return rules;
}

}  // namespace

Result<RuleSet> make_rules(const config::Config& config) {
  std::vector<std::string> problems;
  auto rules = read(config, problems);
  if (problems.empty()) return rules;
  return fail(ErrorCode::invalid_argument, Blame::us, problems.front());
}

std::vector<std::string> rule_problems(const config::Config& config) {
  std::vector<std::string> problems;
  (void)read(config, problems);
  return problems;
}

}  // namespace paddock

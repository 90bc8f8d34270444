#include "proxy/cli/warm_rules.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace paddock {
namespace {

constexpr std::uint32_t most_images = 10'000, most_learned = 1'000;
constexpr std::chrono::days shortest_memory{7}, longest_memory{56};
constexpr std::chrono::minutes least_ahead{1}, most_ahead{720};

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
    if (from.learn.count() != 0) {
      add_learning(from, place, rule);
    } else if (from.images.empty() && from.from_ci.empty()) {
      problems_.push_back(place + ": it names neither images nor from_ci, nor does it learn");
    }
    if (from.learn.count() == 0 && from.ahead != config::WarmRule{}.ahead) {
      problems_.push_back(place + ".ahead: means nothing without learn");
    }
    const auto most = rule.learning ? most_learned : most_images;
    if (from.limit < 1 || from.limit > most) {
      problems_.push_back(fmt::format("{}.limit: is not between 1 and {}", place, most));
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
  // Without images, all that is pulled.
  void add_learning(const config::WarmRule& from, const std::string& place, WarmRule& rule) {
    using std::chrono::floor, std::chrono::days, std::chrono::minutes;
    if (from.learn < shortest_memory || from.learn > longest_memory) {
      problems_.push_back(place + ".learn: is not between 7d and 56d");
    }
    if (from.ahead < least_ahead || from.ahead > most_ahead) {
      problems_.push_back(place + ".ahead: is not between 1m and 12h");
    }
    if (!from.schedule.empty()) problems_.push_back(place + ".schedule: a rule that learns finds its times itself");
    if (!from.from_ci.empty())
      problems_.push_back(place + ".from_ci: give it a rule of its own, one that does not learn");
    for (std::size_t i = 0; i < rule.selection.images.size(); ++i) {
      if (!rule.selection.images[i].is_fixed()) continue;
      problems_.push_back(fmt::format("{}.images[{}]: names one image: give it a rule that does not learn", place, i));
    }
    if (from.images.empty()) {
      for (const auto& upstream : config_.upstreams) {
        rule.selection.images.push_back(
            {.text = upstream.name, .registry = upstream.name, .repository = "**", .tag = "*", .digest = {}});
      }
    }
    rule.learning = {.within = floor<days>(from.learn), .ahead = from.ahead};
    const auto minute = (60 - floor<minutes>(from.ahead).count() % 60) % 60;
    take(Schedule::parse(fmt::format("{} * * * *", minute)), place + ".ahead",
         [&](Schedule schedule) { rule.schedule = std::move(schedule); });
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

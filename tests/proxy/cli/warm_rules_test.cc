#include "proxy/cli/warm_rules.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

using Catch::Matchers::Contains;

config::WarmRule good() {
  config::WarmRule rule;
  rule.name = "nightly";
  rule.images = {"paddlepaddle/paddle", "docker.io/library/redis:7"};
  rule.where = "cuda >= 11.7";
  rule.latest = 2;
  rule.schedule = "0 */6 * * *";
  rule.pin = std::chrono::hours(1);
  rule.from_ci = {"/srv/ci"};
  return rule;
}

void learns(config::WarmRule& rule) {
  rule = {};
  rule.name = "usual";
  rule.learn = std::chrono::days(28);
}

TEST_CASE("a rule is made ready with all it says") {
  config::Config config;
  config.warm = {good()};
  const auto rules = make_rules(config).value();
  const auto& rule = rules.at("nightly");
  REQUIRE(rule.selection.images.size() == 2);
  CHECK(rule.selection.images[0].registry == "registry.baidubce.com");
  CHECK(rule.selection.images[1].registry == "docker.io");
  CHECK(rule.selection.latest == 2);
  CHECK(rule.selection.max_images == 100);
  CHECK(rule.selection.where.text() == "cuda >= 11.7");
  CHECK(rule.schedule->text() == "0 */6 * * *");
  CHECK(rule.pin == std::chrono::hours(1));
  CHECK(rule.from_ci.size() == 1);
  CHECK(rule_problems(config).empty());
}

TEST_CASE("without a schedule a rule is run by hand") {
  config::Config config;
  config.warm = {good()};
  config.warm[0].schedule.clear();
  CHECK_FALSE(make_rules(config)->at("nightly").schedule);
}

TEST_CASE("a rule that learns has times of its own, and without images means all that is pulled") {
  config::Config config;
  config::WarmRule rule;
  rule.name = "usual";
  rule.learn = std::chrono::days(14);
  rule.ahead = std::chrono::minutes(90);
  config.warm = {rule};
  CHECK(rule_problems(config).empty());
  const auto made = make_rules(config)->at("usual");
  CHECK(made.learning->within == std::chrono::days(14));
  CHECK(made.learning->ahead == std::chrono::minutes(90));
  CHECK(made.schedule->text() == "30 * * * *");
  CHECK(made.selection.images.size() == config.upstreams.size());
  CHECK(made.selection.images.at(0).matches_repository("registry.baidubce.com", "paddlepaddle/paddle"));
  CHECK(made.selection.images.at(0).matches_tag("2.6.2"));
  CHECK_FALSE(made.selection.images.at(0).is_fixed());
  config.upstreams[0].name = "hub";  // a word that could be a repository's
  CHECK(make_rules(config)->at("usual").selection.images.at(0).matches_repository("hub", "paddlepaddle/paddle"));
  config.warm[0].images = {"paddlepaddle/*"};
  CHECK(make_rules(config)->at("usual").selection.images.size() == 1);
}

TEST_CASE("what is wrong with a rule is said with its place") {
  struct Case {
    void (*change)(config::WarmRule&);
    std::string said;
  };
  const auto c = GENERATE(values<Case>({
      {[](auto& rule) { rule.images[1] = "Not An Image"; }, "warm[1].images[1]: "},
      {[](auto& rule) { rule.images[0] = "ghcr.io/a/b"; }, "warm[1].images[0]: no upstream is named 'ghcr.io'"},
      {[](auto& rule) { rule.where = "cuda >>= 1"; }, "warm[1].where: "},
      {[](auto& rule) { rule.schedule = "every day"; }, "warm[1].schedule: "},
      {[](auto& rule) { rule.schedule = "0 0 31 2 *"; }, "warm[1].schedule: "},
      {[](auto& rule) { rule.limit = 0; }, "warm[1].limit: "},
      {[](auto& rule) { rule.limit = 100'000; }, "warm[1].limit: "},
      {[](auto& rule) { learns(rule), rule.learn = std::chrono::days(6); }, "warm[1].learn: is not between"},
      {[](auto& rule) { learns(rule), rule.learn = std::chrono::days(57); }, "warm[1].learn: is not between"},
      {[](auto& rule) { learns(rule), rule.ahead = std::chrono::seconds(59); }, "warm[1].ahead: is not between"},
      {[](auto& rule) { learns(rule), rule.ahead = std::chrono::hours(13); }, "warm[1].ahead: is not between"},
      {[](auto& rule) { rule.ahead = std::chrono::hours(2); }, "warm[1].ahead: means nothing without learn"},
      {[](auto& rule) { learns(rule), rule.limit = 1001; }, "warm[1].limit: is not between 1 and 1000"},
      {[](auto& rule) { learns(rule), rule.schedule = "@daily"; }, "warm[1].schedule: a rule that learns"},
      {[](auto& rule) { learns(rule), rule.from_ci = {"/srv"}; }, "warm[1].from_ci: "},
      {[](auto& rule) { learns(rule), rule.images = {"paddlepaddle/paddle:1"}; }, "warm[1].images[0]: names one image"},
      {[](auto& rule) { rule.images.clear(), rule.from_ci.clear(); }, "warm[1]: "},
  }));
  config::Config config;
  config.warm = {good(), good()};
  config.warm[0].name = "first";
  c.change(config.warm[1]);
  const auto problems = rule_problems(config);
  REQUIRE(problems.size() == 1);
  CHECK_THAT(problems[0], Catch::Matchers::StartsWith(c.said));
  const auto refused = make_rules(config);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::invalid_argument);
  CHECK(refused.error().context == problems[0]);
}

}  // namespace
}  // namespace paddock

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

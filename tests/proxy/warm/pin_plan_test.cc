#include "proxy/warm/pin_plan.h"

#include <catch2/catch.hpp>

using namespace paddock;
using namespace std::chrono_literals;

namespace {

const RepositoryKey paddle{"up.example", "paddlepaddle/paddle"};
const WallTime now{std::chrono::seconds(1'000'000)};

PinRecord pin(const std::string& tag, std::optional<WallTime> until, const std::string& rule = "") {
  return {paddle, tag, Digest::of(tag), until, rule};
}
PinName named(const std::string& tag) { return {paddle, tag}; }

}  // namespace

TEST_CASE("a warm-up's pins are its rule's own") {
  const auto plan = plan_pins({}, {pin("1", now + 1h)}, "nightly", {named("1")}, now);
  CHECK(plan.put == std::vector{pin("1", now + 1h, "nightly")});
  CHECK(plan.erase.empty());
}

TEST_CASE("one without a rule pins as a person does, and takes nothing away") {
  const auto plan =
      plan_pins({pin("2", now + 1h, "nightly"), pin("3", std::nullopt)}, {pin("1", now + 1h)}, "", {named("1")}, now);
  CHECK(plan.put == std::vector{pin("1", now + 1h)});
  CHECK(plan.erase.empty());
}

TEST_CASE("what its rule pinned and does not mean any more is let go, and nothing of others") {
  const std::vector known{pin("old", now + 5h, "nightly"), pin("unreachable", now + 5h, "nightly"),
                          pin("by hand", std::nullopt), pin("other rule", now + 5h, "weekly")};
  const auto plan = plan_pins(known, {pin("new", now + 9h)}, "nightly", {named("new"), named("unreachable")}, now);
  CHECK(plan.put == std::vector{pin("new", now + 9h, "nightly")});
  CHECK(plan.erase == std::vector{known[0]});
}

TEST_CASE("a pin of the rule is prolonged, never shortened") {
  const auto put = [](std::optional<WallTime> before) {
    return plan_pins({pin("1", before, "nightly")}, {pin("1", now + 2h)}, "nightly", {named("1")}, now).put.at(0);
  };
  CHECK(put(now + 1h) == pin("1", now + 2h, "nightly"));
  CHECK(put(now + 3h) == pin("1", now + 3h, "nightly"));
  CHECK(put(std::nullopt) == pin("1", std::nullopt, "nightly"));
}

TEST_CASE("what somebody else has pinned too is no rule's own") {
  const auto put = [](const PinRecord& before) {
    return plan_pins({before}, {pin("1", now + 2h)}, "nightly", {named("1")}, now).put.at(0);
  };
  CHECK(put(pin("1", now + 1h)) == pin("1", now + 2h));
  CHECK(put(pin("1", std::nullopt)) == pin("1", std::nullopt));
  CHECK(put(pin("1", now + 3h, "weekly")) == pin("1", now + 3h));
  CHECK(put(pin("1", now, "weekly")) == pin("1", now + 2h, "nightly"));  // over: as if it were not there
}

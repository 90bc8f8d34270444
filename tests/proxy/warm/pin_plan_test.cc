#include "proxy/warm/pin_plan.h"

#include <catch2/catch.hpp>

using namespace paddock;
using namespace std::chrono_literals;

namespace {

const RepositoryKey paddle{"up.example", "paddlepaddle/paddle"};
const RepositoryKey other_repository{"up.example", "other"};
const WallTime now{std::chrono::seconds(1'000'000)};

PinRecord pin(const std::string& tag, std::optional<WallTime> until, const std::string& rule = "") {
  return {paddle, tag, Digest::of(tag), until, rule};
}

}  // namespace

TEST_CASE("a warm-up's pins are its rule's own, or nobody's") {
  CHECK(joined_pins({}, {pin("1", now + 1h)}, "nightly", now) == std::vector{pin("1", now + 1h, "nightly")});
  CHECK(joined_pins({}, {pin("1", now + 1h)}, "", now) == std::vector{pin("1", now + 1h)});
}

TEST_CASE("a pin of the rule is prolonged, never shortened") {
  const auto put = [](std::optional<WallTime> before) {
    return joined_pins({pin("1", before, "nightly")}, {pin("1", now + 2h)}, "nightly", now).at(0);
  };
  CHECK(put(now + 1h) == pin("1", now + 2h, "nightly"));
  CHECK(put(now + 3h) == pin("1", now + 3h, "nightly"));
  CHECK(put(std::nullopt) == pin("1", std::nullopt, "nightly"));
}

TEST_CASE("what somebody else has pinned too is no rule's own") {
  const auto put = [](const PinRecord& before) {
    return joined_pins({before}, {pin("1", now + 2h)}, "nightly", now).at(0);
  };
  CHECK(put(pin("1", now + 1h)) == pin("1", now + 2h));
  CHECK(put(pin("1", std::nullopt)) == pin("1", std::nullopt));
  CHECK(put(pin("1", now + 3h, "weekly")) == pin("1", now + 3h));
  CHECK(put(pin("1", now, "weekly")) == pin("1", now + 2h, "nightly"));  // over: as if it were not there
}

TEST_CASE("what its rule pinned and does not mean any more is displaced, and nothing of others") {
  const std::vector known{pin("old", now + 5h, "nightly"), pin("unreachable", now + 5h, "nightly"),
                          pin("by hand", std::nullopt), pin("other rule", now + 5h, "weekly")};
  CHECK(displaced_pins(known, "nightly", {{paddle, "new"}, {paddle, "unreachable"}}) == std::vector{known[0]});
}

TEST_CASE("a repository of which the rule suddenly means nothing keeps its pins") {
  const std::vector known{pin("old", now + 5h, "nightly")};
  CHECK(displaced_pins(known, "nightly", {}).empty());
  CHECK(displaced_pins(known, "nightly", {{other_repository, "new"}}).empty());
  CHECK(displaced_pins(known, "nightly", {{{"up.example", "paddlepaddle/paddle2"}, "new"}}).empty());
}

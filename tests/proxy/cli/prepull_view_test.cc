#include "proxy/cli/prepull_view.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/proxy/host/prepull/prepull_fixture.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
const test::SampleImage image;
const std::string name = "registry.baidubce.com/a/b:1";

TEST_CASE("progress of a pull is a line, or a bar for each layer that moves") {
  auto progress = image.progress();
  progress.set(image.id(0), LayerPhase::ready);
  progress.set(image.id(1), LayerPhase::downloading, 0.5);
  CHECK(progress_line(progress, 500) == "62%, 2.4 KiB of 3.9 KiB, 500 B/s, 3s left; 1 of 2 layers ready");
  const auto bars = progress_bars(name, progress, 0, 100, 10);
  REQUIRE(bars.size() == 2);
  CHECK_THAT(bars[0], Contains(image.id(1) + " downloading [") && Contains("50%"));
  CHECK_THAT(bars[1], Contains(name + " [") && Contains("62%"));
  CHECK(progress_bars(name, progress, 0, 100, 1).size() == 1);
  CHECK(progress_line(PullProgress(), 0) == "100%, 0 B of 0 B; 0 of 0 layers ready");
}

TEST_CASE("an outcome is a line and an object") {
  const PrepullOutcome present{test::original(name), PrepullState::present, image.index};
  const PrepullOutcome pulled{test::original(name), PrepullState::pulled, image.index, {}, {"noted"}};
  const PrepullOutcome failed{
      test::original(name), PrepullState::failed, {}, Error{ErrorCode::timeout, Blame::upstream, "why \x1b[2J"}};
  CHECK(describe(present) == name + ": already there (" + image.index.to_string() + ")");
  CHECK(describe(pulled) == name + ": pulled (" + image.index.to_string() + ")");
  CHECK(describe(failed) == name + ": why ?[2J");
  const PrepullOutcome elsewhere{test::original(name), PrepullState::elsewhere};
  CHECK(describe(elsewhere) == name + ": left out, the cache is not for that registry");
  CHECK(outcome_json(elsewhere)["state"] == "elsewhere");
  CHECK(summary({present, pulled, failed, elsewhere}) == "2 of 3 images are ready: 1 already there, 1 pulled");
  CHECK(outcome_json(pulled) == nlohmann::ordered_json{{"image", name},
                                                       {"state", "pulled"},
                                                       {"digest", image.index.to_string()},
                                                       {"error", nullptr},
                                                       {"notes", {"noted"}}});
  CHECK(outcome_json(failed)["error"]["code"] == "timeout");
  CHECK(outcome_json(failed)["digest"].is_null());
}

}  // namespace
}  // namespace paddock

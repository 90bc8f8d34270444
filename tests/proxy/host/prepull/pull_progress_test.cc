#include "proxy/host/prepull/pull_progress.h"

#include <catch2/catch.hpp>
#include <limits>

#include "tests/proxy/host/prepull/prepull_fixture.h"

namespace paddock {
namespace {

const test::SampleImage image;

TEST_CASE("how far a pull is, is the sum of its layers") {
  auto progress = image.progress();
  CHECK(progress.total() == 4000);
  CHECK(progress.downloaded() == 0);
  progress.set(image.id(0), LayerPhase::downloading, 0.5);
  CHECK(progress.downloaded() == 500);
  progress.set(image.id(0), LayerPhase::unpacking, 0.1);
  CHECK(progress.downloaded() == 1000);
  CHECK(progress.ready() == 0);
  progress.set(image.layers[1].digest.hex(), LayerPhase::ready);
  CHECK(progress.downloaded() == 4000);
  CHECK(progress.ready() == 1);
  progress.all_ready();
  CHECK(progress.ready() == 2);
}

TEST_CASE("layers that the manifest does not name are not taken in") {
  auto progress = image.progress();
  for (const auto* id : {"", "0", "000000000000", "latest", "registry.baidubce.com/a/b"}) {
    progress.set(id, LayerPhase::ready);
  }
  progress.set(image.id(0).substr(0, 11), LayerPhase::ready);
  CHECK(progress.layers().size() == 2);
  CHECK(progress.steps() == 0);
}

TEST_CASE("a layer that a manifest names twice is one") {
  CHECK(PullProgress({image.layers[0], image.layers[0]}).total() == 1000);
}

TEST_CASE("only what is new is a step") {
  auto progress = image.progress();
  progress.set(image.id(0), LayerPhase::downloading, 0.5);
  progress.set(image.id(0), LayerPhase::downloading, 0.5);
  CHECK(progress.steps() == 1);
  progress.set(image.id(0), LayerPhase::downloading, 0.6);
  CHECK(progress.steps() == 2);
}

TEST_CASE("shares that make no sense stay within the layer") {
  auto progress = image.progress();
  for (const double share :
       {-1.0, 2.0, 1e300, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    progress.set(image.id(1), LayerPhase::downloading, share);
    CHECK(progress.downloaded() <= 3000);
  }
}

TEST_CASE("a watch ends a pull that stands still, and one that is told to stop") {
  bool stopped = false;
  std::size_t shown = 0;
  PullWatch watch(image.progress(), {.patience = std::chrono::milliseconds(0),
                                     .stopped = [&] { return stopped; },
                                     .show = [&](const auto&) { ++shown; }});
  CHECK(watch.look().error().code == ErrorCode::timeout);
  CHECK(shown == 1);
  stopped = true;
  CHECK(watch.look().error().code == ErrorCode::cancelled);
  PullWatch patient(image.progress(), {});
  CHECK(patient.look());
}

}  // namespace
}  // namespace paddock

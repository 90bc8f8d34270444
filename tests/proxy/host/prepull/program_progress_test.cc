#include "proxy/host/prepull/program_progress.h"

#include <catch2/catch.hpp>

#include "tests/proxy/host/prepull/prepull_fixture.h"

namespace paddock {
namespace {

const test::SampleImage image;

struct Pull {
  PullProgress progress = image.progress();

  void ctr(std::size_t layer, const std::string& rest) {
    take_ctr_line("layer-" + image.layers[layer].digest.to_string() + ":    " + rest, progress);
  }
  [[nodiscard]] LayerPhase phase(std::size_t layer) const { return progress.layers()[layer].phase; }
};

TEST_CASE("ctr's table says how far each layer is") {
  Pull pull;
  pull.ctr(1, "waiting        |\x1b[32m\x1b[0m--------------------------------------| ");
  CHECK(pull.progress.steps() == 0);
  pull.ctr(1, "downloading    |\x1b[32m++++++++++++\x1b[0m--------------------------|  1.0 KiB/4.0 KiB ");
  CHECK(pull.phase(1) == LayerPhase::downloading);
  CHECK(pull.progress.downloaded() == 750);
  pull.ctr(1, "done           |\x1b[32m++++++++++++++++++++++++++++++++++++++\x1b[0m| ");
  CHECK(pull.phase(1) == LayerPhase::downloaded);
  pull.ctr(0, "exists         |++++++++++++++++++++++++++++++++++++++| ");
  CHECK(pull.progress.downloaded() == 4000);
}

TEST_CASE("amounts in all of its units") {
  Pull pull;
  for (const auto* text : {"1.0 B/2.0 B", "1.0 MiB/2.0 MiB", "512.0 KiB/1.0 MiB", "1.0 GiB/2.0 GiB", "1 TiB/2 TiB"}) {
    pull.ctr(0, "waiting | |");
    pull.ctr(0, std::string("downloading |+-| ") + text);
    CHECK(pull.progress.downloaded() == 500);
  }
}

TEST_CASE("on a terminal podman says of a blob how far it is") {
  Pull pull;
  const auto say = [&](std::size_t layer, const std::string& rest) {
    take_podman_line("\x1b[4A\x1b[JCopying blob " + image.id(layer) + rest, pull.progress);
  };
  say(0, " [>-------------] 250.0b / 1000.0b");
  CHECK(pull.phase(0) == LayerPhase::downloading);
  CHECK(pull.progress.downloaded() == 250);
  say(1, " [=====>--------] 1.0MiB / 2.0MiB | 100.0 MiB/s");
  CHECK(pull.progress.downloaded() == 1750);
  say(1, " done   | ");
  CHECK(pull.phase(1) == LayerPhase::downloaded);
  say(0, " [--------------] 0.0b / 1000.0b (skipped: 1000b = 100.00%)");
  CHECK(pull.phase(0) == LayerPhase::ready);
}

TEST_CASE("elsewhere podman says of a blob that it copies it, and seldom more") {
  Pull pull;
  take_podman_line("Trying to pull registry.baidubce.com/a/b:1...", pull.progress);
  take_podman_line("Copying blob " + image.layers[0].digest.to_string(), pull.progress);
  CHECK(pull.phase(0) == LayerPhase::downloading);
  take_podman_line("Copying blob " + image.id(1) + " skipped: already exists", pull.progress);
  CHECK(pull.phase(1) == LayerPhase::ready);
  take_podman_line("Writing manifest to image destination", pull.progress);
  CHECK(pull.progress.ready() == 2);
}

TEST_CASE("lines of programs that make no sense are passed over") {
  Pull pull;
  for (const std::string line :
       {"", "layer-", "layer-sha256:", "layer-sha256:zz: done", "layer", ":", "Copying blob ",
        "Copying blob sha256:", "Copying blob \xff", "elapsed: 0.1 s total: 2.0 Ki (19.0 KiB/s)", "|/|"}) {
    take_ctr_line(line, pull.progress);
    take_podman_line(line, pull.progress);
  }
  for (const auto* rest : {"downloading", "downloading |", "downloading |x| 1/0", "downloading |x| 1.0 XiB/2.0 XiB",
                           "downloading || -1 B/-5 B", "downloading || 1e999 B/1e999 B", "downloading ||/"}) {
    pull.ctr(0, rest);
  }
  CHECK(pull.progress.downloaded() == 0);
}

}  // namespace
}  // namespace paddock

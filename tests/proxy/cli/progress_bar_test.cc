#include "proxy/cli/progress_bar.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("an amount as people read it, without what is not known") {
  CHECK(amount_text({.percent = 50, .done = 1U << 20U, .total = 2U << 20U}) == "50%, 1.0 MiB of 2.0 MiB");
  CHECK(amount_text({.percent = 50, .done = 512, .total = 1024, .rate = 256, .eta = 2}) ==
        "50%, 512 B of 1.0 KiB, 256 B/s, 2s left");
  CHECK_THAT(amount_text({.percent = 1e9, .eta = UINT64_MAX}), Contains("100%") && Contains("left"));
}

TEST_CASE("a bar is as long as its share, and never wider than it may be") {
  CHECK_THAT(progress_bar("name", {.percent = 50, .done = 1, .total = 2}, 60), Contains("name [") && Contains("#-"));
  for (const double percent : {-5.0, 0.0, 33.3, 100.0, 250.0}) {
    for (std::size_t width = 1; width < 120; ++width) {
      CHECK(progress_bar("registry.baidubce.com/paddlepaddle/paddle:2.6.2", {.percent = percent}, width).size() <=
            width);
    }
  }
}

}  // namespace
}  // namespace paddock

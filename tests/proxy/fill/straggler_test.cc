#include "proxy/fill/straggler.h"

#include <catch2/catch.hpp>
#include <vector>

using namespace paddock;
using namespace std::chrono_literals;

namespace {

const StragglerPolicy policy{.silence = 2s, .least = 1s, .factor = 3};

std::optional<std::size_t> find(std::vector<PieceProgress> pieces, double usual, bool awaited,
                                std::chrono::milliseconds age = 5s) {
  for (auto& piece : pieces) {
    piece.age = age;
    piece.awaited |= awaited;
  }
  return find_straggler(pieces, usual, policy);
}

}  // namespace

TEST_CASE("pieces that come as usual are left alone") {
  CHECK_FALSE(find({}, 100, true));
  CHECK_FALSE(find({{1000, 100, 0ms}, {900, 90, 100ms}}, 100, true));
}

TEST_CASE("a connection that has been silent for long is a straggler, whatever else there is to do") {
  CHECK(find({{1000, 100, 0ms}, {1000, 100, 2s}}, 100, false) == 1U);
  CHECK_FALSE(find({{1000, 100, 0ms}, {1000, 100, 1999ms}}, 100, false));
}

TEST_CASE("before a byte has come it is the upstream that is slow") { CHECK_FALSE(find({{1000, 0, 10s}}, 0, true)); }

TEST_CASE("slowness counts where somebody waits for the piece, or nothing else is left to fetch") {
  const std::vector<PieceProgress> pieces{{1000, 100, 0ms}, {1000, 20, 0ms}};
  CHECK_FALSE(find(pieces, 100, false));
  CHECK(find(pieces, 100, true) == 1U);
  const PieceProgress slow{.missing = 1000, .rate = 20, .awaited = true};
  CHECK(find({{1000, 20, 0ms}, slow, {1000, 10, 0ms}}, 100, false) == 1U);
}

TEST_CASE("a piece that has only just been asked for is not slow yet") {
  CHECK_FALSE(find({{1000, 0, 0ms}}, 100, true, 999ms));
  CHECK(find({{1000, 0, 0ms}}, 100, true, 1s) == 0U);
}

TEST_CASE("what is nearly there is not fetched twice") {
  CHECK_FALSE(find({{10, 10, 0ms}}, 1000, true));  // 1 s against 0.01 s saves less than the least
}

TEST_CASE("the worst is chosen") {
  CHECK(find({{1000, 20, 0ms}, {1000, 5, 0ms}, {1000, 10, 0ms}}, 100, true) == 1U);
  CHECK(find({{1000, 20, 3s}, {1000, 0, 3s}}, 100, false) == 1U);
}

TEST_CASE("a piece whose bytes have come is none") { CHECK_FALSE(find({{0, 0, 1h}}, 100, true)); }

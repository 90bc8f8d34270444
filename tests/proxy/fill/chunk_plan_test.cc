#include "proxy/fill/chunk_plan.h"

#include <catch2/catch.hpp>
#include <random>
#include <vector>

using namespace paddock;

namespace {

constexpr std::uint64_t chunk = 100;
const std::vector<std::uint64_t> nobody;

ExtentMap extents(std::initializer_list<Extent> list) {
  ExtentMap map;
  for (const Extent& extent : list) map.add(extent);
  return map;
}

Extent next(ChunkPlan& plan, std::vector<std::uint64_t> readers = {}) {
  const auto piece = plan.next(readers);
  return piece ? piece->extent : Extent{};
}

}  // namespace

TEST_CASE("without readers the lowest missing chunk comes first") {
  ChunkPlan plan(250, chunk);
  CHECK(next(plan) == Extent{0, 100});
  CHECK(next(plan) == Extent{100, 200});
  CHECK(next(plan) == Extent{200, 250});
  CHECK_FALSE(plan.next(nobody));
  CHECK_FALSE(plan.complete());
}

TEST_CASE("the chunk that a reader gets to first comes first") {
  ChunkPlan plan(1000, chunk);
  CHECK(next(plan, {0, 730}) == Extent{0, 100});    // both are there at once: the order of the readers decides
  CHECK(next(plan, {0, 730}) == Extent{730, 800});  // the other reader waits now
  CHECK(next(plan, {0, 730}) == Extent{800, 900});  // 70 bytes ahead of its reader, the other one 100
  CHECK(next(plan, {0, 730}) == Extent{100, 200});
}

TEST_CASE("a piece has as many chunks as are asked for, up to what is there or in flight") {
  ChunkPlan plan(1050, chunk, extents({{400, 420}}));
  CHECK(plan.free_bytes() == 1030);
  CHECK(plan.next(nobody, 250)->extent == Extent{0, 200});
  CHECK(plan.next(nobody, 99)->extent == Extent{200, 300});
  CHECK(plan.next(nobody, 500)->extent == Extent{300, 400});
  CHECK(plan.next(nobody, 400)->extent == Extent{420, 800});  // to the end of a chunk
  CHECK(plan.free_bytes() == 250);
  CHECK(plan.next(nobody, UINT64_MAX)->extent == Extent{800, 1050});
  CHECK_FALSE(plan.has_free());
}

TEST_CASE("a piece of several chunks ends before that of another reader") {
  ChunkPlan plan(1000, chunk);
  CHECK(plan.next(std::vector<std::uint64_t>{0, 450}, 1000)->extent == Extent{0, 400});
  CHECK(plan.next(std::vector<std::uint64_t>{0, 450}, 1000)->extent == Extent{450, 1000});
  CHECK(plan.next(std::vector<std::uint64_t>{0, 430, 450}, 1000)->extent == Extent{430, 450});
}

TEST_CASE("readers at the end and past it change nothing") {
  ChunkPlan plan(200, chunk);
  CHECK(next(plan, {200, 5000}) == Extent{0, 100});
  CHECK(next(plan, {150}) == Extent{150, 200});
  CHECK(next(plan, {150}) == Extent{100, 150});  // nothing is missing after the reader: the lowest
  CHECK_FALSE(plan.next(std::vector<std::uint64_t>{150}));
}

TEST_CASE("what a fill has already is not fetched again") {
  ChunkPlan plan(300, chunk, extents({{0, 150}, {200, 210}}));
  CHECK(next(plan) == Extent{150, 200});
  CHECK(next(plan) == Extent{210, 300});
  CHECK_FALSE(plan.next(nobody));
}

TEST_CASE("what a broken connection has brought is kept, the rest is free again") {
  ChunkPlan plan(200, chunk);
  const auto first = plan.next(nobody).value();
  REQUIRE(plan.next(nobody));
  plan.progress(first.ticket, 40);
  CHECK(plan.rest(first.ticket) == Extent{40, 100});
  plan.release(first.ticket);
  CHECK(next(plan) == Extent{40, 100});
  CHECK_FALSE(plan.next(nobody));
}

TEST_CASE("a twin fetches what is missing of a slow piece, once") {
  ChunkPlan plan(100, chunk);
  const auto slow = plan.next(nobody).value();
  plan.progress(slow.ticket, 30);
  const auto twin = plan.twin(slow.ticket).value();
  CHECK(twin.extent == Extent{30, 100});
  CHECK_FALSE(plan.twin(slow.ticket));
  CHECK_FALSE(plan.twin(twin.ticket));
  plan.progress(twin.ticket, 100);
  const Extent rest = plan.rest(slow.ticket);
  CHECK(rest.begin == rest.end);
  CHECK(plan.complete());
}

TEST_CASE("a twin that gives up leaves the piece with the slow connection") {
  ChunkPlan plan(100, chunk);
  const auto slow = plan.next(nobody).value();
  const auto twin = plan.twin(slow.ticket).value();
  plan.release(twin.ticket);
  CHECK_FALSE(plan.next(nobody));
  CHECK(plan.twin(slow.ticket));
}

TEST_CASE("the slow connection's part is free only when its twin has ended too") {
  ChunkPlan plan(100, chunk);
  const auto slow = plan.next(nobody).value();
  const auto twin = plan.twin(slow.ticket).value();
  plan.release(slow.ticket);
  CHECK_FALSE(plan.next(nobody));
  plan.progress(twin.ticket, 60);
  plan.release(twin.ticket);
  CHECK(next(plan) == Extent{60, 100});
}

TEST_CASE("progress and release of an ended piece change nothing") {
  ChunkPlan plan(100, chunk);
  const auto piece = plan.next(nobody).value();
  plan.release(piece.ticket);
  plan.progress(piece.ticket, 100);
  plan.release(piece.ticket);
  CHECK_FALSE(plan.complete());
  CHECK(next(plan) == Extent{0, 100});
}

TEST_CASE("an empty blob is complete from the start") {
  ChunkPlan plan(0, chunk);
  CHECK(plan.complete());
  CHECK_FALSE(plan.next(nobody));
}

TEST_CASE("whatever breaks, every byte is handed out until it has come, and no byte twice at a time") {
  std::minstd_rand random(GENERATE(1U, 2U, 3U));
  const auto dice = [&](std::uint64_t n) { return static_cast<std::uint64_t>(random()) % n; };
  ChunkPlan plan(5'000, chunk);
  std::vector<ChunkPlan::Piece> working;
  for (int step = 0; step < 20'000 && !plan.complete(); ++step) {
    const std::vector<std::uint64_t> readers{dice(5'000), dice(6'000)};
    if (working.size() < 6) {
      if (const auto piece = plan.next(readers, dice(400))) {
        for (const auto& other : working) {
          const Extent rest = plan.rest(other.ticket);
          CHECK((rest.begin >= rest.end || piece->extent.end <= rest.begin || rest.end <= piece->extent.begin));
        }
        working.push_back(*piece);
      }
    }
    if (working.empty()) continue;
    const auto index = dice(working.size());
    const auto piece = working[index];
    const Extent rest = plan.rest(piece.ticket);
    if (rest.begin < rest.end) plan.progress(piece.ticket, rest.begin + 1 + dice(rest.end - rest.begin));
    const Extent left = plan.rest(piece.ticket);
    if (left.begin >= left.end || dice(4) == 0) {
      plan.release(piece.ticket);
      working.erase(working.begin() + static_cast<std::ptrdiff_t>(index));
    }
  }
  CHECK(plan.complete());
}

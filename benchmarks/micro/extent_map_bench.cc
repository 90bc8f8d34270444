// What a fill knows of its bytes: pieces of 8 MiB of a blob, in order and not, and who asks what is there.
#include <algorithm>
#include <benchmark/benchmark.h>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "storage/extent_map.h"

namespace paddock {
namespace {

constexpr std::uint64_t piece = std::uint64_t{8} << 20U;

std::vector<std::uint64_t> numbers(std::int64_t count, bool shuffled) {
  std::vector<std::uint64_t> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  if (shuffled) std::ranges::shuffle(all, std::mt19937(1));
  return all;
}

void add(benchmark::State& state, bool shuffled) {
  const auto order = numbers(state.range(0), shuffled);
  for (auto _ : state) {
    ExtentMap map;
    for (const std::uint64_t number : order) map.add({.begin = number * piece, .end = (number + 1) * piece});
    if (map.runs().size() != 1) state.SkipWithError("not one run");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(add, in_order, false)->Name("extent_map/add_in_order")->Arg(16)->Arg(256)->Arg(4096);
BENCHMARK_CAPTURE(add, shuffled, true)->Name("extent_map/add_shuffled")->Arg(16)->Arg(256)->Arg(4096);

// Every other piece is there.
void look_up(benchmark::State& state) {
  ExtentMap map;
  const auto runs = static_cast<std::uint64_t>(state.range(0));
  for (std::uint64_t number = 0; number < runs; ++number)
    map.add({.begin = 2 * number * piece, .end = (2 * number + 1) * piece});
  std::mt19937_64 random(1);
  for (auto _ : state) {
    const std::uint64_t offset = random() % (2 * runs * piece);
    benchmark::DoNotOptimize(map.run_end(offset));
    benchmark::DoNotOptimize(map.first_gap(offset, 2 * runs * piece));
  }
}
BENCHMARK(look_up)->Name("extent_map/look_up")->Arg(1)->Arg(256)->Arg(4096);

}  // namespace
}  // namespace paddock

// SHA-256 as fills use it: pieces of a body, one after the other.
#include <benchmark/benchmark.h>
#include <string>

#include "storage/digest.h"

namespace paddock {
namespace {

void hash(benchmark::State& state) {
  const std::string piece(static_cast<std::size_t>(state.range(0)), 'x');
  Hasher hasher(Digest::Algorithm::sha256);
  for (auto _ : state) {
    hasher.update(piece);
    benchmark::DoNotOptimize(hasher.finish());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(hash)->Name("sha256")->RangeMultiplier(4)->Range(64 << 10, 16 << 20);

}  // namespace
}  // namespace paddock

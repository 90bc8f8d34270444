// A look-up in the catalog with 1 K to 1 M entries: in RocksDB, and in what the server remembers in front of it.
#include <benchmark/benchmark.h>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>

#include "storage/caching_catalog.h"
#include "storage/rocks_catalog.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

const RepositoryKey repository{.upstream = "upstream.test", .repository = "bench/image"};

Digest digest_of(std::uint64_t number) { return Digest::of(std::to_string(number)); }

std::unique_ptr<Catalog> open(const std::filesystem::path& folder) {
  auto opened = RocksCatalog::open(folder / "catalog");
  if (!opened) throw std::runtime_error(opened.error().context);
  return std::move(*opened);
}

void fill(Catalog& catalog, std::uint64_t entries) {
  for (std::uint64_t number = 0; number < entries; ++number) {
    const Digest digest = digest_of(number);
    const TagRecord tag{.digest = digest, .changed = {}, .validated = {}};
    if (!catalog.put_blob(digest, {.size = number, .last_used = {}}) || !catalog.link(repository, digest) ||
        !catalog.put_tag(repository, "tag-" + std::to_string(number), tag))
      throw std::runtime_error("the catalog takes no rows");
  }
}

// Rows are written once for each size; then it is opened anew, as a server finds it.
std::unique_ptr<Catalog> catalog_with(std::uint64_t entries) {
  static std::map<std::uint64_t, TemporaryFolder> made;  // gone at exit
  const bool is_new = !made.contains(entries);
  const auto& folder = made[entries].path();
  if (is_new) fill(*open(folder), entries);
  return open(folder);
}

bool find_blob(Catalog& catalog, std::uint64_t number) {
  const auto found = catalog.blob(digest_of(number));
  return found && found->has_value();
}
bool find_link(Catalog& catalog, std::uint64_t number) {
  const auto found = catalog.linked(repository, digest_of(number));
  return found && *found;
}
bool find_tag(Catalog& catalog, std::uint64_t number) {
  const auto found = catalog.tag(repository, "tag-" + std::to_string(number));
  return found && found->has_value();
}
using Find = bool (*)(Catalog&, std::uint64_t);

void look_up(benchmark::State& state, Catalog& catalog, std::uint64_t among, Find find) {
  std::mt19937_64 random(1);
  for (auto _ : state)
    if (!find(catalog, random() % among)) state.SkipWithError("not found");
}

// Any of all the entries, from RocksDB.
void rocks(benchmark::State& state, Find find) {
  const auto entries = static_cast<std::uint64_t>(state.range(0));
  look_up(state, *catalog_with(entries), entries, find);
}
BENCHMARK_CAPTURE(rocks, blob, &find_blob)->Name("catalog/blob")->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(rocks, link, &find_link)->Name("catalog/link")->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(rocks, tag, &find_tag)->Name("catalog/tag")->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

// The same thousand over and over, as a server answers hits.
void remembered(benchmark::State& state, Find find) {
  constexpr std::uint64_t hot = 1'000;
  CachingCatalog catalog(catalog_with(static_cast<std::uint64_t>(state.range(0))));
  for (std::uint64_t number = 0; number < hot; ++number)
    if (!find(catalog, number)) state.SkipWithError("not found");
  look_up(state, catalog, hot, find);
}
BENCHMARK_CAPTURE(remembered, link, &find_link)->Name("hot/link")->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(remembered, tag, &find_tag)->Name("hot/tag")->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

}  // namespace
}  // namespace paddock

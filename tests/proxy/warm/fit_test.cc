#include "proxy/warm/fit.h"

#include <catch2/catch.hpp>

#include "tests/support/memory_catalog.h"

using namespace paddock;

namespace {

const WallTime now{std::chrono::seconds(1'700'000'000)};
const auto nothing_promised = [](const Digest&) { return false; };

Space::Usage usage(std::uint64_t stored, std::uint64_t max_size, std::uint64_t disk = 1'000'000) {
  return {
      .stored = stored, .reserved = 0, .max_size = max_size, .min_free = 0, .disk_total = disk, .disk_available = disk};
}

}  // namespace

TEST_CASE("what fits into the share beside what must stay fits, and a byte more does not") {
  CHECK(decide_fit(usage(600, 1000), 400, 600).fits);
  const auto over = decide_fit(usage(600, 1000), 400, 601);
  CHECK_FALSE(over.fits);
  CHECK(over.room == 600);
  CHECK(over.missing == 601);
  CHECK(over.remedy.contains("storage.max_size"));
}

TEST_CASE("the disk counts too, with what may be evicted and without what it must keep or is promised") {
  Space::Usage tight = usage(300, 0, 1000);
  tight.min_free = 200;
  tight.reserved = 150;
  tight.written = 50;  // of it, on the disk already
  const auto fit = decide_fit(tight, 100, 1000);
  CHECK(fit.room == 1000 + 200 - 200 - 100);
  CHECK_FALSE(decide_fit(tight, 100, 901).fits);
  CHECK(decide_fit(tight, 100, 901).remedy.contains("storage.min_free"));
  CHECK(decide_fit(tight, 100, 900).fits);
}

TEST_CASE("sizes that strangers made up do not wrap round") {
  CHECK_FALSE(decide_fit(usage(0, 1000), 0, UINT64_MAX).fits);
  CHECK_FALSE(decide_fit(usage(0, 0), 0, UINT64_MAX).fits);
  CHECK(decide_fit(usage(10, 5), 10, 0).fits);
  CHECK(decide_fit(usage(10, 5), 10, 0).room == 0);
}

TEST_CASE("pinned blobs and the job's own stay, others may go") {
  MemoryCatalog catalog;
  const RepositoryKey repository{"up", "a"};
  const Digest pinned = Digest::of("pinned"), own = Digest::of("own"), other = Digest::of("other"),
               missing = Digest::of("missing"), manifest = Digest::of("manifest");
  for (const auto& digest : {pinned, own, other}) catalog.put_blob(digest, {100, now}).value();
  catalog.put_manifest(repository, manifest, {"t", "c", {pinned}}).value();
  const std::vector<PlannedBlob> job{{own, 100, true}, {missing, 700, false}};
  CHECK(assess_fit(catalog, usage(300, 1000), job, nothing_promised, now)->room == 900);
  catalog.put_pin({repository, "1", manifest, now + std::chrono::seconds(1)}).value();
  const auto fit = assess_fit(catalog, usage(300, 1000), job, nothing_promised, now).value();
  CHECK(fit.room == 800);
  CHECK(fit.missing == 700);
  CHECK(assess_fit(catalog, usage(300, 1000), job, nothing_promised, now + std::chrono::seconds(1))->room == 900);
}

TEST_CASE("what is on its way has its room already") {
  MemoryCatalog catalog;
  const std::vector<PlannedBlob> job{{Digest::of("a"), 600, false}, {Digest::of("b"), 600, false}};
  Space::Usage filling = usage(0, 1000);
  filling.reserved = 600;
  CHECK_FALSE(assess_fit(catalog, filling, job, [](const Digest& d) { return d == Digest::of("a"); }, now)->fits);
  filling.max_size = 1200;
  CHECK(assess_fit(catalog, filling, job, [](const Digest& d) { return d == Digest::of("a"); }, now)->fits);
}

TEST_CASE("a catalog that cannot be read is no reason to promise anything") {
  MemoryCatalog catalog;
  catalog.fail_with(Error{ErrorCode::io, Blame::us, "broken"});
  CHECK_FALSE(assess_fit(catalog, usage(0, 1000), {}, nothing_promised, now));
}

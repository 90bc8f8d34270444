#include <algorithm>
#include <catch2/catch.hpp>

#include "storage/caching_catalog.h"
#include "storage/rocks_catalog.h"
#include "tests/storage/catalog_conformance.h"
#include "tests/support/memory_catalog.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

namespace suite = catalog_conformance;

struct Memory {
  MemoryCatalog& get() { return catalog; }
  MemoryCatalog catalog;
};

struct Rocks {
  RocksCatalog& get() { return *catalog; }
  TemporaryFolder folder;
  std::unique_ptr<RocksCatalog> catalog = RocksCatalog::open(folder / "catalog").value();
};

struct Cached {
  CachingCatalog& get() { return catalog; }
  CachingCatalog catalog{std::make_unique<MemoryCatalog>()};
};

}  // namespace

TEMPLATE_TEST_CASE("a catalog keeps blobs by digest", "[catalog]", Memory, Rocks, Cached) {
  suite::blobs(TestType().get());
}
TEMPLATE_TEST_CASE("a visit of a catalog stops when told to", "[catalog]", Memory, Rocks, Cached) {
  suite::visits_stop(TestType().get());
}
TEMPLATE_TEST_CASE("a visit of a catalog sees a snapshot and may change it", "[catalog]", Memory, Rocks, Cached) {
  suite::visits_may_change_the_catalog(TestType().get());
}
TEMPLATE_TEST_CASE("last uses are written for known blobs only", "[catalog]", Memory, Rocks, Cached) {
  suite::touching(TestType().get());
}
TEMPLATE_TEST_CASE("a manifest comes back byte-exact and is linked with its children", "[catalog]", Memory, Rocks,
                   Cached) {
  suite::manifests(TestType().get());
}
TEMPLATE_TEST_CASE("what an index names is not linked to its repository", "[catalog]", Memory, Rocks, Cached) {
  suite::indexes_link_nothing(TestType().get());
}
TEMPLATE_TEST_CASE("what was said first of a manifest stays, for every repository", "[catalog]", Memory, Rocks,
                   Cached) {
  suite::first_record_of_a_manifest_stays(TestType().get());
}
TEMPLATE_TEST_CASE("erasing a manifest takes its tags and links along", "[catalog]", Memory, Rocks, Cached) {
  suite::erasing_manifests(TestType().get());
}
TEMPLATE_TEST_CASE("a link is for exactly one repository", "[catalog]", Memory, Rocks, Cached) {
  suite::links(TestType().get());
}
TEMPLATE_TEST_CASE("tags are ordered bytewise and paged", "[catalog]", Memory, Rocks, Cached) {
  suite::tags(TestType().get());
}
TEMPLATE_TEST_CASE("repositories with manifests are ordered bytewise and paged", "[catalog]", Memory, Rocks, Cached) {
  suite::repositories(TestType().get());
}
TEMPLATE_TEST_CASE("pins are one for each repository and reference", "[catalog]", Memory, Rocks, Cached) {
  suite::pins(TestType().get());
}
TEMPLATE_TEST_CASE("a name with a NUL is refused", "[catalog]", Memory, Rocks, Cached) {
  suite::hostile_names(TestType().get());
}
TEMPLATE_TEST_CASE("a cleared catalog is empty and usable", "[catalog]", Memory, Rocks, Cached) {
  suite::clearing(TestType().get());
}
TEMPLATE_TEST_CASE("a use never brings an erased blob back", "[catalog]", Memory, Rocks, Cached) {
  suite::touching_while_erasing(TestType().get());
}
TEMPLATE_TEST_CASE("a catalog is used by many threads", "[catalog]", Memory, Rocks, Cached) {
  suite::many_threads(TestType().get());
}

}  // namespace paddock

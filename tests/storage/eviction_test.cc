#include "storage/eviction.h"

#include <catch2/catch.hpp>
#include <set>

#include "storage/disk_blob_store.h"
#include "storage/space.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_catalog.h"
#include "tests/support/memory_file_system.h"

namespace paddock {
namespace {

const RepositoryKey paddle{"registry.example.com", "paddlepaddle/paddle"};

// A store of blobs of 100 bytes each, put one second apart.
struct Fixture {
  MemoryFileSystem disk;
  FaultFileSystem fs{disk};
  ManualClock clock;
  MemoryCatalog catalog;
  LastUse last_use{catalog, clock};
  Space space{fs, {.folder = "/data", .max_size = 1000}};
  DataPaths paths = DataFolder::open(fs, "/data").value().paths();
  DiskBlobStore blobs{fs, paths, catalog, space, clock, {.on_use = [this](const Digest& d) { last_use.record(d); }}};

  static std::string content(const std::string& name) { return name + std::string(100 - name.size(), '.'); }
  static Digest digest(const std::string& name) { return Digest::of(content(name)); }

  void put(const std::string& name) {
    REQUIRE(blobs.put(digest(name), content(name)));
    clock.advance(std::chrono::seconds(1));
  }
  void put_all(const std::vector<std::string>& names) {
    for (const auto& name : names) put(name);
  }
  void put_manifest(const std::string& name, const std::vector<Digest>& children) {
    put(name);
    REQUIRE(catalog.put_manifest(paddle, digest(name),
                                 {"application/vnd.oci.image.manifest.v1+json", content(name), children}));
  }
  void pin(const std::string& name, std::optional<WallTime> until = std::nullopt) {
    REQUIRE(catalog.put_pin({paddle, name, digest(name), until}));
  }
  bool there(const std::string& name) { return catalog.blob(digest(name)).value().has_value(); }
  // The names of `names` that are still there.
  std::set<std::string> left(const std::vector<std::string>& names) {
    std::set<std::string> out;
    for (const auto& name : names) {
      if (there(name)) out.insert(name);
    }
    return out;
  }
  Evictor evictor(Evictor::Options options = {}) {
    return Evictor(catalog, blobs, last_use, clock, std::move(options));
  }
};

using Names = std::set<std::string>;

}  // namespace

TEST_CASE_METHOD(Fixture, "the least recently used blobs go first", "[eviction]") {
  put_all({"a", "b", "c", "d"});
  auto sut = evictor();
  CHECK(sut.evict(150) == 200);
  CHECK(left({"a", "b", "c", "d"}) == Names{"c", "d"});
  CHECK(sut.stats().blobs == 2);
  CHECK(sut.stats().bytes == 200);
  CHECK(space.usage().stored == 200);
}

TEST_CASE_METHOD(Fixture, "a use that was not flushed yet counts", "[eviction]") {
  put_all({"a", "b", "c"});
  REQUIRE(blobs.open(digest("a")));
  auto sut = evictor();
  CHECK(sut.evict(1) == 100);
  CHECK(left({"a", "b", "c"}) == Names{"a", "c"});
}

TEST_CASE_METHOD(Fixture, "a blob that is used while the eviction runs stays", "[eviction]") {
  put_all({"a", "b", "c"});
  auto sut = evictor({.in_use = [this](const Digest& d) {
    if (d == digest("a")) last_use.record(digest("b"));
    return false;
  }});
  CHECK(sut.evict(200) == 200);
  CHECK(left({"a", "b", "c"}) == Names{"b"});
}

TEST_CASE_METHOD(Fixture, "blobs in use stay", "[eviction]") {
  put_all({"a", "b", "c"});
  auto sut = evictor({.in_use = [](const Digest& d) { return d == digest("a"); }});
  CHECK(sut.evict(100) == 100);
  CHECK(left({"a", "b", "c"}) == Names{"a", "c"});
}

TEST_CASE_METHOD(Fixture, "manifests stay, their layers go", "[eviction]") {
  put("layer");
  put_manifest("manifest", {digest("layer")});
  put("younger");
  auto sut = evictor();
  CHECK(sut.evict(1000) == 200);
  CHECK(left({"layer", "manifest", "younger"}) == Names{"manifest"});
  CHECK(catalog.linked(paddle, digest("layer")).value());  // so that only the layer is filled again
}

TEST_CASE_METHOD(Fixture, "a pin keeps all that its manifest reaches, through indexes and cycles", "[eviction]") {
  put_all({"layer1", "layer2", "config", "loose"});
  put_manifest("arm", {digest("layer1"), digest("index")});  // hostile: names its parent
  put_manifest("amd", {digest("config"), digest("layer2"), digest("never stored")});
  put_manifest("index", {digest("arm"), digest("amd"), digest("index")});
  pin("index");
  auto sut = evictor();
  CHECK(sut.evict(1000) == 100);
  CHECK(left({"layer1", "layer2", "config", "loose"}) == Names{"layer1", "layer2", "config"});
}

TEST_CASE_METHOD(Fixture, "a pin ends at its time", "[eviction]") {
  put_all({"layer", "young"});
  put_manifest("manifest", {digest("layer")});
  pin("manifest", clock.wall() + std::chrono::seconds(60));
  auto sut = evictor();
  clock.advance(std::chrono::seconds(59));
  CHECK(sut.evict(100) == 100);
  CHECK(left({"layer", "young"}) == Names{"layer"});
  clock.advance(std::chrono::seconds(1));
  CHECK(sut.evict(100) == 100);
  CHECK_FALSE(there("layer"));
}

TEST_CASE_METHOD(Fixture, "a layer stays while any pin reaches it", "[eviction]") {
  put("shared");
  put_manifest("expired", {digest("shared")});
  put_manifest("current", {digest("shared")});
  pin("expired", clock.wall() - std::chrono::seconds(1));
  pin("current");
  CHECK(evictor().evict(100) == 0);
  CHECK(there("shared"));
}

TEST_CASE_METHOD(Fixture, "nothing to evict frees nothing", "[eviction]") {
  auto sut = evictor();
  CHECK(sut.evict(100) == 0);
  put_manifest("manifest", {});
  CHECK(sut.evict(100) == 0);
  CHECK(sut.stats().blobs == 0);
}

TEST_CASE_METHOD(Fixture, "a little more than asked is freed", "[eviction]") {
  put_all({"a", "b", "c", "d"});
  CHECK(evictor({.slack = 101}).evict(100) == 300);
  CHECK(evictor({.slack = UINT64_MAX}).evict(UINT64_MAX) == 100);
}

TEST_CASE_METHOD(Fixture, "without readable pins nothing is evicted", "[eviction]") {
  put_all({"a", "b"});
  catalog.fail_with(Error{ErrorCode::corrupt, Blame::us, "broken"});
  CHECK(evictor().evict(100) == 0);
  catalog.fail_with(std::nullopt);
  CHECK(left({"a", "b"}) == Names{"a", "b"});
}

TEST_CASE_METHOD(Fixture, "files that cannot be removed are given up after some tries", "[eviction]") {
  std::vector<std::string> names;
  for (int i = 0; i < 9; ++i) names.push_back(std::to_string(i));
  put_all(names);
  fs.fail_all(FaultFileSystem::Op::remove, ErrorCode::denied);
  auto sut = evictor();
  CHECK(sut.evict(100) == 0);
  fs.clear();
  CHECK(left(names).size() == 9);
  CHECK(sut.evict(100) == 100);
}

TEST_CASE_METHOD(Fixture, "a row whose file is gone is passed over and mended", "[eviction]") {
  put_all({"a", "b"});
  REQUIRE(disk.remove(paths.blob(digest("a"))));
  CHECK(evictor().evict(100) == 100);
  CHECK(left({"a", "b"}).empty());
  CHECK(space.usage().stored == 0);
}

TEST_CASE_METHOD(Fixture, "a reservation that does not fit evicts the oldest", "[eviction]") {
  auto sut = evictor();
  space.set_evictor([&](std::uint64_t bytes) { return sut.evict(bytes); });
  std::vector<std::string> names;
  for (int i = 0; i < 12; ++i) names.push_back(std::to_string(i));
  put_all(names);
  CHECK(left(names) == Names{"2", "3", "4", "5", "6", "7", "8", "9", "10", "11"});
  CHECK(space.usage().stored == 1000);
  CHECK(space.usage().reserved == 0);
}

TEST_CASE_METHOD(Fixture, "a reservation fails when pins hold everything", "[eviction]") {
  auto sut = evictor();
  space.set_evictor([&](std::uint64_t bytes) { return sut.evict(bytes); });
  std::vector<Digest> children;
  for (int i = 0; i < 9; ++i) {
    put(std::to_string(i));
    children.push_back(digest(std::to_string(i)));
  }
  put_manifest("manifest", children);
  pin("manifest");
  const auto result = blobs.put(digest("more"), content("more"));
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::no_space);
  REQUIRE(catalog.erase_pin(paddle, "manifest"));
  CHECK(blobs.put(digest("more"), content("more")));
  CHECK_FALSE(there("0"));
}

TEST_CASE_METHOD(Fixture, "an evicted blob stays readable for whoever has it open", "[eviction]") {
  put("a");
  const auto blob = blobs.open(digest("a"));
  REQUIRE(blob);
  REQUIRE(last_use.flush());
  CHECK(evictor().evict(1) == 100);
  std::string bytes(100, '\0');
  CHECK(blob->file->read_at(0, std::as_writable_bytes(std::span(bytes))).value() == 100);
  CHECK(bytes == content("a"));
}

}  // namespace paddock

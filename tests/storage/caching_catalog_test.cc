#include "storage/caching_catalog.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "tests/support/memory_catalog.h"

namespace paddock {
namespace {

const RepositoryKey paddle{"registry.example.com", "paddlepaddle/paddle"};
const RepositoryKey other{"registry.example.com", "paddlepaddle/serving"};
const std::string image_type = "application/vnd.oci.image.manifest.v1+json";

WallTime at(int seconds) { return WallTime(std::chrono::seconds(1'700'000'000 + seconds)); }

struct Fixture {
  explicit Fixture(CachingCatalog::Limits limits = {}) : catalog(std::unique_ptr<Catalog>(inner), limits) {}
  void inner_fails() const { inner->fail_with(Error{ErrorCode::io, Blame::us, "the disk failed"}); }
  void inner_works() const { inner->fail_with(std::nullopt); }

  MemoryCatalog* const inner = new MemoryCatalog;  // NOLINT(cppcoreguidelines-owning-memory): the catalog's
  CachingCatalog catalog;
  const Digest manifest = Digest::of("manifest"), layer = Digest::of("layer");
};

// All that is remembered of an image.
void fill_and_read(Fixture& f) {
  REQUIRE(f.catalog.put_manifest(paddle, f.manifest, {image_type, "manifest", {f.layer}}));
  REQUIRE(f.catalog.put_tag(paddle, "3.0", {f.manifest, at(0), at(0)}));
  REQUIRE(f.catalog.put_blob(f.layer, {.size = 5, .last_used = at(0)}));
  CHECK(f.catalog.tag(paddle, "3.0").value().has_value());
  CHECK(f.catalog.holds(paddle, f.manifest).value());
  CHECK(f.catalog.linked(paddle, f.layer).value());
  CHECK(f.catalog.blob(f.layer).value().has_value());
}

TEST_CASE("what was read once is in memory, and answered while the catalog below cannot be read") {
  Fixture f;
  CHECK_FALSE(f.catalog.recent_tag(paddle, "3.0"));
  CHECK_FALSE(f.catalog.recently_held(paddle, f.manifest));
  CHECK_FALSE(f.catalog.recently_linked(paddle, f.layer));
  fill_and_read(f);
  f.inner_fails();
  CHECK(f.catalog.recent_tag(paddle, "3.0")->digest == f.manifest);
  CHECK(f.catalog.recently_held(paddle, f.manifest));
  CHECK(f.catalog.recently_linked(paddle, f.layer));
  CHECK(f.catalog.tag(paddle, "3.0").value()->digest == f.manifest);
  CHECK(f.catalog.linked(paddle, f.layer).value());
  CHECK(f.catalog.blob(f.layer).value()->size == 5);
}

TEST_CASE("one repository's links and holdings are not another's, nor each other") {
  Fixture f;
  fill_and_read(f);
  CHECK_FALSE(f.catalog.recently_linked(other, f.layer));
  CHECK_FALSE(f.catalog.recently_held(other, f.manifest));
  CHECK_FALSE(f.catalog.recently_held(paddle, f.layer));
  CHECK_FALSE(f.catalog.holds(paddle, f.layer).value());
  CHECK_FALSE(f.catalog.recent_tag(other, "3.0"));
}

TEST_CASE("that something is missing is not remembered") {
  Fixture f;
  CHECK_FALSE(f.catalog.tag(paddle, "3.0").value());
  CHECK_FALSE(f.catalog.linked(paddle, f.layer).value());
  CHECK_FALSE(f.catalog.blob(f.layer).value());
  fill_and_read(f);
}

TEST_CASE("a write is seen at once") {
  Fixture f;
  fill_and_read(f);
  const Digest moved = Digest::of("another manifest");
  REQUIRE(f.catalog.put_tag(paddle, "3.0", {moved, at(1), at(1)}));
  CHECK(f.catalog.tag(paddle, "3.0").value()->digest == moved);
  REQUIRE(f.catalog.erase_tag(paddle, "3.0"));
  CHECK_FALSE(f.catalog.recent_tag(paddle, "3.0"));
  CHECK_FALSE(f.catalog.tag(paddle, "3.0").value());
  REQUIRE(f.catalog.put_blob(f.layer, {.size = 6, .last_used = at(1)}));
  CHECK(f.catalog.blob(f.layer).value()->size == 6);
  REQUIRE(f.catalog.erase_blob(f.layer));
  CHECK_FALSE(f.catalog.blob(f.layer).value());
}

TEST_CASE("a write that failed is forgotten too, as nobody knows what it left behind") {
  Fixture f;
  fill_and_read(f);
  f.inner_fails();
  CHECK_FALSE(f.catalog.put_tag(paddle, "3.0", {f.manifest, at(0), at(9)}));
  CHECK_FALSE(f.catalog.recent_tag(paddle, "3.0"));
  CHECK_FALSE(f.catalog.erase_blob(f.layer));
  CHECK_FALSE(f.catalog.blob(f.layer));
  f.inner_works();
  CHECK(f.catalog.tag(paddle, "3.0").value()->validated == at(0));
}

TEST_CASE("with a manifest go its tags and links") {
  Fixture f;
  fill_and_read(f);
  REQUIRE(f.catalog.erase_manifest(f.manifest));
  CHECK_FALSE(f.catalog.recent_tag(paddle, "3.0"));
  CHECK_FALSE(f.catalog.recently_held(paddle, f.manifest));
  CHECK_FALSE(f.catalog.tag(paddle, "3.0").value());
  CHECK_FALSE(f.catalog.holds(paddle, f.manifest).value());
}

TEST_CASE("a cleared catalog remembers nothing") {
  Fixture f;
  fill_and_read(f);
  REQUIRE(f.catalog.clear());
  CHECK_FALSE(f.catalog.recent_tag(paddle, "3.0"));
  CHECK_FALSE(f.catalog.linked(paddle, f.layer).value());
  CHECK_FALSE(f.catalog.blob(f.layer).value());
}

TEST_CASE("last uses reach what is remembered, unless they could not be written") {
  Fixture f;
  fill_and_read(f);
  const std::vector<std::pair<Digest, WallTime>> uses{{f.layer, at(50)}, {Digest::of("unknown"), at(50)}};
  REQUIRE(f.catalog.touch(uses));
  CHECK(f.catalog.blob(f.layer).value()->last_used == at(50));
  REQUIRE(f.catalog.touch(std::vector<std::pair<Digest, WallTime>>{{f.layer, at(20)}}));
  CHECK(f.catalog.blob(f.layer).value()->last_used == f.inner->blob(f.layer).value()->last_used);
  f.inner_fails();
  CHECK(f.catalog.blob(f.layer).value()->size == 5);
  CHECK_FALSE(f.catalog.touch(uses));
  CHECK_FALSE(f.catalog.blob(f.layer));
}

TEST_CASE("what a failed erasing or clearing concerns is forgotten") {
  Fixture f;
  fill_and_read(f);
  const bool clears = GENERATE(false, true);
  f.inner_fails();
  CHECK_FALSE((clears ? f.catalog.clear() : f.catalog.erase_manifest(f.manifest)));
  CHECK_FALSE(f.catalog.recent_tag(paddle, "3.0"));
  CHECK_FALSE(f.catalog.recently_held(paddle, f.manifest));
  CHECK_FALSE(f.catalog.recently_linked(paddle, f.layer));
  CHECK_FALSE(f.catalog.blob(f.layer));
}

TEST_CASE("what was read while it was written is not remembered") {
  Fixture f;
  fill_and_read(f);
  f.catalog.clear();
  REQUIRE(f.inner->put_manifest(paddle, f.manifest, {image_type, "manifest", {f.layer}}));
  REQUIRE(f.inner->put_tag(paddle, "3.0", {f.manifest, at(0), at(0)}));
  REQUIRE(f.inner->put_blob(f.layer, {.size = 5, .last_used = at(0)}));
  SECTION("a tag") {
    f.inner->after_next_read([&] { REQUIRE(f.catalog.erase_tag(paddle, "3.0")); });
    CHECK(f.catalog.tag(paddle, "3.0").value().has_value());
    CHECK_FALSE(f.catalog.recent_tag(paddle, "3.0"));
  }
  SECTION("who holds a manifest") {
    f.inner->after_next_read([&] { REQUIRE(f.catalog.erase_manifest(f.manifest)); });
    CHECK(f.catalog.holds(paddle, f.manifest).value());
    CHECK_FALSE(f.catalog.recently_held(paddle, f.manifest));
  }
  SECTION("a blob") {
    f.inner->after_next_read([&] { REQUIRE(f.catalog.erase_blob(f.layer)); });
    CHECK(f.catalog.blob(f.layer).value().has_value());
    CHECK_FALSE(f.catalog.blob(f.layer).value().has_value());
  }
}

TEST_CASE("only so much is remembered") {
  Fixture f({.tags = 2, .links = 2});
  for (const std::string tag : {"a", "b", "c"}) {
    REQUIRE(f.catalog.put_tag(paddle, tag, {f.manifest, at(0), at(0)}));
    CHECK(f.catalog.tag(paddle, tag).value().has_value());
  }
  CHECK_FALSE(f.catalog.recent_tag(paddle, "a"));
  CHECK(f.catalog.recent_tag(paddle, "b").has_value());
  CHECK(f.catalog.recent_tag(paddle, "c").has_value());
  for (const std::string text : {"a", "b", "c"}) {
    REQUIRE(f.catalog.link(paddle, Digest::of(text)));
    REQUIRE(f.catalog.linked(paddle, Digest::of(text)).value());
  }
  CHECK_FALSE(f.catalog.recently_linked(paddle, Digest::of("a")));
  CHECK(f.catalog.recently_linked(paddle, Digest::of("c")));
}

TEST_CASE("nothing older than the last write that has returned is answered, whatever runs beside it") {
  Fixture f;
  constexpr int last = 3000;
  std::atomic<int> written{0};
  std::atomic<int> outdated{0};
  REQUIRE(f.catalog.put_tag(paddle, "3.0", {f.manifest, at(0), at(0)}));
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (written < last) {
        const int least = written;
        const auto read = f.catalog.tag(paddle, "3.0");
        if (!read || !*read || (*read)->validated < at(least)) ++outdated;
        const auto recent = f.catalog.recent_tag(paddle, "3.0");
        if (recent && recent->validated < at(least)) ++outdated;
      }
    });
  }
  for (int i = 1; i <= last; ++i) {
    CHECK(f.catalog.put_tag(paddle, "3.0", {f.manifest, at(0), at(i)}));
    written = i;
  }
  for (auto& reader : readers) reader.join();
  CHECK(outdated == 0);
}

}  // namespace
}  // namespace paddock

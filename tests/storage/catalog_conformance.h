// What every Catalog must do, whatever it is made of. catalog_test.cc runs each function on an empty catalog of each
// implementation.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/catalog.h"

namespace paddock::catalog_conformance {

inline WallTime at(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }
inline const RepositoryKey paddle{"registry.example.com", "paddlepaddle/paddle"};
inline const RepositoryKey other{"registry.example.com", "library/other"};

using BlobRows = std::vector<std::pair<Digest, BlobRecord>>;

inline BlobRows all_blobs(Catalog& catalog) {
  BlobRows out;
  REQUIRE(catalog.for_each_blob([&](const Digest& digest, const BlobRecord& record) {
    out.emplace_back(digest, record);
    return true;
  }));
  std::ranges::sort(out, {}, &BlobRows::value_type::first);
  return out;
}

inline std::vector<std::string> all_tags(Catalog& catalog) {
  std::vector<std::string> out;
  REQUIRE(catalog.for_each_tag([&](const RepositoryKey& key, const std::string& tag, const TagRecord&) {
    out.push_back(key.upstream + " " + key.repository + " " + tag);
    return true;
  }));
  return out;
}

inline ManifestRecord manifest_with(std::string content, std::vector<Digest> children = {}) {
  return {"application/vnd.oci.image.manifest.v1+json", std::move(content), std::move(children)};
}

inline void blobs(Catalog& catalog) {
  const Digest a = Digest::of("a");
  const Digest b = Digest::of("b", Digest::Algorithm::sha512);
  CHECK(catalog.blob(a).value() == std::nullopt);
  REQUIRE(catalog.put_blob(a, {1, at(10)}));
  REQUIRE(catalog.put_blob(b, {UINT64_MAX, at(-5)}));
  CHECK(catalog.blob(a).value() == BlobRecord{1, at(10)});
  CHECK(catalog.blob(b).value() == BlobRecord{UINT64_MAX, at(-5)});
  REQUIRE(catalog.put_blob(a, {2, at(20)}));
  CHECK(all_blobs(catalog) == BlobRows{{a, {2, at(20)}}, {b, {UINT64_MAX, at(-5)}}});
  REQUIRE(catalog.erase_blob(a));
  REQUIRE(catalog.erase_blob(a));
  CHECK(catalog.blob(a).value() == std::nullopt);
  CHECK(all_blobs(catalog).size() == 1);
}

inline void visits_stop(Catalog& catalog) {
  for (const char* name : {"a", "b", "c"}) {
    REQUIRE(catalog.put_blob(Digest::of(name), {}));
    REQUIRE(catalog.put_tag(paddle, name, {Digest::of(name), {}, {}}));
  }
  int seen = 0;
  REQUIRE(catalog.for_each_blob([&](const Digest&, const BlobRecord&) { return ++seen < 2; }));
  CHECK(seen == 2);
  REQUIRE(catalog.for_each_tag([&](const RepositoryKey&, const std::string&, const TagRecord&) { return ++seen < 4; }));
  CHECK(seen == 4);
}

inline void visits_may_change_the_catalog(Catalog& catalog) {
  for (const char* name : {"a", "b", "c"}) REQUIRE(catalog.put_blob(Digest::of(name), {}));
  int seen = 0;
  REQUIRE(catalog.for_each_blob([&](const Digest& digest, const BlobRecord&) {
    ++seen;
    for (const char* name : {"a", "b", "c", "d"}) {
      if (Digest::of(name) != digest) CHECK(catalog.erase_blob(Digest::of(name)));
    }
    return catalog.put_blob(Digest::of("new" + std::to_string(seen)), {}).has_value();
  }));
  CHECK(seen == 3);  // the snapshot's rows, and none of the new
}

inline void touching(Catalog& catalog) {
  const Digest a = Digest::of("a");
  const Digest absent = Digest::of("absent");
  REQUIRE(catalog.put_blob(a, {7, at(10)}));
  const std::vector<std::pair<Digest, WallTime>> uses{{absent, at(30)}, {a, at(30)}};
  REQUIRE(catalog.touch(uses));
  CHECK(catalog.blob(a).value() == BlobRecord{7, at(30)});
  CHECK(catalog.blob(absent).value() == std::nullopt);
  REQUIRE(catalog.touch({}));
}

inline void manifests(Catalog& catalog) {
  using namespace std::string_literals;
  const Digest digest = Digest::of("m");
  const Digest config = Digest::of("config");
  const Digest layer = Digest::of("layer", Digest::Algorithm::sha512);
  CHECK(catalog.manifest(digest).value() == std::nullopt);
  const auto record = manifest_with("{\"a\":\0 \xff\n}"s, {config, layer});
  REQUIRE(catalog.put_manifest(paddle, digest, record));
  CHECK(catalog.manifest(digest).value() == record);
  CHECK(catalog.linked(paddle, digest).value());
  CHECK(catalog.linked(paddle, config).value());
  CHECK(catalog.linked(paddle, layer).value());
  CHECK_FALSE(catalog.linked(other, digest).value());
  CHECK_FALSE(catalog.linked(other, layer).value());

  CHECK(catalog.holds(paddle, digest).value());
  CHECK_FALSE(catalog.holds(other, digest).value());
  CHECK_FALSE(catalog.holds(paddle, layer).value());  // named only
  REQUIRE(catalog.link(other, digest));
  CHECK_FALSE(catalog.holds(other, digest).value());  // linked only

  const auto big = manifest_with(std::string(4U << 20U, 'x'));
  REQUIRE(catalog.put_manifest(paddle, Digest::of("big"), big));
  CHECK(catalog.manifest(Digest::of("big")).value() == big);
  const auto empty = ManifestRecord{};
  REQUIRE(catalog.put_manifest(paddle, Digest::of("empty"), empty));
  CHECK(catalog.manifest(Digest::of("empty")).value() == empty);
}

// Anybody may push an index that names somebody else's layer.
inline void indexes_link_nothing(Catalog& catalog) {
  const Digest layer = Digest::of("layer");
  int number = 0;
  for (const auto* type : {"application/vnd.oci.image.index.v1+json", "Application/vnd.oci.image.manifest.v1+JSON",
                           "application/vnd.docker.distribution.manifest.list.v2+json", "application/json", ""}) {
    const Digest digest = Digest::of("index " + std::to_string(number++));
    const ManifestRecord record{type, "index", {layer}};
    REQUIRE(catalog.put_manifest(paddle, digest, record));
    CHECK(catalog.manifest(digest).value() == record);
    CHECK(catalog.linked(paddle, digest).value());
    CHECK_FALSE(catalog.linked(paddle, layer).value());
  }
}

// What one repository's upstream says of bytes that another's delivered too must not change how that one serves them.
inline void first_record_of_a_manifest_stays(Catalog& catalog) {
  const Digest digest = Digest::of("m");
  const auto first = manifest_with("m", {Digest::of("layer")});
  const ManifestRecord second{
      "application/vnd.docker.distribution.manifest.v2+json", "m", {Digest::of("something else")}};
  REQUIRE(catalog.put_manifest(paddle, digest, first));
  REQUIRE(catalog.put_manifest(other, digest, second));
  CHECK(catalog.manifest(digest).value() == first);
  CHECK(catalog.holds(other, digest).value());
  CHECK(catalog.linked(other, Digest::of("something else")).value());
  CHECK_FALSE(catalog.linked(other, Digest::of("layer")).value());
  CHECK_FALSE(catalog.linked(paddle, Digest::of("something else")).value());
  REQUIRE(catalog.erase_manifest(digest));
  REQUIRE(catalog.put_manifest(other, digest, second));
  CHECK(catalog.manifest(digest).value() == second);
}

inline void erasing_manifests(Catalog& catalog) {
  const Digest gone = Digest::of("gone");
  const Digest kept = Digest::of("kept");
  const Digest layer = Digest::of("layer");
  REQUIRE(catalog.put_manifest(paddle, gone, manifest_with("1", {layer})));
  REQUIRE(catalog.put_manifest(other, gone, manifest_with("1", {layer})));
  REQUIRE(catalog.put_manifest(other, kept, manifest_with("2", {layer})));
  REQUIRE(catalog.put_tag(paddle, "latest", {gone, at(1), at(1)}));
  REQUIRE(catalog.put_tag(other, "1.0", {gone, at(1), at(1)}));
  REQUIRE(catalog.put_tag(other, "2.0", {kept, at(1), at(1)}));

  REQUIRE(catalog.erase_manifest(gone));
  CHECK(catalog.manifest(gone).value() == std::nullopt);
  CHECK(all_tags(catalog) == std::vector<std::string>{"registry.example.com library/other 2.0"});
  CHECK_FALSE(catalog.linked(paddle, gone).value());
  CHECK_FALSE(catalog.linked(other, gone).value());
  CHECK_FALSE(catalog.holds(paddle, gone).value());
  CHECK_FALSE(catalog.holds(other, gone).value());
  CHECK(catalog.holds(other, kept).value());
  CHECK(catalog.linked(paddle, layer).value());
  CHECK(catalog.linked(other, kept).value());
  CHECK(catalog.repositories({}, 10).value() == std::vector{other});
  REQUIRE(catalog.erase_manifest(gone));
  CHECK(catalog.manifest(kept).value() == manifest_with("2", {layer}));
}

inline void links(Catalog& catalog) {
  const Digest a = Digest::of("a");
  CHECK_FALSE(catalog.linked(paddle, a).value());
  REQUIRE(catalog.link(paddle, a));
  REQUIRE(catalog.link(paddle, a));
  CHECK(catalog.linked(paddle, a).value());
  CHECK_FALSE(catalog.linked(paddle, Digest::of("b")).value());
  CHECK_FALSE(catalog.linked({"registry.example.com", "paddlepaddle"}, a).value());
  CHECK_FALSE(catalog.linked({"registry.example.co", "m/paddlepaddle/paddle"}, a).value());
  CHECK_FALSE(catalog.linked({"elsewhere.example.com", "paddlepaddle/paddle"}, a).value());
  CHECK(catalog.repositories({}, 10).value().empty());  // a link alone is no manifest
}

inline void tags(Catalog& catalog) {
  const TagRecord record{Digest::of("m"), at(100), at(200)};
  CHECK(catalog.tag(paddle, "1.0").value() == std::nullopt);
  for (const char* tag : {"b", "a", "a-1", "Z", "a.1", "a0"}) REQUIRE(catalog.put_tag(paddle, tag, record));
  REQUIRE(catalog.put_tag({"registry.example.com", "paddlepaddle/paddle2"}, "x", record));
  REQUIRE(catalog.put_tag({"registry.example.com", "paddlepaddle"}, "y", record));
  REQUIRE(catalog.put_tag({"a.example.com", "zzz"}, "z", record));
  CHECK(catalog.tag(paddle, "a-1").value() == record);
  CHECK(catalog.tag(paddle, "a-").value() == std::nullopt);
  CHECK(catalog.tag(other, "a").value() == std::nullopt);

  using Names = std::vector<std::string>;
  CHECK(catalog.tags(paddle, "", 100).value() == Names{"Z", "a", "a-1", "a.1", "a0", "b"});
  CHECK(catalog.tags(paddle, "a", 2).value() == Names{"a-1", "a.1"});
  CHECK(catalog.tags(paddle, "a/", 1).value() == Names{"a0"});  // `last` need not exist
  CHECK(catalog.tags(paddle, "b", 2).value().empty());
  CHECK(catalog.tags(paddle, "zzzz", 2).value().empty());
  CHECK(catalog.tags(paddle, "", 0).value().empty());
  CHECK(catalog.tags(other, "", 5).value().empty());
  CHECK(all_tags(catalog).front() == "a.example.com zzz z");
  CHECK(all_tags(catalog).at(1) == "registry.example.com paddlepaddle y");
  CHECK(all_tags(catalog).back() == "registry.example.com paddlepaddle/paddle2 x");

  const TagRecord moved{Digest::of("n", Digest::Algorithm::sha512), at(300), at(300)};
  REQUIRE(catalog.put_tag(paddle, "a", moved));
  CHECK(catalog.tag(paddle, "a").value() == moved);
  REQUIRE(catalog.erase_tag(paddle, "a"));
  REQUIRE(catalog.erase_tag(paddle, "a"));
  CHECK(catalog.tag(paddle, "a").value() == std::nullopt);
  CHECK(catalog.tag(paddle, "a-1").value() == record);
}

inline void repositories(Catalog& catalog) {
  const std::vector<RepositoryKey> ordered{
      {"a.example.com", "z"},   {"b.example.com", "a"},  {"b.example.com", "a\x01"}, {"b.example.com", "a-b"},
      {"b.example.com", "a/b"}, {"b.example.com", "ab"}, {"b.example.com", "\xff"},  {"b.example.com.", "a"}};
  for (auto key = ordered.rbegin(); key != ordered.rend(); ++key) {
    for (const char* name : {"1", "2", "3"}) {
      REQUIRE(catalog.put_manifest(*key, Digest::of(name), manifest_with(name)));
    }
  }
  CHECK(catalog.repositories({}, 100).value() == ordered);
  CHECK(catalog.repositories({}, 0).value().empty());
  std::vector<RepositoryKey> paged;
  for (std::optional<RepositoryKey> last;;) {
    const auto page = catalog.repositories(last, 3).value();
    paged.insert(paged.end(), page.begin(), page.end());
    if (page.size() < 3) break;
    last = page.back();
  }
  CHECK(paged == ordered);
  const RepositoryKey absent{"b.example.com", "aa"};
  CHECK(catalog.repositories(absent, 1).value().at(0).repository == "ab");
}

inline void pins(Catalog& catalog) {
  CHECK(catalog.pins().value().empty());
  const PinRecord forever{paddle, "2.6.1", Digest::of("a"), std::nullopt};
  const PinRecord limited{other, Digest::of("b").to_string(), Digest::of("b"), at(1000)};
  REQUIRE(catalog.put_pin(forever));
  REQUIRE(catalog.put_pin(limited));
  CHECK(catalog.pins().value() == std::vector{limited, forever});
  PinRecord renewed = forever;
  renewed.until = at(2000);
  REQUIRE(catalog.put_pin(renewed));
  CHECK(catalog.pins().value() == std::vector{limited, renewed});
  REQUIRE(catalog.erase_pin(other, limited.reference));
  REQUIRE(catalog.erase_pin(other, "2.6.1"));
  CHECK(catalog.pins().value() == std::vector{renewed});
}

inline void hostile_names(Catalog& catalog) {
  using namespace std::string_literals;
  const RepositoryKey split{"registry.example.com", "a\0b"s};
  const auto refused = [](const Result<void>& result) {
    return !result && result.error().code == ErrorCode::invalid_argument;
  };
  CHECK(refused(catalog.link(split, Digest::of("a"))));
  CHECK(refused(catalog.put_manifest(split, Digest::of("a"), {})));
  CHECK(refused(catalog.put_tag(split, "t", {Digest::of("a"), {}, {}})));
  CHECK(refused(catalog.put_tag(paddle, "t\0u"s, {Digest::of("a"), {}, {}})));
  CHECK(refused(catalog.put_pin({paddle, "t\0u"s, Digest::of("a"), {}})));
  CHECK(refused(catalog.put_pin({split, "t", Digest::of("a"), {}})));
  CHECK(all_tags(catalog).empty());
}

inline void clearing(Catalog& catalog) {
  REQUIRE(catalog.put_blob(Digest::of("a"), {}));
  REQUIRE(catalog.put_manifest(paddle, Digest::of("m"), manifest_with("m")));
  REQUIRE(catalog.put_tag(paddle, "t", {Digest::of("m"), {}, {}}));
  REQUIRE(catalog.put_pin({paddle, "t", Digest::of("m"), {}}));
  REQUIRE(catalog.clear());
  CHECK(all_blobs(catalog).empty());
  CHECK(all_tags(catalog).empty());
  CHECK(catalog.pins().value().empty());
  CHECK(catalog.repositories({}, 10).value().empty());
  CHECK(catalog.manifest(Digest::of("m")).value() == std::nullopt);
  CHECK_FALSE(catalog.linked(paddle, Digest::of("m")).value());
  REQUIRE(catalog.put_blob(Digest::of("b"), {3, at(4)}));
  REQUIRE(catalog.flush());
  CHECK(all_blobs(catalog).size() == 1);
}

// A use that is written while the blob goes away must not bring it back.
inline void touching_while_erasing(Catalog& catalog) {
  const Digest digest = Digest::of("a");
  const std::vector<std::pair<Digest, WallTime>> uses(64, {digest, at(1)});
  for (int round = 0; round < 20; ++round) {
    REQUIRE(catalog.put_blob(digest, {1, at(0)}));
    bool touched = false;
    std::thread toucher([&] { touched = catalog.touch(uses).has_value(); });
    const bool erased = catalog.erase_blob(digest).has_value();
    toucher.join();
    REQUIRE((touched && erased));
    REQUIRE(catalog.blob(digest).value() == std::nullopt);
  }
}

inline void many_threads(Catalog& catalog) {
  std::vector<std::thread> threads;
  std::vector<int> failures(4, 0);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&catalog, &failures, t] {
      const RepositoryKey mine{"registry.example.com", "r" + std::to_string(t)};
      for (int i = 0; i < 50; ++i) {
        const Digest digest = Digest::of(std::to_string(t) + "/" + std::to_string(i));
        const bool good = catalog.put_blob(digest, {1, at(i)}) && catalog.put_manifest(mine, digest, {}) &&
                          catalog.put_tag(mine, std::to_string(i), {digest, {}, {}}) &&
                          catalog.linked(mine, digest).value_or(false) && catalog.tags(mine, "", 5) &&
                          catalog.for_each_blob([](const Digest&, const BlobRecord&) { return true; });
        if (!good) ++failures[static_cast<std::size_t>(t)];
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(failures == std::vector<int>(4, 0));
  CHECK(all_blobs(catalog).size() == 200);
  CHECK(all_tags(catalog).size() == 200);
  CHECK(catalog.repositories({}, 10).value().size() == 4);
}

}  // namespace paddock::catalog_conformance

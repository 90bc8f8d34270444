#include "proxy/upstream/referrer_pages.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "storage/digest.h"

namespace paddock {
namespace {

using nlohmann::json;
using Next = Result<std::optional<std::string>>;

constexpr std::string_view index_type = "application/vnd.oci.image.index.v1+json";

std::string page_of_digests(const std::vector<std::string>& digests) {
  json entries = json::array();
  for (const auto& digest : digests) {
    entries.push_back({{"mediaType", "application/vnd.oci.image.manifest.v1+json"}, {"digest", digest}, {"size", 2}});
  }
  return json{{"schemaVersion", 2}, {"mediaType", index_type}, {"manifests", entries}}.dump();
}

std::string page(const std::vector<std::string>& names) {
  std::vector<std::string> digests;
  digests.reserve(names.size());
  for (const auto& name : names) digests.push_back(Digest::of(name).to_string());
  return page_of_digests(digests);
}

std::string refusal(const Next& next) {
  REQUIRE_FALSE(next);
  CHECK(next.error().code == ErrorCode::protocol);
  CHECK(next.error().blame == Blame::upstream);
  return next.error().context;
}

TEST_CASE("pages are followed by the query of their link, up to the one without") {
  ReferrerPages pages;
  CHECK(pages.empty());
  CHECK(pages.add(page({"a"}), index_type, "/v2/x?page=1").value() == "?page=1");
  CHECK_FALSE(pages.empty());
  CHECK(pages.add(page({"b"}), index_type, "/v2/x?page=2").value() == "?page=2");
  CHECK_FALSE(pages.add(page({"c"}), index_type, {}).value());
  CHECK(json::parse(pages.join())["manifests"].size() == 3);
}

TEST_CASE("one page stays byte for byte") {
  ReferrerPages pages;
  const std::string only = ' ' + page({"a"});
  CHECK_FALSE(pages.add(only, index_type, {}).value());
  CHECK(pages.join() == only);
}

TEST_CASE("a link that repeats is an error, however far back it was") {
  ReferrerPages pages;
  REQUIRE(pages.add(page({"a"}), index_type, "/x?page=1"));
  REQUIRE(pages.add(page({"b"}), index_type, "/x?page=2"));
  CHECK(refusal(pages.add(page({"c"}), index_type, "/elsewhere?page=1")).contains("repeats"));
}

TEST_CASE("a page that brings nothing new and goes on is an error") {
  for (const auto& nothing : {page({}), page({"a"}), std::string(R"({"schemaVersion":2,"manifests":null})")}) {
    CAPTURE(nothing);
    ReferrerPages pages;
    REQUIRE(pages.add(page({"a", "b"}), index_type, "/x?page=1"));
    CHECK(refusal(pages.add(nothing, index_type, "/x?page=2")).contains("nothing new"));
  }
}

TEST_CASE("a page that brings nothing new may be the last") {
  ReferrerPages pages;
  REQUIRE(pages.add(page({"a"}), index_type, "/x?page=1"));
  const auto end = pages.add(page({}), index_type, {});
  REQUIRE(end);
  CHECK_FALSE(*end);
}

TEST_CASE("a referrer of an algorithm that we do not know is something new too") {
  ReferrerPages pages;
  const auto entry = page_of_digests({"blake3:" + std::string(64, '1')});
  REQUIRE(pages.add(entry, index_type, "/x?page=1"));
  CHECK(refusal(pages.add(entry, index_type, "/x?page=2")).contains("nothing new"));
}

TEST_CASE("a hundred pages are the most") {
  ReferrerPages pages;
  for (std::size_t i = 1; i < ReferrerPages::page_limit; ++i) {
    REQUIRE(pages.add(page({std::to_string(i)}), index_type, "/x?page=" + std::to_string(i)));
  }
  SECTION("one of which may be the last") { CHECK(pages.add(page({"last"}), index_type, {})); }
  SECTION("beyond them nothing is asked for") {
    CHECK(refusal(pages.add(page({"last"}), index_type, "/x?page=100")).contains("more than 100 pages"));
  }
}

TEST_CASE("a page that is no index, or a link that cannot be followed, is an error") {
  ReferrerPages pages;
  refusal(pages.add("<html>", "text/html", {}));
  refusal(pages.add(R"({"schemaVersion":2,"config":{}})", index_type, {}));
  refusal(pages.add(page({"a"}), index_type, "/x"));
}

}  // namespace
}  // namespace paddock

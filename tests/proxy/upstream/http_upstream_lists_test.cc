#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/proxy/upstream/upstream_fixture.h"

namespace paddock::test {
namespace {

struct Fixture : UpstreamFixture {
  TestImage image = registry.add_image(repository, "b", {"layer"});

  Result<TagPage> tags(std::size_t limit, const std::string& last = {}) {
    return run(up().list_tags(repository, limit, last));
  }
  Result<std::string> referrers() { return run(up().referrers(repository, image.manifest)); }
  // An index of one referrer, as one page of several.
  static Behaviour page(const std::string& name, const std::string& next) {
    const nlohmann::json entry{{"mediaType", oci_manifest_type}, {"digest", Digest::of(name).to_string()}, {"size", 2}};
    Behaviour answer{.status = 200,
                     .body = nlohmann::json{{"schemaVersion", 2},
                                            {"mediaType", oci_index_type},
                                            {"manifests", nlohmann::json::array({entry})}}
                                 .dump(),
                     .content_type = std::string(oci_index_type)};
    if (!next.empty()) answer.headers.set("Link", '<' + next + ">; rel=\"next\"");
    return answer;
  }
  std::string signature() const {
    return nlohmann::json{
        {"schemaVersion", 2},
        {"mediaType", oci_manifest_type},
        {"artifactType", "application/vnd.example.signature"},
        {"config",
         {{"mediaType", "application/vnd.oci.empty.v1+json"}, {"digest", Digest::of("{}").to_string()}, {"size", 2}}},
        {"layers", nlohmann::json::array()},
        {"subject",
         {{"mediaType", oci_manifest_type}, {"digest", image.manifest.to_string()}, {"size", image.content.size()}}}}
        .dump();
  }
};

TEST_CASE_METHOD(Fixture, "tags come in pages") {
  for (const auto* tag : {"a", "c", "d", "2.6.2-gpu-cuda11.7"}) registry.set_tag(repository, tag, image.manifest);
  const auto first = tags(2);
  REQUIRE(first);
  CHECK(first->tags == std::vector<std::string>{"2.6.2-gpu-cuda11.7", "a"});
  CHECK(first->more);
  CHECK(registry.requests().back().target == "/v2/paddlepaddle/paddle/tags/list?n=2");
  const auto second = tags(2, "a");
  CHECK(second->tags == std::vector<std::string>{"b", "c"});
  CHECK(second->more);
  const auto third = tags(2, "c");
  CHECK(third->tags == std::vector<std::string>{"d"});
  CHECK_FALSE(third->more);
  CHECK(tags(100)->tags.size() == 5);
}

TEST_CASE_METHOD(Fixture, "what follows the last tag is encoded into the request") {
  REQUIRE(tags(5, "a&n=9/..#"));
  CHECK(registry.requests().back().query("last") == "a&n=9/..#");
  CHECK(registry.requests().back().query("n") == "5");
}

TEST_CASE_METHOD(Fixture, "a list that is none, or too long, is refused") {
  CHECK(code_of(run(up().list_tags("absent/repository", 5, ""))) == ErrorCode::not_found);
  registry.script("/tags/", html_page());
  CHECK(code_of(tags(5)) == ErrorCode::protocol);
  registry.script("/tags/", {.status = 200, .body = R"({"name":"x","tags":["good","b a d"]})"});
  CHECK(code_of(tags(5)) == ErrorCode::protocol);
  registry.script("/tags/", {.status = 200, .body = R"({"name":"x","tags":null})"});
  CHECK(tags(5)->tags.empty());
  registry.script("/tags/", {.status = 403});
  CHECK(code_of(tags(5)) == ErrorCode::denied);
  auto small = options();
  small.list_limit = 10;
  use(small);
  CHECK(code_of(tags(5)) == ErrorCode::too_large);
}

TEST_CASE_METHOD(Fixture, "referrers come from the API") {
  const auto digest = registry.add_manifest(repository, signature());
  const auto index = referrers();
  REQUIRE(index);
  const auto json = nlohmann::json::parse(*index);
  REQUIRE(json["manifests"].size() == 1);
  CHECK(json["manifests"][0]["digest"] == digest.to_string());
  CHECK(registry.count() == 1);
}

TEST_CASE_METHOD(Fixture, "referrers in pages become one index") {
  registry.script("last=two", page("three", ""));
  registry.script("last=one", page("two", "/referrers/x?n=1&last=two"));
  registry.script("/referrers/", page("one", "https://elsewhere.example/v2/other/referrers/x?n=1&last=one"));
  const auto index = referrers();
  REQUIRE(index);
  const auto json = nlohmann::json::parse(*index);
  CHECK(json["schemaVersion"] == 2);
  REQUIRE(json["manifests"].size() == 3);
  for (const auto* name : {"one", "two", "three"}) {
    CHECK(std::ranges::any_of(json["manifests"],
                              [&](const auto& entry) { return entry["digest"] == Digest::of(name).to_string(); }));
  }
  // Of a link only the query counts: the next page is asked for where the first one came from.
  for (const auto& request : registry.requests()) {
    CHECK(request.path() == "/v2/paddlepaddle/paddle/referrers/" + image.manifest.to_string());
  }
}

TEST_CASE_METHOD(Fixture, "a page of referrers that cannot be had is no end of the list") {
  registry.script("last=one", {.status = 404});
  registry.script("/referrers/", page("one", "/x?last=one"));
  CHECK(code_of(referrers()) == ErrorCode::protocol);
  registry.script("/referrers/", page("one", "/x"));
  CHECK(code_of(referrers()) == ErrorCode::protocol);
}

TEST_CASE_METHOD(Fixture, "pages of referrers without an end are given up") {
  auto small = options();
  small.list_limit = 2000;
  use(small);
  registry.hook([n = std::make_shared<std::atomic<int>>(0)](const SeenRequest&) -> std::optional<Behaviour> {
    const auto number = std::to_string(++*n);
    return page(number, "/x?last=" + number);
  });
  CHECK(code_of(referrers()) == ErrorCode::too_large);
  CHECK(registry.count() < 20);
}

TEST_CASE_METHOD(Fixture, "the size that pages of referrers may have is told as a whole") {
  auto small = options();
  small.list_limit = 500;
  use(small);
  registry.script("last=two", page("three", ""));
  registry.script("last=one", page("two", "/x?last=two"));
  registry.script("/referrers/", page("one", "/x?last=one"));
  const auto index = referrers();
  REQUIRE_FALSE(index);
  CHECK(index.error().code == ErrorCode::too_large);
  CHECK(index.error().context.contains("larger than 500 bytes"));
  CHECK(registry.count("last=") >= 1);  // it was a later page that was too much
}

TEST_CASE_METHOD(Fixture, "links between pages of referrers that lead in circles are not followed round") {
  registry.script("last=two", page("three", "/x?last=one"));
  registry.script("last=one", page("two", "/x?last=two"));
  registry.script("/referrers/", page("one", "/x?last=one"));
  CHECK(code_of(referrers()) == ErrorCode::protocol);
  CHECK(registry.count("/referrers/") == 3);
}

TEST_CASE_METHOD(Fixture, "referrers in ever new pages cost a hundred requests at most") {
  registry.hook([n = std::make_shared<std::atomic<int>>(0)](const SeenRequest&) -> std::optional<Behaviour> {
    const auto number = std::to_string(++*n);
    return page(number, "/x?last=" + number);
  });
  const auto index = referrers();
  REQUIRE_FALSE(index);
  CHECK(index.error().code == ErrorCode::protocol);
  CHECK(index.error().context.contains("100 pages"));
  CHECK(registry.count() == 100);
}

TEST_CASE_METHOD(Fixture, "an image without referrers has an empty index where there is the API") {
  const auto index = referrers();
  REQUIRE(index);
  CHECK(nlohmann::json::parse(*index)["manifests"].empty());
}

TEST_CASE_METHOD(Fixture, "without the API referrers come from the tag") {
  const std::string index =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})";
  registry.add_manifest(repository, index, oci_index_type, "sha256-" + image.manifest.hex());
  registry.offer_referrers(false);
  CHECK(referrers() == index);
  for (const int status : {400, 405, 501}) {
    registry.script("/referrers/", {.status = status});
    CHECK(referrers() == index);
  }
}

TEST_CASE_METHOD(Fixture, "neither API nor tag means there are none") {
  registry.offer_referrers(false);
  CHECK(code_of(referrers()) == ErrorCode::not_found);
}

TEST_CASE_METHOD(Fixture, "referrers that are no index are a protocol error") {
  registry.script("/referrers/", html_page());
  CHECK(code_of(referrers()) == ErrorCode::protocol);
  registry.script("/referrers/", {.status = 200, .body = image.content});
  CHECK(code_of(referrers()) == ErrorCode::protocol);
  registry.offer_referrers(false);
  registry.set_tag(repository, "sha256-" + image.manifest.hex(), image.manifest);
  CHECK(code_of(referrers()) == ErrorCode::protocol);
}

TEST_CASE_METHOD(Fixture, "referrers that cannot be had are no absence") {
  registry.script("/referrers/", {.status = 403});
  CHECK(code_of(referrers()) == ErrorCode::denied);
  registry.script("/referrers/", {.status = 503}, 0);
  CHECK(code_of(referrers()) == ErrorCode::unavailable);
}

}  // namespace
}  // namespace paddock::test

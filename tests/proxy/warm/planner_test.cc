#include "proxy/warm/planner.h"

#include <algorithm>

#include "tests/proxy/warm/warm_fixture.h"

using namespace paddock;
using namespace paddock::test;

namespace {

std::uint64_t total(const PlannedImage& image) {
  std::uint64_t bytes = 0;
  for (const auto& blob : image.blobs) bytes += blob.size;
  return bytes;
}

Descriptor entry(std::string os, std::string architecture, std::string variant = "") {
  return {image_type, Digest::of("x"), 0, "", std::move(os), std::move(architecture), std::move(variant)};
}

}  // namespace

TEST_CASE_METHOD(WarmFixture, "a plain image is its config and its layers, each once, and none of it is fetched") {
  const auto digest = add_image({pattern(1000), pattern(2000), pattern(1000)}, "1.0");
  const auto image = planned("paddlepaddle/paddle:1.0");
  REQUIRE_FALSE(image.error);
  CHECK(image.name() == "up.example/paddlepaddle/paddle:1.0");
  CHECK(image.digest == digest);
  CHECK(image.blobs.size() == 3);
  CHECK(total(image) > 3000);
  CHECK(std::ranges::none_of(image.blobs, &PlannedBlob::stored));
  CHECK(upstream->count("get_blob") == 0);
}

TEST_CASE_METHOD(WarmFixture, "of an index only the platforms asked for are looked at") {
  const auto amd = add_image({pattern(1000)}), arm = add_image({pattern(5000)});
  const auto index = add_index({{"linux/amd64", amd}, {"linux/arm64", arm}, {"unknown/unknown", Digest::of("x")}}, "2");
  const auto one = planned("up.example/paddlepaddle/paddle:2");
  CHECK(one.digest == index);
  CHECK(one.platforms == std::vector<std::string>{"linux/amd64"});
  CHECK(total(one) < 2000);
  CHECK(upstream->count("get_manifest paddlepaddle/paddle " + arm.to_string()) == 0);
  CHECK(planned("paddlepaddle/paddle:2", {"all"}).platforms.size() == 2);
  const auto some = planned("paddlepaddle/paddle:2", {"linux/arm64", "linux/s390x"});
  CHECK(some.platforms == std::vector<std::string>{"linux/arm64"});
  CHECK(some.missing_platforms == std::vector<std::string>{"linux/s390x"});
}

TEST_CASE_METHOD(WarmFixture, "an index without any of the platforms says which there are") {
  add_index({{"linux/arm64", add_image({pattern(10)})}}, "2");
  const auto image = planned("paddlepaddle/paddle:2");
  REQUIRE(image.error);
  CHECK(image.error->context.contains("linux/amd64"));
  CHECK(image.error->context.contains("there are linux/arm64"));
  CHECK(image.blobs.empty());
}

TEST_CASE_METHOD(WarmFixture, "a digest is as good as a tag") {
  const auto digest = add_image({pattern(1000)});
  const auto image = planned("paddlepaddle/paddle@" + digest.to_string());
  CHECK_FALSE(image.error);
  CHECK(image.name() == "up.example/paddlepaddle/paddle@" + digest.to_string());
  CHECK(image.digest == digest);
}

TEST_CASE_METHOD(WarmFixture, "what is stored already is known to be") {
  add_image({pattern(1000), pattern(2000)}, "1.0");
  REQUIRE(blobs.put(Digest::of(pattern(1000)), pattern(1000)));
  const auto image = planned("paddlepaddle/paddle:1.0");
  CHECK(std::ranges::count_if(image.blobs, &PlannedBlob::stored) == 1);
}

TEST_CASE_METHOD(WarmFixture, "what cannot be meant is said without asking anybody") {
  set_upstreams({"paddlepaddle/*"});
  const auto [reference, code] =
      GENERATE(table<std::string, ErrorCode>({{"Paddle Paddle", ErrorCode::invalid_argument},
                                              {"", ErrorCode::invalid_argument},
                                              {"elsewhere.example/a/b:1", ErrorCode::not_found},
                                              {"up.example/secret/a:1", ErrorCode::denied}}));
  const auto image = planned(reference);
  CAPTURE(reference);
  REQUIRE(image.error);
  CHECK(image.error->code == code);
  CHECK(image.reference == reference);
  CHECK(upstream->count() == 0);
}

TEST_CASE_METHOD(WarmFixture, "an image whose manifests cannot be kept is not planned, though clients get it") {
  const auto amd = add_image({pattern(1000)}, "plain");
  add_index({{"linux/amd64", amd}}, "index");
  fs.fail_all(FaultFileSystem::Op::rename, ErrorCode::no_space);
  for (const auto* tag : {"plain", "index"}) {
    const auto image = planned("paddlepaddle/paddle:" + std::string(tag));
    REQUIRE(image.error);
    CHECK(image.error->code == ErrorCode::no_space);
  }
  fs.clear();
  CHECK_FALSE(planned("paddlepaddle/paddle:index").error);
}

TEST_CASE_METHOD(WarmFixture, "what no upstream here is for, may serve, or has heard of is not ours") {
  set_upstreams({"paddlepaddle/*", "python"});
  add_image({pattern(1000)}, "1.0");
  CHECK(planned("paddlepaddle/paddle:1.0").ours);
  CHECK(planned("paddlepaddle/paddle:9.9").ours);
  CHECK_FALSE(planned("ghcr.io/a/b:1").ours);
  CHECK_FALSE(planned("redis:7").ours);
  CHECK_FALSE(planned("python:3.8").ours);
  CHECK(planned("up.example/python:3.8").ours);
}

TEST_CASE_METHOD(WarmFixture, "an upstream that is away is an error of its own, and its tags are not asked for") {
  upstream->fail_calls("get_manifest", broken_connection, 0);
  const auto image = planned("paddlepaddle/paddle:1.0");
  REQUIRE(image.error);
  CHECK(image.error->code == ErrorCode::unavailable);
  CHECK(image.nearest.empty());
  CHECK(upstream->count("list_tags") == 0);
}

TEST_CASE_METHOD(WarmFixture, "an index within an index and what is no manifest are refused") {
  const auto inner = add_index({{"linux/amd64", add_image({pattern(10)})}}, "inner");
  add_index({{"linux/amd64", inner}}, "outer");
  CHECK(planned("paddlepaddle/paddle:outer").error);
  upstream->add_manifest(name, "<html>", image_type, "page");
  CHECK(planned("paddlepaddle/paddle:page").error->code == ErrorCode::protocol);
}

TEST_CASE("platforms are told apart by architecture, and by variant where one is asked for") {
  CHECK(is_for_platform(entry("linux", "amd64"), "linux/amd64"));
  CHECK_FALSE(is_for_platform(entry("linux", "arm64"), "linux/amd64"));
  CHECK(is_for_platform(entry("linux", "arm64", "v8"), "linux/arm64"));
  CHECK(is_for_platform(entry("linux", "arm64", "v8"), "linux/arm64/v8"));
  CHECK(is_for_platform(entry("linux", "arm64"), "linux/arm64/v8"));
  CHECK_FALSE(is_for_platform(entry("linux", "arm", "v6"), "linux/arm/v7"));
  CHECK_FALSE(is_for_platform(entry("linux", "arm"), "linux/arm/v7"));
  CHECK(platform_of(entry("linux", "arm", "v7")) == "linux/arm/v7");
}

TEST_CASE("blobs that images share count once") {
  const PlannedBlob shared{Digest::of("a"), 10}, own{Digest::of("b"), 5};
  PlannedImage one, two;
  one.blobs = {shared};
  two.blobs = {shared, own};
  CHECK(distinct_blobs({one, two}).size() == 2);
  CHECK(distinct_blobs({}).empty());
}

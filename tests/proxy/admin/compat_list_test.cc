#include "proxy/admin/compat_list.h"

#include <catch2/catch.hpp>
#include <map>

#include "tests/proxy/admin/image_builder.h"
#include "tests/proxy/admin/sample_reports.h"

namespace paddock {
namespace {

using test::ImageBuilder;

struct Store {
  MemoryCatalog catalog;
  ImageBuilder builder{catalog};
  std::map<Digest, std::string> contents;

  // A tagged image whose configuration has these variables; `stored`: whether it can be read.
  Digest put(const std::string& tag, const std::vector<std::string>& variables, bool stored = true,
             const std::string& architecture = "amd64") {
    const auto config =
        nlohmann::json{{"os", "linux"}, {"architecture", architecture}, {"config", {{"Env", variables}}}}.dump();
    if (stored) contents[Digest::of(config)] = config;
    const auto digest = builder.put_image({config, stored}, {{"layer of " + tag}});
    if (!tag.empty()) builder.put_tag(tag, digest);
    return digest;
  }

  CompatPage list(std::string_view driver, ImageQuery query = {}) {
    const ReadContent read = [this](const Digest& digest) -> Result<std::string> {
      const auto found = contents.find(digest);
      if (found == contents.end()) return fail(ErrorCode::not_found, Blame::us, "absent");
      return found->second;
    };
    return list_compat(catalog, read, {test::sample_host(driver), query}).value();
  }
};

TEST_CASE("each cached image is judged by its own configuration") {
  Store store;
  store.put("a", {"CUDA_VERSION=11.8.0"});
  store.put("b-cuda9.0", {"CUDA_VERSION=12.6.3"});
  store.put("c", {});
  const auto page = store.list("470.82.01");
  REQUIRE(page.images.size() == 3);
  CHECK(page.next.empty());
  CHECK(page.images[0].name == "registry.baidubce.com/paddlepaddle/paddle:a");
  CHECK(page.images[0].platform == "linux/amd64");
  CHECK(page.images[0].verdict->answer == Answer::runs_with_limits);
  CHECK(page.images[1].verdict->answer == Answer::does_not_run);
  CHECK(page.images[1].needs.cuda_source == CudaSource::config);
  CHECK(page.images[2].verdict->answer == Answer::needs_no_gpu);
  CHECK(store.list("525.60.13").images[0].verdict->answer == Answer::runs);
}

TEST_CASE("without its configuration the tag's word counts, and without that nothing is said") {
  Store store;
  store.put("x-cuda12.0", {"CUDA_VERSION=11.8.0"}, false);
  store.put("y", {"CUDA_VERSION=11.8.0"}, false);
  const auto page = store.list("470.82.01");
  REQUIRE(page.images.size() == 2);
  CHECK(page.images[0].needs.cuda_source == CudaSource::tag);
  CHECK(page.images[0].verdict->answer == Answer::does_not_run);
  CHECK_FALSE(page.images[1].verdict);
}

TEST_CASE("a configuration that is none counts as one that is not stored") {
  Store store;
  const auto digest = store.builder.put_image({"not JSON"}, {{"layer"}});
  store.builder.put_tag("z", digest);
  store.contents[Digest::of("not JSON")] = "not JSON";
  CHECK_FALSE(store.list("470.82.01").images.at(0).verdict);
}

TEST_CASE("of an index each platform that was fetched is judged") {
  Store store;
  const auto amd64 = store.put("", {"CUDA_VERSION=11.8.0"});
  const auto arm64 = store.put("", {"CUDA_VERSION=13.0.0"}, true, "arm64");
  const auto entry = [](const Digest& digest, const char* architecture) {
    return nlohmann::json{{"mediaType", test::image_type},
                          {"digest", digest.to_string()},
                          {"size", 100},
                          {"platform", {{"os", "linux"}, {"architecture", architecture}}}};
  };
  const nlohmann::json index = {
      {"schemaVersion", 2},
      {"mediaType", test::index_type},
      {"manifests", {entry(amd64, "amd64"), entry(arm64, "arm64"), entry(Digest::of("absent"), "ppc64le")}}};
  store.builder.put_tag("multi", store.builder.put_manifest(index.dump(), test::index_type));
  const auto page = store.list("525.60.13");
  REQUIRE(page.images.size() == 2);
  CHECK(page.images[0].platform == "linux/amd64");
  CHECK(page.images[0].verdict->answer == Answer::runs);
  CHECK(page.images[1].platform == "linux/arm64");
  CHECK(page.images[1].verdict->answer == Answer::does_not_run);
  CHECK(page.images[1].digest == arm64);
}

TEST_CASE("an index of which nothing was fetched is judged by its tag") {
  Store store;
  const nlohmann::json index = {
      {"schemaVersion", 2}, {"mediaType", test::index_type}, {"manifests", nlohmann::json::array()}};
  store.builder.put_tag("x-cuda11.8", store.builder.put_manifest(index.dump(), test::index_type));
  const auto page = store.list("525.60.13");
  REQUIRE(page.images.size() == 1);
  CHECK(page.images[0].verdict->answer == Answer::runs);
}

TEST_CASE("pages follow each other") {
  Store store;
  for (const auto* tag : {"a", "b", "c"}) store.put(tag, {"CUDA_VERSION=11.8.0"});
  auto page = store.list("535", {2, std::nullopt});
  CHECK(page.images.size() == 2);
  CHECK(page.next == "registry.baidubce.com/paddlepaddle/paddle:b");
  page = store.list("535", {2, ImageCursor{store.builder.repository, "b"}});
  CHECK(page.images.size() == 1);
  CHECK(page.next.empty());
}

}  // namespace
}  // namespace paddock

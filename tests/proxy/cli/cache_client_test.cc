#include "proxy/cli/cache_client.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/scripted_registry.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::Behaviour;
using test::ScriptedRegistry;
using Json = nlohmann::json;

constexpr const char* repository = "paddlepaddle/paddle";

Json descriptor(const std::string& content, const char* type) {
  return {{"mediaType", type}, {"digest", Digest::of(content).to_string()}, {"size", content.size()}};
}

struct Cache : ScriptedRegistry {
  // An image of this configuration and one layer.
  std::string put(const std::string& config, const std::string& tag = "") {
    add_blob(repository, config);
    const Json manifest = {{"schemaVersion", 2},
                           {"mediaType", test::oci_manifest_type},
                           {"config", descriptor(config, "application/vnd.oci.image.config.v1+json")},
                           {"layers", {descriptor("layer", "application/vnd.oci.image.layer.v1.tar")}}};
    add_blob(repository, "layer");
    add_manifest(repository, manifest.dump(), test::oci_manifest_type, tag);
    return manifest.dump();
  }

  void put_index(const std::string& tag, const std::vector<std::pair<std::string, Json>>& entries) {
    auto manifests = Json::array();
    for (const auto& [content, platform] : entries) {
      auto entry = descriptor(content, std::string(test::oci_manifest_type).c_str());
      entry["platform"] = platform;
      manifests.push_back(entry);
    }
    const Json index = {{"schemaVersion", 2}, {"mediaType", test::oci_index_type}, {"manifests", manifests}};
    add_manifest(repository, index.dump(), test::oci_index_type, tag);
  }

  Result<ImageConfiguration> ask(const std::string& image, const std::string& platform = "linux/amd64",
                                 std::chrono::milliseconds patience = std::chrono::seconds(30)) const {
    const CacheClient client(Url::parse(url()).value(), patience);
    return client.configuration(parse_image_reference(image).value(), platform);
  }
};

TEST_CASE("an image's configuration is fetched, and no layer") {
  Cache cache;
  const auto manifest = cache.put("{\"a\": 1}", "2.6.2");
  const auto found = cache.ask("paddlepaddle/paddle:2.6.2");
  REQUIRE(found);
  CHECK(found->content == "{\"a\": 1}");
  CHECK(found->manifest == Digest::of(manifest));
  CHECK(found->platform.empty());
  CHECK(cache.count(Digest::of("layer").to_string()) == 0);
  CHECK(cache.requests().size() == 2);
}

TEST_CASE("of an index the platform asked for is taken") {
  Cache cache;
  const auto amd64 = cache.put("amd64");
  const auto arm64 = cache.put("arm64");
  cache.put_index("multi", {{amd64, {{"os", "linux"}, {"architecture", "amd64"}}},
                            {arm64, {{"os", "linux"}, {"architecture", "arm64"}, {"variant", "v8"}}}});
  CHECK(cache.ask("paddlepaddle/paddle:multi")->content == "amd64");
  CHECK(cache.ask("paddlepaddle/paddle:multi", "linux/arm64")->content == "arm64");
  CHECK(cache.ask("paddlepaddle/paddle:multi", "linux/arm64/v8")->platform == "linux/arm64/v8");
  const auto absent = cache.ask("paddlepaddle/paddle:multi", "linux/ppc64le");
  REQUIRE_FALSE(absent);
  CHECK_THAT(absent.error().context,
             Contains("linux/ppc64le") && Contains("'linux/arm64/v8'") && Contains("--platform"));
}

TEST_CASE("a registry in the reference is asked for by ns, unless it is the cache") {
  Cache cache;
  cache.put("{}", "latest");
  CHECK(cache.ask("registry.baidubce.com/paddlepaddle/paddle"));
  CHECK(cache.count("ns=registry.baidubce.com") == 2);
  CHECK(cache.ask(cache.host() + "/paddlepaddle/paddle"));
  CHECK(cache.count("ns=") == 2);
}

TEST_CASE("a digest is asked for, and checked") {
  Cache cache;
  const auto manifest = cache.put("{}");
  const auto reference = "paddlepaddle/paddle@" + Digest::of(manifest).to_string();
  CHECK(cache.ask(reference));
  cache.script("/manifests/", {.corrupt_at = manifest.find("layers")});
  const auto wrong = cache.ask(reference);
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == ErrorCode::digest_mismatch);
}

TEST_CASE("a configuration that is not what the manifest names is refused") {
  Cache cache;
  cache.put("{}", "a");
  cache.script("/blobs/", {.corrupt_at = 0});
  CHECK(cache.ask("paddlepaddle/paddle:a").error().code == ErrorCode::digest_mismatch);
}

TEST_CASE("what the cache says is passed on") {
  Cache cache;
  cache.script("/manifests/", {.status = 404,
                               .body = R"({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "no such tag"}]})",
                               .content_type = "application/json"});
  const auto absent = cache.ask("paddlepaddle/paddle:9");
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == ErrorCode::not_found);
  CHECK_THAT(absent.error().context, Contains("answered 404: no such tag"));
  cache.script("/manifests/", {.status = 401, .body = "<html>"});
  CHECK(cache.ask("paddlepaddle/paddle:9").error().code == ErrorCode::unauthorized);
  cache.script("/manifests/", {.status = 502, .body = "{\"errors\": 5}"});
  CHECK_THAT(cache.ask("paddlepaddle/paddle:9").error().context, Contains("answered 502: no reason given"));
}

TEST_CASE("what is no image is said to be none") {
  Cache cache;
  cache.add_manifest(repository, R"({"schemaVersion": 1, "fsLayers": []})",
                     "application/vnd.docker.distribution.manifest.v1+json", "old");
  CHECK(cache.ask("paddlepaddle/paddle:old").error().code == ErrorCode::unsupported);
  cache.script("/manifests/", test::html_page());
  CHECK(cache.ask("paddlepaddle/paddle:html").error().code == ErrorCode::protocol);
}

TEST_CASE("a configuration that says it is huge is not asked for") {
  Cache cache;
  auto huge = Json::parse(cache.put("{}"));
  huge["config"]["size"] = std::uint64_t{9} << 20U;
  cache.add_manifest(repository, huge.dump(), test::oci_manifest_type, "huge");
  CHECK(cache.ask("paddlepaddle/paddle:huge").error().code == ErrorCode::too_large);
  CHECK(cache.count("/blobs/") == 0);
}

TEST_CASE("where no cache answers the error says what to do") {
  Cache cache;
  cache.go_away();
  const auto away = cache.ask("paddlepaddle/paddle:a");
  REQUIRE_FALSE(away);
  CHECK_THAT(away.error().context, Contains("cannot reach the cache at " + cache.url()) && Contains("--cache URL"));
  cache.come_back();
  cache.script("/manifests/", {.stall_before_header = true});
  CHECK(cache.ask("paddlepaddle/paddle:a", "linux/amd64", std::chrono::milliseconds(200)).error().code ==
        ErrorCode::timeout);
}

}  // namespace
}  // namespace paddock

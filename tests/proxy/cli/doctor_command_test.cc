#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "proxy/cli/doctor_host.h"
#include "proxy/cli/doctor_image.h"
#include "tests/proxy/cli/command_line.h"
#include "tests/support/scripted_registry.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::paddock;
using test::ScriptedRegistry;
using Json = nlohmann::json;

constexpr const char* repository = "paddlepaddle/paddle";

// A cache on loopback, and a machine without GPUs but for those that `gpus` prints.
struct Node {
  ScriptedRegistry cache;
  TemporaryFolder folder;
  std::filesystem::path root = folder / "root";
  test::Variable path{"PATH", (folder / "bin").string() + ":/usr/bin:/bin"};

  Node() {
    std::filesystem::create_directories(root);
    std::filesystem::create_directories(folder / "bin");
  }

  void put(const std::string& tag, const std::vector<std::string>& variables) {
    const auto config = Json{{"os", "linux"}, {"architecture", "amd64"}, {"config", {{"Env", variables}}}}.dump();
    const auto digest = cache.add_blob(repository, config);
    const Json manifest = {{"schemaVersion", 2},
                           {"mediaType", test::oci_manifest_type},
                           {"config",
                            {{"mediaType", "application/vnd.oci.image.config.v1+json"},
                             {"digest", digest.to_string()},
                             {"size", config.size()}}},
                           {"layers", Json::array()}};
    cache.add_manifest(repository, manifest.dump(), test::oci_manifest_type, tag);
  }

  void gpus(const std::string& lines) const {
    const auto smi = folder / "bin" / "nvidia-smi";
    std::ofstream(smi) << "#!/bin/sh\ncat <<'END'\n" << lines << "END\n";
    std::filesystem::permissions(smi, std::filesystem::perms::owner_all);
  }

  [[nodiscard]] test::Outcome doctor(const std::string& tag, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"doctor", "--image", std::string(repository) + ":" + tag, "--cache", cache.url()});
    return paddock(more);
  }
};

TEST_CASE("an image that runs is exit status 0, one that does not 1") {
  Node node;
  node.put("2.6.2", {"CUDA_VERSION=11.8.0", "NVIDIA_REQUIRE_CUDA=cuda>=11.8"});
  const auto runs = node.doctor("2.6.2", {"--driver", "525.60.13"});
  CHECK(runs.status == 0);
  CHECK(runs.err.empty());
  CHECK_THAT(runs.out, Contains("paddlepaddle/paddle:2.6.2 (linux/amd64)") &&
                           Contains("CUDA 11.8.0, by CUDA_VERSION") &&
                           Contains("525.60.13, CUDA up to 12.0 (--driver)") && Contains("answer  runs\n"));
  const auto limited = node.doctor("2.6.2", {"--driver", "470.82.01"});
  CHECK(limited.status == 0);
  CHECK_THAT(limited.out, Contains("runs with limits") &&
                              Contains("least driver 450.80.02; without limits 520.61.05") &&
                              Contains("unsatisfied condition: cuda>=11.8"));
  const auto old = node.doctor("2.6.2", {"--driver", "440.33.01"});
  CHECK(old.status == 1);
  CHECK_THAT(old.out, Contains("does not run") && Contains("needs driver 450.80.02 or newer"));
}

TEST_CASE("the tag's CUDA is used where the configuration says nothing, and it is said") {
  Node node;
  node.put("2.6.2-gpu-cuda12.0", {"PATH=/bin"});
  const auto outcome = node.doctor("2.6.2-gpu-cuda12.0", {"--driver", "525.60.13"});
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.out, Contains("CUDA 12.0, by its tag alone"));
}

TEST_CASE("an image without CUDA needs no GPU, on any machine") {
  Node node;
  node.put("2.6.2", {"PATH=/bin"});
  node.gpus("");
  const auto outcome = node.doctor("2.6.2");
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.out, Contains("needs no GPU"));
}

TEST_CASE("an image for other machines alone is not taken for one that runs here") {
  Node node;
  node.put("11", {"CUDA_VERSION=11.8.0"});
  const auto other = node.doctor("11", {"--driver", "535", "--platform", "linux/arm64"});
  CHECK(other.status == 1);
  CHECK_THAT(other.err, Contains("is for 'linux/amd64' alone, not for linux/arm64") && Contains("--platform"));
  CHECK(node.doctor("11", {"--driver", "535", "--platform", "linux/amd64/v3"}).status == 0);
}

TEST_CASE("each GPU gets its answer") {
  Node node;
  node.put("13", {"CUDA_VERSION=13.0.1"});
  node.gpus("NVIDIA H200, 580.159.04, 9.0\nTesla V100-SXM2-32GB, 580.159.04, 7.0\n");
  const auto outcome = node.doctor("13");
  CHECK(outcome.status == 0);  // on one of them
  CHECK_THAT(outcome.out, Contains("GPU 0") && Contains("NVIDIA H200, compute capability 9.0") && Contains("GPU 1") &&
                              Contains("does not run") && Contains("no code for this GPU any more"));
  node.gpus("Tesla V100-SXM2-32GB, 580.159.04, 7.0\n");
  CHECK(node.doctor("13").status == 1);
}

TEST_CASE("without a driver nothing with CUDA runs, and why is said") {
  Node node;
  node.put("11", {"CUDA_VERSION=11.8.0"});
  node.gpus("");
  const auto outcome = node.doctor("11");
  CHECK(outcome.status == 1);
  CHECK_THAT(outcome.out, Contains("none that works") && Contains("least driver 450.80.02"));
}

TEST_CASE("JSON has all of it") {
  Node node;
  node.put("11", {"CUDA_VERSION=11.8.0"});
  node.gpus("NVIDIA A100-SXM4-80GB, 470.82.01, 8.0\n");
  const auto outcome = node.doctor("11", {"--json"});
  REQUIRE(outcome.status == 0);
  const auto json = Json::parse(outcome.out);
  CHECK(json["image"] == "paddlepaddle/paddle:11");
  CHECK(json["runs"] == true);
  CHECK(json["needs"]["cuda"] == "11.8.0");
  CHECK(json["host"]["driver"] == "470.82.01");
  CHECK(json["host"]["gpus"][0]["data_centre"] == true);
  CHECK(json["verdicts"][0]["gpu"] == 0);
  CHECK(json["verdicts"][0]["answer"] == "runs_with_limits");
  const auto by_hand = Json::parse(node.doctor("11", {"--json", "--driver", "440"}).out);
  CHECK(by_hand["verdicts"][0]["gpu"].is_null());
  CHECK(by_hand["runs"] == false);
}

TEST_CASE("what cannot be asked is a usage error, what cannot be had a failure") {
  Node node;
  CHECK(paddock({"doctor", "--image", "UPPER/CASE", "--cache", node.cache.url()}).status == 2);
  CHECK(node.doctor("x", {"--driver", "new"}).status == 2);
  CHECK(node.doctor("x", {"--platform", "amd64"}).status == 2);
  CHECK(paddock({"doctor", "--image", "a:b", "--cache", "ftp://x"}).status == 2);
  CHECK(paddock({"doctor", "--image", "a:b", "--config", "/nowhere/paddock.yaml"}).status != 0);
  const auto absent = node.doctor("x", {"--driver", "470"});
  CHECK(absent.status == 1);
  CHECK(test::is_one_line(absent.err));
  CHECK_THAT(absent.err, Contains("paddlepaddle/paddle:x"));
}

TEST_CASE("the configured cache is asked where none is given") {
  Node node;
  node.put("11", {"CUDA_VERSION=11.8.0"});
  const auto file = node.folder / "paddock.yaml";
  const auto port = std::to_string(node.cache.port());
  std::ofstream(file) << "server: {listen: [\"unix:/nowhere/socket\", \"0.0.0.0:" << port << "\"]}\n";
  const auto outcome =
      paddock({"doctor", "--image", "paddlepaddle/paddle:11", "--driver", "525", "--config", file.string()});
  CHECK(outcome.err.empty());
  CHECK(outcome.status == 0);
  std::ofstream(file) << "server: {listen: \"unix:/nowhere/socket\"}\n";
  CHECK(paddock({"doctor", "--image", "a:b", "--config", file.string()}).status == 2);
}

// The machine's own part: a configuration whose upstream is the cache itself.
struct Machine : Node {
  [[nodiscard]] test::Outcome examine(const std::string& upstream, std::vector<std::string> more = {}) const {
    const auto file = folder / "paddock.yaml";
    std::ofstream(file) << "server: {listen: \"127.0.0.1:" << cache.port() << "\"}\n"
                        << "storage: {path: " << (folder / "data").string() << ", min_free: 1MiB}\n"
                        << "upstreams: [{name: registry.baidubce.com, endpoints: [\"" << upstream
                        << "\"], default: true}]\n";
    more.insert(more.begin(), {"doctor", "--config", file.string(), "--root", root.string()});
    return paddock(more);
  }
};

TEST_CASE("a machine is looked at check by check, and its GPUs are listed") {
  Machine machine;
  machine.gpus("NVIDIA H200, 580.159.04, 9.0\n");
  machine.cache.script("GET /v2/", {.headers = {{"X-Paddock-Cache", "hit"}}}, 0);
  const auto outcome = machine.examine(machine.cache.url());
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.out, Contains("disk") && Contains("ok") && Contains("cache     answers at") &&
                              Contains("registry.baidubce.com at " + machine.cache.url() + " answers") &&
                              Contains("NVIDIA H200"));
}

TEST_CASE("what is wrong makes exit status 1, and says how to mend it") {
  Machine machine;
  machine.gpus("");
  machine.cache.go_away();
  const auto outcome = machine.examine(machine.cache.url());
  CHECK(outcome.status == 1);
  CHECK_THAT(outcome.out, Contains("wrong") && Contains("paddock serve") && Contains("cannot be reached"));
}

TEST_CASE("the engines' settings are read below the root") {
  Machine machine;
  machine.gpus("");
  std::filesystem::create_directories(machine.root / "etc/docker");
  std::ofstream(machine.root / "etc/docker/daemon.json") << "{";
  const auto outcome = machine.examine(machine.cache.url(), {"--json"});
  CHECK(outcome.status == 1);
  const auto checks = Json::parse(outcome.out)["checks"];
  const auto docker = std::ranges::find_if(checks, [](const auto& one) { return one["check"] == "docker"; });
  REQUIRE(docker != checks.end());
  CHECK((*docker)["severity"] == "wrong");
  CHECK_FALSE((*docker)["remedy"].is_null());
}

TEST_CASE("an upstream that does not resolve is found") {
  Machine machine;
  machine.gpus("");
  const auto outcome = machine.examine("http://paddock-test.invalid");
  CHECK(outcome.status == 1);
  CHECK_THAT(outcome.out, Contains("cannot be resolved"));
}

}  // namespace
}  // namespace paddock

#include "proxy/host/nvidia_smi.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "proxy/host/gpu_probe.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;

GpuHost parsed(std::string_view output) { return parse_nvidia_smi(output, true).value(); }

TEST_CASE("a line is a GPU") {
  const auto host = parsed("NVIDIA H200, 580.159.04, 9.0\nNVIDIA GeForce RTX 4090, 580.159.04, 8.9\n");
  CHECK(host.driver.text() == "580.159.04");
  CHECK(host.source == "nvidia-smi");
  CHECK_FALSE(host.cuda);
  REQUIRE(host.gpus.size() == 2);
  CHECK(host.gpus[1].index == 1);
  CHECK(host.gpus[1].name == "NVIDIA GeForce RTX 4090");
  CHECK(host.gpus[1].compute_capability->text() == "8.9");
  CHECK_FALSE(host.gpus[1].brand);
}

TEST_CASE("a name may hold commas, and a capability be unknown") {
  const auto host = parsed("Card, the best, 470.82.01, [N/A]\r\n");
  CHECK(host.gpus[0].name == "Card, the best");
  CHECK_FALSE(host.gpus[0].compute_capability);
  CHECK(parse_nvidia_smi("Tesla T4, 470.82.01", false)->gpus[0].name == "Tesla T4");
}

TEST_CASE("what is not asked for is refused") {
  for (const auto* output :
       {"No devices were found\n", "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n",
        "H200, 580.159.04\n", "H200, 580, 9.0\n", "H200, 580.x, 9.0\n", ", 580.159.04, 9.0\n", "H200,580.159.04,9.0\n",
        "H200, 580.159.04, 9\n", "H200, 580.159.04, 9.0.0\n", "H\x1b[31m200, 580.159.04, 9.0\n",
        "H200, 580.159.04, 9.0\nH200, 570.26, 9.0\n", "[N/A], [N/A], [N/A]\n"}) {
    INFO(output);
    const auto host = parse_nvidia_smi(output, true);
    REQUIRE_FALSE(host);
    CHECK(host.error().code == ErrorCode::protocol);
    CHECK_THAT(host.error().context, !Contains("\n") && !Contains("\x1b"));
  }
}

TEST_CASE("no line is no GPU") {
  CHECK(parse_nvidia_smi("", true).error().code == ErrorCode::not_found);
  CHECK(parse_nvidia_smi("\n\n", true).error().code == ErrorCode::not_found);
}

TEST_CASE("lines and names are limited") {
  std::string many;
  for (int at = 0; at < 257; ++at) many += "H200, 580.159.04, 9.0\n";
  CHECK_FALSE(parse_nvidia_smi(many, true).has_value());
  CHECK_FALSE(parse_nvidia_smi(std::string(97, 'x') + ", 580.159.04, 9.0\n", true).has_value());
}

// A script in place of the program.
class FakeSmi {
 public:
  explicit FakeSmi(const std::string& script) {
    std::ofstream(path()) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(path(), std::filesystem::perms::owner_all);
  }
  [[nodiscard]] std::string path() const { return folder_ / "nvidia-smi"; }

 private:
  TemporaryFolder folder_;
};

TEST_CASE("the program is asked for name, driver and capability") {
  const FakeSmi smi(R"([ "$*" = "--query-gpu=name,driver_version,compute_cap --format=csv,noheader" ] || exit 1
echo "NVIDIA H200, 580.159.04, 9.0")");
  CHECK(ask_nvidia_smi(smi.path())->gpus.size() == 1);
}

TEST_CASE("an old program that knows no capabilities is asked without") {
  const FakeSmi smi(
      R"(case "$*" in *compute_cap*) echo 'Field "compute_cap" is not a valid field to query.'; exit 2;; esac
echo "Tesla V100-SXM2-32GB, 450.80.02")");
  const auto host = ask_nvidia_smi(smi.path());
  REQUIRE(host);
  CHECK(host->gpus[0].name == "Tesla V100-SXM2-32GB");
  CHECK_FALSE(host->gpus[0].compute_capability);
}

TEST_CASE("a program that fails says why, one that hangs is given up") {
  const FakeSmi broken("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18");
  CHECK_THAT(ask_nvidia_smi(broken.path()).error().context, Contains("Driver/library version mismatch"));
  const FakeSmi hung("sleep 1000");
  CHECK(ask_nvidia_smi(hung.path(), std::chrono::milliseconds(200)).error().code == ErrorCode::timeout);
}

TEST_CASE("the library comes first, the program where there is none") {
  const FakeSmi smi(R"(echo "Tesla T4, 470.82.01, 7.5")");
  CHECK(probe_gpus({{FAKE_NVML_LIBRARY}, smi.path()})->source == "NVML");
  CHECK(probe_gpus({{"/nowhere/libnvidia-ml.so.1"}, smi.path()})->source == "nvidia-smi");
}

TEST_CASE("where neither works the one that is there says why") {
  const FakeSmi broken("echo broken; exit 9");
  CHECK_THAT(probe_gpus({{"/nowhere/x.so"}, broken.path()}).error().context,
             Contains("'broken'") && Contains("--driver"));
  CHECK_THAT(probe_gpus({{"/nowhere/x.so"}, "/nowhere/nvidia-smi"}).error().context, Contains("no NVIDIA driver here"));
  CHECK_THAT(probe_gpus({{FAKE_NVML_EMPTY_LIBRARY}, broken.path()}).error().context, Contains("not NVML"));
}

TEST_CASE("a library that hangs is given up, and the program is not asked to hang too") {
  ::setenv("FAKE_NVML", "hang=1", 1);
  const auto hung = probe_gpus({{FAKE_NVML_LIBRARY}, "/nowhere/nvidia-smi", std::chrono::milliseconds(200)});
  ::unsetenv("FAKE_NVML");
  REQUIRE_FALSE(hung);
  CHECK(hung.error().code == ErrorCode::timeout);
  CHECK_THAT(hung.error().context, Contains("Xid"));
}

TEST_CASE("a driver can be given by hand") {
  const auto host = host_with_driver("470.82.01");
  REQUIRE(host);
  CHECK(host->driver.text() == "470.82.01");
  CHECK(host->source == by_hand_source);
  CHECK(host->gpus.empty());
  CHECK(host_with_driver("new").error().code == ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace paddock

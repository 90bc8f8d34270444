#include "proxy/host/nvml.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;

class Behaviour {
 public:
  explicit Behaviour(const std::string& how) { ::setenv("FAKE_NVML", how.c_str(), 1); }
  ~Behaviour() { ::unsetenv("FAKE_NVML"); }
  Behaviour(const Behaviour&) = delete;
  Behaviour& operator=(const Behaviour&) = delete;
};

Result<GpuHost> ask(const std::string& how = "") {
  const Behaviour behaviour(how);
  return ask_nvml({FAKE_NVML_LIBRARY});
}

TEST_CASE("NVML tells all about each GPU") {
  const auto host = ask();
  REQUIRE(host);
  CHECK(host->source == "NVML");
  CHECK(host->driver.text() == "580.159.04");
  CHECK(host->cuda->text() == "13.0");
  REQUIRE(host->gpus.size() == 2);
  const auto& gpu = host->gpus[1];
  CHECK(gpu.index == 1);
  CHECK(gpu.name == "NVIDIA H200");
  CHECK(gpu.uuid == "GPU-1");
  CHECK(gpu.brand == "nvidia");
  CHECK(gpu.compute_capability->text() == "9.0");
  CHECK(gpu.mig == true);
  CHECK(host->gpus[0].mig == false);
}

TEST_CASE("the session is ended") {
  const TemporaryFolder folder;
  const auto mark = folder / "shut down";
  ::setenv("FAKE_NVML_SHUTDOWN", mark.c_str(), 1);
  CHECK(ask());
  CHECK(std::filesystem::exists(mark));
  std::filesystem::remove(mark);
  CHECK_FALSE(ask("nvmlInit_v2=9"));
  CHECK_FALSE(std::filesystem::exists(mark));
  ::unsetenv("FAKE_NVML_SHUTDOWN");
}

TEST_CASE("what a GPU does not tell stays unknown") {
  const auto host =
      ask("nvmlDeviceGetName=3;nvmlDeviceGetUUID=3;nvmlDeviceGetBrand=3;nvmlDeviceGetCudaComputeCapability=3;"
          "nvmlDeviceGetMigMode=3;nvmlSystemGetCudaDriverVersion_v2=13;gpus=1");
  REQUIRE(host);
  CHECK_FALSE(host->cuda);
  REQUIRE(host->gpus.size() == 1);
  const auto& gpu = host->gpus.front();
  CHECK(gpu.name.empty());
  CHECK(gpu.uuid.empty());
  CHECK_FALSE(gpu.brand);
  CHECK_FALSE(gpu.compute_capability);
  CHECK_FALSE(gpu.mig);
}

TEST_CASE("a GPU that is lost is listed all the same") {
  const auto host = ask("nvmlDeviceGetHandleByIndex_v2=15");
  REQUIRE(host);
  CHECK(host->gpus.size() == 2);
  CHECK(host->gpus[0].name.empty());
}

TEST_CASE("a driver without a GPU is no error") {
  const auto host = ask("gpus=0");
  REQUIRE(host);
  CHECK(host->gpus.empty());
}

TEST_CASE("brands have the names that requirements use") {
  CHECK(ask("brand=2")->gpus[0].brand == "tesla");
  CHECK(ask("brand=5")->gpus[0].brand == "geforce");
  CHECK(ask("brand=16")->gpus[0].brand == "titanrtx");
  CHECK(ask("brand=0")->gpus[0].brand == "unknown");
  CHECK(ask("brand=99")->gpus[0].brand == "unknown");
}

TEST_CASE("an older library is asked as far as it goes") {
  const auto host = ask_nvml({FAKE_NVML_OLD_LIBRARY});
  REQUIRE(host);
  CHECK_FALSE(host->cuda);
  REQUIRE(host->gpus.size() == 1);
  CHECK(host->gpus[0].name == "NVIDIA H200");
  CHECK_FALSE(host->gpus[0].brand);
}

TEST_CASE("a library that is not NVML is told apart") {
  const auto host = ask_nvml({FAKE_NVML_EMPTY_LIBRARY});
  REQUIRE_FALSE(host);
  CHECK(host.error().code == ErrorCode::protocol);
  CHECK_THAT(host.error().context, Contains("not NVML"));
}

TEST_CASE("errors say what to do") {
  const auto mismatch = ask("nvmlInit_v2=18");
  REQUIRE_FALSE(mismatch);
  CHECK(mismatch.error().code == ErrorCode::unavailable);
  CHECK_THAT(mismatch.error().context,
             Contains("version mismatch") && Contains("(18)") && Contains("restart the machine"));
  CHECK_THAT(ask("nvmlInit_v2=9").error().context, Contains("modprobe nvidia"));
  CHECK_THAT(ask("nvmlInit_v2=4").error().context, Contains("/dev/nvidia*"));
  CHECK_THAT(ask("nvmlInit_v2=999").error().context, Contains("(999)") && Contains("dmesg") && !Contains("\n"));
  CHECK_THAT(ask("nvmlDeviceGetCount_v2=999").error().context, Contains("nvmlDeviceGetCount"));
  CHECK_THAT(ask("nvmlSystemGetDriverVersion=1").error().context, Contains("nvmlSystemGetDriverVersion"));
}

TEST_CASE("an error without a text has its number") {
  const Behaviour behaviour("nvmlInit=9");
  CHECK_THAT(ask_nvml({FAKE_NVML_OLD_LIBRARY}).error().context, Contains("error 9"));
}

TEST_CASE("nonsense is refused or left out") {
  CHECK(ask("driver=new").error().code == ErrorCode::protocol);
  CHECK(ask("driver=").error().code == ErrorCode::protocol);
  CHECK_FALSE(ask("cuda=-5")->cuda);
  CHECK_FALSE(ask("cuda=2000000000")->cuda);
  CHECK_FALSE(ask("cc=-10")->gpus[0].compute_capability);
  CHECK(ask("gpus=-1")->gpus.size() == 256);
  CHECK(ask("cuda=12020")->cuda->text() == "12.2");
}

TEST_CASE("names of 95 letters fit, longer ones do not break anything") {
  CHECK(ask("name=" + std::string(95, 'x'))->gpus[0].name == std::string(95, 'x'));
  CHECK(ask("name=" + std::string(96, 'x'))->gpus[0].name.empty());
}

TEST_CASE("the first library that is there is asked") {
  CHECK(ask_nvml({"/nowhere/libnvidia-ml.so.1", FAKE_NVML_LIBRARY})->driver.text() == "580.159.04");
}

TEST_CASE("without a library there is no driver, and what to do is said") {
  const auto host = ask_nvml({"libpaddock-has-no-such.so.1", "/nowhere/libnvidia-ml.so.1"});
  REQUIRE_FALSE(host);
  CHECK(host.error().code == ErrorCode::not_found);
  CHECK_THAT(host.error().context, Contains("libpaddock-has-no-such.so.1") && Contains("--driver"));
}

TEST_CASE("the library is looked for by name first, then where drivers put it") {
  const auto names = nvml_libraries();
  CHECK(names.front() == "libnvidia-ml.so.1");
  CHECK(std::ranges::find(names, "/usr/local/nvidia/lib64/libnvidia-ml.so.1") != names.end());
}

TEST_CASE("a capability that no GPU has is not known") {
  const auto host = ask("cc=2147483647");
  REQUIRE(host);
  CHECK_FALSE(host->gpus[0].compute_capability);
}

}  // namespace
}  // namespace paddock

#include "proxy/host/compat_json.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace paddock {
namespace {

using Json = nlohmann::ordered_json;

TEST_CASE("a verdict has its answer, reasons, drivers and the requirement") {
  const Verdict verdict{Answer::runs_with_limits,
                        {"why"},
                        DottedVersion::parse("450.80.02").value(),
                        std::nullopt,
                        {RequirementOutcome::State::unsatisfied, "unsatisfied condition: cuda>=12"}};
  CHECK(verdict_json(verdict) ==
        Json{{"answer", "runs_with_limits"},
             {"reasons", {"why"}},
             {"least_driver", "450.80.02"},
             {"whole_driver", nullptr},
             {"requirement", {{"state", "unsatisfied"}, {"message", "unsatisfied condition: cuda>=12"}}}});
}

TEST_CASE("what is not known is null") {
  CHECK(needs_json({}) ==
        Json{{"cuda", nullptr}, {"cuda_from", nullptr}, {"compatibility_package", nullptr}, {"architecture", nullptr}});
  CHECK(gpu_json({}) == Json{{"index", 0},
                             {"name", nullptr},
                             {"uuid", nullptr},
                             {"brand", nullptr},
                             {"compute_capability", nullptr},
                             {"mig", nullptr},
                             {"data_centre", nullptr}});
}

TEST_CASE("a host has its driver and GPUs") {
  GpuHost host{.driver = DriverVersion::parse("535.104.05").value(), .source = "NVML"};
  host.gpus.push_back({.index = 0,
                       .name = "NVIDIA L4",
                       .uuid = "GPU-1",
                       .brand = "nvidia",
                       .compute_capability = DottedVersion(8, 9),
                       .mig = false});
  const auto json = host_json(host);
  CHECK(json["driver"] == "535.104.05");
  CHECK(json["cuda"] == "12.2");  // by the table, as it does not say it
  CHECK(json["gpus"][0]["data_centre"] == true);
  CHECK(json["gpus"][0]["mig"] == false);
  CHECK(json["gpus"][0]["compute_capability"] == "8.9");
  host.cuda = CudaVersion(12, 3);
  CHECK(host_json(host)["cuda"] == "12.3");
}

TEST_CASE("needs say where the CUDA version comes from") {
  const auto json = needs_json({.architecture = "amd64",
                                .cuda = CudaVersion(12, 0),
                                .cuda_source = CudaSource::tag,
                                .compatibility_package = "cuda-compat-12-0"});
  CHECK(json["cuda"] == "12.0");
  CHECK(json["cuda_from"] == "tag");
  CHECK(json["compatibility_package"] == "cuda-compat-12-0");
}

}  // namespace
}  // namespace paddock

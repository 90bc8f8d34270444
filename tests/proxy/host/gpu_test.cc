#include "proxy/host/gpu.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

DataCentre kind(std::string name, std::optional<std::string> brand = std::nullopt) {
  return is_data_centre({.name = std::move(name), .brand = std::move(brand)});
}

TEST_CASE("data-centre GPUs are known by their names") {
  for (const auto* name : {"NVIDIA H200", "NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB", "Tesla V100-SXM2-32GB",
                           "Tesla T4", "NVIDIA L4", "NVIDIA L40S", "NVIDIA GH200 480GB", "NVIDIA B200", "A10",
                           "NVIDIA A10G", "NVIDIA A30 MIG 1g.6gb", "GRID A100-10C", "Tesla K80"}) {
    INFO(name);
    CHECK(kind(name) == DataCentre::yes);
  }
}

TEST_CASE("others are not") {
  for (const auto* name : {"NVIDIA GeForce RTX 4090", "NVIDIA RTX A6000", "Quadro P4000", "NVIDIA TITAN V", "NVIDIA A",
                           "NVIDIA A1000 Laptop GPU", "NVIDIA T400", "NVIDIA GB10"}) {
    INFO(name);
    CHECK(kind(name) == DataCentre::no);
  }
}

TEST_CASE("the brand tells too, and without a name nobody knows") {
  CHECK(kind("Graphics Device", "tesla") == DataCentre::yes);
  CHECK(kind("Graphics Device", "nvidia") == DataCentre::no);
  CHECK(kind("") == DataCentre::unknown);
}

TEST_CASE("requirements are judged by what is known") {
  const GpuHost host{.driver = DriverVersion::parse("535.104.05").value(), .cuda = CudaVersion(12, 2)};
  const Gpu gpu{.name = "NVIDIA L4", .brand = "nvidia", .compute_capability = DottedVersion(8, 9)};
  const auto facts = requirement_facts(host, &gpu);
  CHECK(facts.cuda == "12.2");
  CHECK(facts.driver == "535.104.05");
  CHECK(facts.brand == "nvidia");
  CHECK(facts.arch == "8.9");
}

TEST_CASE("the driver's CUDA comes from the table where it does not say it, and a GPU may be unknown") {
  const GpuHost host{.driver = DriverVersion::parse("470.82.01").value()};
  const auto facts = requirement_facts(host, nullptr);
  CHECK(facts.cuda == "11.4");
  CHECK_FALSE(facts.brand);
  CHECK_FALSE(facts.arch);
  const GpuHost future{.driver = DriverVersion::parse("700.1.1").value()};
  CHECK_FALSE(requirement_facts(future, nullptr).cuda);
}

}  // namespace
}  // namespace paddock

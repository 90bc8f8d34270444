// A host's GPUs and its NVIDIA driver, as far as they are known. Values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/host/driver_version.h"
#include "proxy/host/requirement.h"

namespace paddock {

struct Gpu {
  unsigned index = 0;
  std::string name{};
  std::string uuid{};                  // empty: not known
  std::optional<std::string> brand{};  // as requirements name it: "tesla", "geforce", "unknown"
  std::optional<DottedVersion> compute_capability{};
  std::optional<bool> mig{};  // partitioned
};

// GpuHost::source of a driver given by hand.
inline constexpr std::string_view by_hand_source = "--driver";

struct GpuHost {
  DriverVersion driver;
  std::optional<CudaVersion> cuda{};  // the highest that the driver supports, by its own word
  std::vector<Gpu> gpus{};            // may be empty: a driver without a GPU, or one given by hand
  std::string source{};               // "NVML", "nvidia-smi", "--driver"
};

enum class DataCentre : std::uint8_t { no, yes, unknown };

// Data-centre GPUs can use a newer CUDA's compatibility package. By its brand, or its name where that says too little.
DataCentre is_data_centre(const Gpu& gpu);

// What requirements are evaluated with; without a GPU those of the driver.
RequirementFacts requirement_facts(const GpuHost& host, const Gpu* gpu);

}  // namespace paddock

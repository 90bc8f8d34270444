// The GPUs of this host: from NVML, else from nvidia-smi, else by hand.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "proxy/host/gpu.h"
#include "proxy/host/nvml.h"
#include "storage/error.h"

namespace paddock {

struct GpuProbe {
  std::vector<std::string> libraries = nvml_libraries();
  std::string nvidia_smi = "nvidia-smi";
  std::chrono::milliseconds patience{std::chrono::seconds(60)};  // a driver that first wakes its GPUs takes long
};

// Blocking, each for `patience` at most: a library that does not come back is left behind on a thread of its own. Where
// neither answers, the error is NVML's, unless only nvidia-smi is there.
Result<GpuHost> probe_gpus(const GpuProbe& probe = {});

// "--driver V": a host with that driver and GPUs that nothing is known of. invalid_argument.
Result<GpuHost> host_with_driver(const std::string& version);

}  // namespace paddock

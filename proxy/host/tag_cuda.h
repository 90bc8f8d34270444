// The CUDA version that a tag names: "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6" is for 12.0, "cuda118" for 11.8.
// Pure; thread-safe.
#pragma once

#include <optional>
#include <string_view>

#include "proxy/host/driver_version.h"

namespace paddock {

// Nothing when the tag names none.
std::optional<CudaVersion> cuda_of_tag(std::string_view tag);

}  // namespace paddock

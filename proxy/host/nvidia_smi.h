// nvidia-smi: the GPUs by the driver's own program, where its library cannot be asked.
//
// Blocking, within a time. Errors: those of run_program(), and protocol for an output that is not what was asked for.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "proxy/host/gpu.h"
#include "storage/error.h"

namespace paddock {

Result<GpuHost> ask_nvidia_smi(const std::string& program = "nvidia-smi",
                               std::chrono::milliseconds patience = std::chrono::seconds(15));

// Lines of "name, driver version[, compute capability]", as --format=csv,noheader prints them.
Result<GpuHost> parse_nvidia_smi(std::string_view output, bool with_compute_capability);

}  // namespace paddock

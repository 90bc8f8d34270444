// NVML: asks the driver's own library about the GPUs. It is opened at run time (libnvidia-ml.so.1), as only hosts with
// a driver have it; what an older or newer one lacks or refuses stays unknown, unless nothing can be said without it.
//
// Blocking, once a process. Errors: not_found (no library: there is no driver), unavailable (it does not work: kernel
// module not loaded, library of another version than the module), protocol (not NVML, or it makes no sense); each says
// what to do.
#pragma once

#include <string>
#include <vector>

#include "proxy/host/gpu.h"
#include "storage/error.h"

namespace paddock {

// By name first, as the system finds it; then where drivers put it.
std::vector<std::string> nvml_libraries();

// The first of `libraries` that can be opened is asked.
Result<GpuHost> ask_nvml(const std::vector<std::string>& libraries = nvml_libraries());

}  // namespace paddock

#include "proxy/host/gpu_probe.h"

#include <utility>

#include "proxy/host/nvidia_smi.h"

namespace paddock {

Result<GpuHost> probe_gpus(const GpuProbe& probe) {
  auto by_library = ask_nvml(probe.libraries);
  if (by_library) return by_library;
  auto by_program = ask_nvidia_smi(probe.nvidia_smi);
  if (by_program) return by_program;
  const bool only_program =
      by_library.error().code == ErrorCode::not_found && by_program.error().code != ErrorCode::not_found;
  return only_program ? by_program : by_library;
}

Result<GpuHost> host_with_driver(const std::string& version) {
  auto driver = DriverVersion::parse(version);
  if (!driver) return std::unexpected(std::move(driver).error());
  return GpuHost{.driver = *std::move(driver), .source = std::string(by_hand_source)};
}

}  // namespace paddock

#include "proxy/host/gpu_probe.h"

#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "proxy/host/nvidia_smi.h"

namespace paddock {
namespace {

Result<GpuHost> ask_nvml_within(const GpuProbe& probe) {
  const auto answer = std::make_shared<std::promise<Result<GpuHost>>>();
  auto future = answer->get_future();
  std::thread([answer, libraries = probe.libraries] { answer->set_value(ask_nvml(libraries)); }).detach();
  if (future.wait_for(probe.patience) == std::future_status::ready) return future.get();
  return fail(ErrorCode::timeout, Blame::us,
              "NVML does not answer, the driver hangs: look at dmesg for Xid errors, restart the machine");
}

}  // namespace

Result<GpuHost> probe_gpus(const GpuProbe& probe) {
  auto by_library = ask_nvml_within(probe);
  if (by_library || by_library.error().code == ErrorCode::timeout) return by_library;
  auto by_program = ask_nvidia_smi(probe.nvidia_smi, probe.patience);
  if (by_program) return by_program;
  if (by_program.error().code != ErrorCode::not_found) {
    by_program.error().context += ": look at dmesg, or say which driver you mean with --driver";
  }
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

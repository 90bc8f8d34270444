// CudaTable: which Linux driver each CUDA toolkit came with, from when on a driver runs a whole CUDA major version, and
// which GPUs a CUDA version has code for.
//
// From NVIDIA's CUDA Toolkit Release Notes (toolkit and driver, tables 2 and 3), CUDA Compatibility guide and CUDA C++
// Programming Guide (compute capabilities). Pure; thread-safe.
#pragma once

#include <optional>
#include <span>

#include "proxy/host/driver_version.h"

namespace paddock {

struct CudaRelease {
  CudaVersion toolkit;
  DottedVersion driver;
};

// All toolkits that are known, oldest first.
std::span<const CudaRelease> cuda_releases();

// The toolkit that stands for `cuda`: the last of its minor version that is not newer, else the first one after it.
// Nothing when it is newer than all.
std::optional<CudaRelease> release_for(const CudaVersion& cuda);
// The driver from which on every minor version of this major one runs; nothing where there is no such promise.
std::optional<DottedVersion> minor_version_floor(std::uint32_t cuda_major);
// The oldest driver that the compatibility package (cuda-compat-X-Y) of this CUDA works on; nothing when not known.
std::optional<DottedVersion> forward_compatibility_floor(const CudaVersion& cuda);
// The highest CUDA, as major and minor, that this driver supports in full. Nothing when it is older than all that are
// known, or of a branch newer than all.
std::optional<CudaVersion> highest_cuda(const DriverVersion& driver);
bool newer_than_known(const DriverVersion& driver);

// Whether a CUDA version has code for GPUs of this compute capability; `by_generation`: for older ones of the same
// major number, whose code runs on it.
enum class ArchitectureSupport : std::uint8_t { supported, by_generation, not_yet, no_longer };
ArchitectureSupport architecture_support(const CudaVersion& cuda, const DottedVersion& capability);
// The first CUDA with code for GPUs of this compute capability, where that is known.
std::optional<CudaVersion> first_cuda_for(const DottedVersion& capability);

}  // namespace paddock

// `paddock doctor --image`: does this image run here? Fetches what the image says of itself through the cache, asks the
// GPUs, and puts the verdicts into words and JSON.
//
// Blocking; for one thread.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "proxy/cli/cache_client.h"
#include "proxy/host/compatibility.h"
#include "proxy/host/gpu_probe.h"
#include "storage/error.h"

namespace paddock {

struct ImageDiagnosis {
  std::string image;     // as it was asked for, with its tag
  std::string platform;  // "linux/amd64"
  std::string digest;    // of its manifest
  ImageNeeds needs{};
  Result<GpuHost> host;
  std::vector<Verdict> verdicts{};  // a single one where no GPU is known, or none is needed
  bool by_gpu = false;              // one for each of the host's GPUs, in their order

  // On one GPU at least.
  [[nodiscard]] bool runs() const;
};

struct ImageQuestion {
  std::string image, platform;
  GpuProbe probe{};
  std::string driver{};  // by hand; empty: probe
};

// Errors: those of CacheClient; invalid_argument for a malformed reference, platform or driver version.
Result<ImageDiagnosis> diagnose(const ImageQuestion& question, const CacheClient& cache);

std::string describe(const ImageDiagnosis& diagnosis);
nlohmann::ordered_json diagnosis_json(const ImageDiagnosis& diagnosis);

// The GPUs, a line each; or why there are none.
std::string describe_gpus(const Result<GpuHost>& host);
// Null with the reason where there is no driver.
nlohmann::ordered_json gpus_json(const Result<GpuHost>& host);

}  // namespace paddock

// Verdicts and what they stand on as JSON, as deploy/docs/openapi.yaml describes them. Pure; thread-safe.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "proxy/host/compatibility.h"

namespace paddock {

// {"answer", "reasons", "least_driver", "whole_driver", "requirement": {"state", "message"}}
nlohmann::ordered_json verdict_json(const Verdict& verdict);
// {"cuda", "cuda_from", "compatibility_package", "architecture"}
nlohmann::ordered_json needs_json(const ImageNeeds& needs);
// {"index", "name", "uuid", "brand", "compute_capability", "mig", "data_centre"}
nlohmann::ordered_json gpu_json(const Gpu& gpu);
// {"driver", "cuda", "source", "gpus": [...]}
nlohmann::ordered_json host_json(const GpuHost& host);

}  // namespace paddock

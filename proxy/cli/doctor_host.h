// `paddock doctor` without an image: looks at this machine, check by check, and says what would go wrong and how to
// mend it.
//
// Blocking, each request within `patience`; for one thread. Never fails: what cannot be looked at is a finding.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "config/options.h"
#include "proxy/cli/cache_client.h"
#include "proxy/host/finding.h"
#include "proxy/host/host_files.h"

namespace paddock {

struct HostExamination {
  HostFiles files;
  std::chrono::milliseconds patience{5000};
};

Findings examine(const HostExamination& examination, const config::Config& config, const CacheClient& cache);
std::string describe(const Findings& findings);
nlohmann::ordered_json findings_json(const Findings& findings);
bool all_in_order(const Findings& findings);  // warnings are

}  // namespace paddock

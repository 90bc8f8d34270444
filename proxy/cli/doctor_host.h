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
  bool has_cache = true;  // it runs here: its data folder, files and upstreams are looked at too
  std::chrono::milliseconds patience{5000};
};

// Whether that is this machine.
bool is_loopback(const Url& url);

Findings examine(const HostExamination& examination, const config::Config& config, const CacheClient& cache);
std::string describe(const Findings& findings);
nlohmann::ordered_json findings_json(const Findings& findings);
bool all_in_order(const Findings& findings);  // warnings are

}  // namespace paddock

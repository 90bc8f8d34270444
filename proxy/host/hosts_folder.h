// A folder of hosts.toml files, one a registry, as containerd and dockerd with containerd's image store read it: which
// upstreams' pulls does it send to the cache? Blocking; never fails: what cannot be read is a finding.
#pragma once

#include <string>
#include <vector>

#include "proxy/host/engine_settings.h"
#include "proxy/host/finding.h"
#include "proxy/host/host_files.h"

namespace paddock {

struct HostsFolder {
  std::vector<std::string> through, missing;  // names of upstreams
  Findings findings;                          // of the others
};

// `engine` is what findings are of: "containerd".
HostsFolder read_hosts_folder(const HostFiles& files, const std::string& folder, const std::string& engine,
                              const CacheAddress& cache, const std::vector<std::string>& upstreams);

}  // namespace paddock

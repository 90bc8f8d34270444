// Are the container engines of this machine set up to pull through the cache, and is what is written in effect? One
// line for each engine that is installed, more where something is wrong.
//
// Reads their files as dockerd (daemon.json, systemd's drop-ins), containerd (config.toml, hosts.toml) and
// containers/image (registries.conf) do. Blocking; never fails: a file that cannot be read is a finding.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/host/finding.h"
#include "proxy/host/host_files.h"

namespace paddock {

// The cache as clients reach it.
struct CacheAddress {
  std::string host{}, authority{};  // "cache.lan", "cache.lan:5000"
  bool tls = false;
  bool loopback = false;

  [[nodiscard]] std::string origin() const { return (tls ? "https://" : "http://") + authority; }
};

// The names by which clients know the upstreams: "registry.baidubce.com".
struct UpstreamNames {
  std::vector<std::string> all{};
  std::string bare{};                    // the one that a repository's name alone means; may be empty
  std::vector<std::string> hub_ports{};  // of the cache's addresses where that is docker.io whatever `bare` is: "5002"
};

// Whether `text`, a URL or host[:port] with a path behind it or not, is the cache.
bool names_cache(std::string_view text, const CacheAddress& cache);

Findings docker_findings(const HostFiles& files, const CacheAddress& cache, const UpstreamNames& upstreams);
Findings containerd_findings(const HostFiles& files, const CacheAddress& cache, const UpstreamNames& upstreams);
Findings podman_findings(const HostFiles& files, const CacheAddress& cache, const UpstreamNames& upstreams);

}  // namespace paddock

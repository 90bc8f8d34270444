#include <spdlog/fmt/fmt.h>

#include "proxy/host/client_config_kinds.h"

namespace paddock::client {
namespace {

// Not *.crt, which engines would trust for the upstream itself as well.
constexpr std::string_view ca_name = "paddock-ca.pem";

std::string server_of(const std::string& upstream) {
  return "https://" + (upstream == docker_hub ? "registry-1.docker.io" : upstream);
}

// `server` is the last host that is tried. A file without a [host] table is not read by containerd 1.6, so that the
// cache is named as both where it is the only one.
std::string hosts_toml(const ClientConfigRequest& request, const std::string& upstream) {
  const std::string capabilities = "capabilities = [\"pull\", \"resolve\"]\n";
  const std::string ca = request.ca_pem.empty() ? "" : fmt::format("ca = {}\n", literal(ca_name));
  const auto cache = literal(request.cache.origin());
  auto out = headline(request);
  if (request.fallback) {
    out += fmt::format("server = {}\n\n[host.{}]\n  {}", literal(server_of(upstream)), cache, capabilities);
  } else {
    out += fmt::format("server = {}\n{}{}\n[host.{}]\n  {}", cache, capabilities, ca, cache, capabilities);
  }
  if (!ca.empty()) out += "  " + ca;
  if (request.fallback) out += "  dial_timeout = \"1s\"\n";
  return out;
}

}  // namespace

std::vector<ClientFile> hosts_files(const ClientConfigRequest& request, const std::string& folder) {
  std::vector<ClientFile> files;
  for (const auto& upstream : request.upstreams) {
    const auto place = fmt::format("{}/{}/", folder, upstream);
    // Before what names it.
    if (!request.ca_pem.empty()) files.push_back({.path = place + std::string(ca_name), .content = request.ca_pem});
    files.push_back({.path = place + "hosts.toml", .content = hosts_toml(request, upstream)});
  }
  return files;
}

Result<ClientConfig> containerd(const ClientConfigRequest& request) {
  ClientConfig config{.files = hosts_files(request, "/etc/containerd/certs.d"), .steps = {}, .notes = {}};
  config.files.push_back(
      {.path = "/etc/containerd/config.toml",
       .content = "version = 2\n\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\n"
                  "  config_path = \"/etc/containerd/certs.d\"\n",
       .merge =
           "where there is such a file, set config_path in it, in [plugins.\"io.containerd.grpc.v1.cri\".registry] "
           "of a file with version = 2 (read by containerd 1 and 2), in "
           "[plugins.'io.containerd.cri.v1.images'.registry] of one with version = 3. Remove its registry.mirrors "
           "and registry.configs tables, which exclude config_path, and \"cri\" from disabled_plugins"});
  config.steps = {{"systemctl restart containerd",
                   "config_path comes into effect; containers go on. What changes in certs.d later "
                   "needs no restart"}};
  config.notes = {
      "config.toml is for Kubernetes (CRI) and crictl. nerdctl reads /etc/containerd/certs.d by itself, ctr with "
      "--hosts-dir /etc/containerd/certs.d only",
      "write config_path as it is here: the list of folders that containerd 2.2.0 has by default is not read"};
  if (request.fallback) {
    config.notes.emplace_back(
        "a cache that refuses connections is passed over at once; one that does not answer at all costs 1 s a blob "
        "from containerd 2.1 on, 30 s before, which does not know dial_timeout and ignores it");
  } else {
    config.notes.emplace_back("while the cache is away pulls fail; pushes to these registries are refused");
  }
  config.notes.push_back(doctor_note(request));
  return config;
}

}  // namespace paddock::client

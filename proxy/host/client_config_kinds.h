// What the kinds of client_config.h are made of; for client_config*.cc only. Requests are checked before.
#pragma once

#include <string>
#include <string_view>

#include "proxy/host/client_config.h"

namespace paddock::client {

inline constexpr std::string_view docker_hub = "docker.io";

// The cache as the first part of an image's name: engines take a bare word for a folder of Docker Hub.
std::string engine_name(const CacheAddress& cache);
// A string as JSON, TOML and YAML read it.
std::string literal(std::string_view text);
// The first line of a file: "# paddock client-config podman: pulls go through http://cache.lan:5000\n".
std::string headline(const ClientConfigRequest& request);
// What `paddock doctor` is called with.
std::string doctor_note(const ClientConfigRequest& request);

// Below `folder`, which is certs.d of containerd or of Docker: hosts.toml for each upstream, and the CA that it names.
std::vector<ClientFile> hosts_files(const ClientConfigRequest& request, const std::string& folder);

Result<ClientConfig> docker(const ClientConfigRequest& request);
Result<ClientConfig> docker_containerd(const ClientConfigRequest& request);
Result<ClientConfig> docker_proxy(const ClientConfigRequest& request);
Result<ClientConfig> containerd(const ClientConfigRequest& request);
Result<ClientConfig> podman(const ClientConfigRequest& request);  // CRI-O too
Result<ClientConfig> buildkit(const ClientConfigRequest& request);
Result<ClientConfig> kubernetes(const ClientConfigRequest& request);

}  // namespace paddock::client

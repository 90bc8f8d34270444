// What a client's machine needs so that it pulls through the cache: files, the commands that put them into effect, and
// what has to be known. `paddock client-config` prints it, and `paddock doctor` recognises it.
//
// Every name that goes into a file is checked first, so that nothing can be smuggled into TOML, YAML, JSON or systemd's
// files. Pure; thread-safe. Errors: invalid_argument, which says what to do instead.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/host/engine_settings.h"
#include "storage/error.h"

namespace paddock {

enum class ClientKind : std::uint8_t {
  docker,             // registry-mirrors
  docker_containerd,  // dockerd with containerd's image store
  docker_proxy,       // HTTPS_PROXY and a CA
  containerd,
  podman,
  crio,
  buildkit,
  kubernetes,  // containerd on every node
};

std::string_view to_string(ClientKind kind);  // "docker-containerd"
Result<ClientKind> parse_client_kind(std::string_view text);
const std::vector<std::string>& client_kind_names();

struct ClientConfigRequest {
  ClientKind kind = ClientKind::containerd;
  CacheAddress cache{};                  // for docker_proxy, of its CONNECT proxy
  std::vector<std::string> upstreams{};  // by the names that clients use: "registry.baidubce.com"
  std::string ca_pem{};                  // who signed the cache's certificates; empty: the system knows
  bool fallback = true;                  // to the registry itself while the cache is away
};

struct ClientFile {
  std::string path;  // absolute, or relative for what is not installed but applied
  std::string content;
  std::uint32_t mode = 0644;
  // Of a file that others write into as well: what to do where there is one. A shell command that does so; may be
  // empty.
  std::string merge{}, merge_command{};
};

struct ClientStep {
  std::string command;  // for a shell, as root
  std::string why;
};

struct ClientConfig {
  std::vector<ClientFile> files;
  std::vector<ClientStep> steps;
  std::vector<std::string> notes;
};

Result<ClientConfig> client_config(const ClientConfigRequest& request);

// The certificates of a PEM file and nothing else of it; invalid_argument when there are none.
Result<std::string> certificates_of(std::string_view pem);

}  // namespace paddock

#include "proxy/host/prepull/find_engine.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <ranges>
#include <string_view>

#include "proxy/host/prepull/containerd_engine.h"
#include "proxy/host/prepull/docker_engine.h"
#include "proxy/host/prepull/podman_engine.h"
#include "proxy/oci/printable.h"

namespace paddock {
namespace {

using Opened = Result<std::unique_ptr<Engine>>;

Opened open_docker(const EngineChoice& choice, const CacheAccess& cache) {
  const auto path = choice.socket.empty() ? docker_socket_path(choice.docker_host) : Result<std::string>(choice.socket);
  if (!path) return std::unexpected(path.error());
  return DockerEngine::open(*path, cache);
}

Opened open_containerd(const EngineChoice& choice, const CacheAccess& cache) {
  return ContainerdEngine::open({.address = choice.socket, .name_space = choice.name_space}, cache);
}

bool has_docker(const std::vector<std::string>& traces) {
  std::error_code ignored;
  const auto there = [&](const auto& path) { return std::filesystem::exists(path, ignored); };
  if (std::ranges::any_of(traces, there)) return true;
  const char* path = std::getenv("PATH");
  for (const auto folder : std::views::split(std::string_view(path != nullptr ? path : ""), ':')) {
    if (there(std::filesystem::path(std::string_view(folder)) / "dockerd")) return true;
  }
  return false;
}

}  // namespace

Opened find_engine(const EngineChoice& choice, const CacheAccess& cache) {
  if (choice.engine == "docker") return open_docker(choice, cache);
  if (choice.engine == "containerd") return open_containerd(choice, cache);
  if (choice.engine != "podman" && !choice.engine.empty()) {
    return fail(ErrorCode::invalid_argument, Blame::client,
                "--engine: " + quote(choice.engine) + " is none of docker, containerd, podman");
  }
  if (!choice.socket.empty()) {
    return fail(ErrorCode::invalid_argument, Blame::client, "--socket: say whose it is: --engine docker or containerd");
  }
  if (choice.engine == "podman") return PodmanEngine::open(cache);
  auto docker = open_docker(choice, cache);
  if (docker || !choice.docker_host.empty()) return docker;
  if (has_docker(choice.docker_traces)) {
    return std::unexpected(std::move(docker).error().with(
        "docker is on this machine but cannot be used; --engine says which engine the images are for"));
  }
  auto containerd = open_containerd(choice, cache);
  if (containerd) return containerd;
  auto podman = PodmanEngine::open(cache);
  if (podman) return podman;
  return fail(ErrorCode::unavailable, Blame::us,
              "no container engine answers: docker (" + docker.error().context + "), containerd (" +
                  containerd.error().context + "), podman (" + podman.error().context + ")");
}

}  // namespace paddock

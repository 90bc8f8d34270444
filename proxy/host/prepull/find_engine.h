// Which container engine prepull works with: the one that was named, else the first of docker, containerd and podman. A
// Docker that is there but does not answer is not passed over: jobs would look for their images in vain.
//
// Blocking; thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/host/prepull/engine.h"
#include "storage/error.h"

namespace paddock {

struct EngineChoice {
  std::string engine{};       // "docker", "containerd", "podman"; empty: whichever answers
  std::string socket{};       // Docker's or containerd's; empty: the usual one
  std::string docker_host{};  // DOCKER_HOST
  std::string name_space = "k8s.io";
  // Where a machine that has Docker has something of it, besides dockerd in PATH.
  std::vector<std::string> docker_traces{"/var/run/docker.sock", "/var/lib/docker", "/usr/bin/dockerd"};
};

// Errors: those of the engine that was named, or of Docker when it is there; unavailable with every engine's reason
// when none answers; invalid_argument for an engine of another name, and for a socket without one.
Result<std::unique_ptr<Engine>> find_engine(const EngineChoice& choice, const CacheAccess& cache);

}  // namespace paddock

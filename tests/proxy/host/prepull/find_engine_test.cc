#include "proxy/host/prepull/find_engine.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/fake_docker.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;

const CacheAccess cache{.url = Url::parse("http://cache.lan:5000").value()};

// A machine whose only programs are those that a test puts there.
struct Machine {
  TemporaryFolder folder;
  std::string before = std::getenv("PATH");

  Machine() { ::setenv("PATH", folder.path().c_str(), 1); }
  ~Machine() { ::setenv("PATH", before.c_str(), 1); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  void has(const std::string& program, const std::string& script) const {
    std::ofstream(folder / program) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(folder / program, std::filesystem::perms::owner_all);
  }
};

std::string found(const EngineChoice& choice) {
  const auto engine = find_engine(choice, cache);
  return engine ? (*engine)->name() : engine.error().context;
}

// Not this machine's own docker, should it have one.
EngineChoice without_docker() { return {.docker_traces = {}}; }

TEST_CASE("the engine that is named, or the reason why not") {
  const Machine machine;
  const test::FakeDocker docker;
  CHECK(found({.engine = "docker", .socket = docker.path()}) == "docker");
  CHECK(found({.engine = "docker", .docker_host = "unix://" + docker.path()}) == "docker");
  CHECK_THAT(found({.engine = "docker", .docker_host = "tcp://127.0.0.1:2375"}), Contains("unix:// socket"));
  CHECK_THAT(found({.engine = "containerd"}), Contains("ctr"));
  CHECK_THAT(found({.engine = "podman"}), Contains("podman"));
  machine.has("ctr", "echo");
  machine.has("podman", "echo 5.0");
  CHECK(found({.engine = "containerd"}) == "containerd");
  CHECK(found({.engine = "podman"}) == "podman");
  CHECK(find_engine({.engine = "rkt"}, cache).error().code == ErrorCode::invalid_argument);
  CHECK(find_engine({.engine = "podman", .socket = "/x"}, cache).error().code == ErrorCode::invalid_argument);
  CHECK(find_engine({.socket = "/x"}, cache).error().code == ErrorCode::invalid_argument);
}

TEST_CASE("not told which, the first that answers") {
  const Machine machine;
  const test::FakeDocker docker;
  machine.has("podman", "echo 5.0");
  CHECK(found({.docker_host = "unix://" + docker.path()}) == "docker");
  if (std::filesystem::exists("/var/run/docker.sock")) return;
  CHECK(found(without_docker()) == "podman");
  machine.has("ctr", "echo");
  CHECK(found(without_docker()) == "containerd");
  machine.has("ctr", "echo 'no socket' >&2; exit 1");
  machine.has("podman", "echo 'no subuids' >&2; exit 1");
  CHECK_THAT(found(without_docker()),
             Contains("no container engine answers") && Contains("no socket") && Contains("no subuids"));
}

TEST_CASE("a Docker that is there but does not answer is not passed over") {
  const Machine machine;
  machine.has("podman", "echo 5.0");
  if (std::filesystem::exists("/var/run/docker.sock")) return;
  CHECK_THAT(found({.docker_traces = {"/nowhere", machine.folder.path()}}),
             Contains("is docker running?") && Contains("--engine"));
  CHECK(found({.docker_traces = {"/nowhere"}}) == "podman");
  machine.has("dockerd", "");
  CHECK_THAT(found(without_docker()), Contains("is docker running?"));
}

TEST_CASE("a DOCKER_HOST that does not answer is not passed over in silence") {
  const Machine machine;
  machine.has("podman", "echo 5.0");
  CHECK_THAT(found({.docker_host = "unix:///nowhere.sock"}), Contains("/nowhere.sock"));
}

}  // namespace
}  // namespace paddock

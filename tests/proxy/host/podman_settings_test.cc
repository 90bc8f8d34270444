#include <catch2/catch.hpp>

#include "proxy/host/engine_settings.h"
#include "tests/proxy/host/host_fixture.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::HostFixture;

const CacheAddress cache{.host = "cache.lan", .authority = "cache.lan:5000"};
constexpr const char* file = "/etc/containers/registries.conf.d/paddock.conf";

struct PodmanHost : HostFixture {
  PodmanHost() { write("/usr/bin/podman", ""); }
  [[nodiscard]] std::string examined(const CacheAddress& address = cache) const {
    return test::text_of(
        podman_findings(files, address, {{"registry.baidubce.com", "docker.io"}, "registry.baidubce.com"}));
  }
};

constexpr const char* good =
    "[[registry]]\nprefix = \"registry.baidubce.com\"\nlocation = \"registry.baidubce.com\"\n"
    "[[registry.mirror]]\nlocation = \"cache.lan:5000/registry.baidubce.com\"\ninsecure = true\n";

TEST_CASE("without podman nothing is said of it") {
  CHECK(podman_findings(HostFixture().files, cache, {{"docker.io"}, ""}).empty());
}

TEST_CASE("what podman takes from the cache is told from what it does not") {
  const PodmanHost host;
  host.write(file, good);
  CHECK_THAT(host.examined(), Contains("ok podman: registry.baidubce.com through the cache\n") &&
                                  Contains("warning podman: not through the cache: docker.io: ") &&
                                  Contains(R"(location = "cache.lan:5000/NAME")"));
}

TEST_CASE("the main file counts, and a location that is the cache itself") {
  const PodmanHost host;
  host.write("/etc/containers/registries.conf",
             "[[registry]]\nprefix = \"docker.io\"\nlocation = \"cache.lan:5000/docker.io\"\ninsecure = true\n");
  CHECK_THAT(host.examined(), Contains("ok podman: docker.io"));
}

TEST_CASE("plain HTTP wants insecure") {
  const PodmanHost host;
  host.write(file,
             "[[registry]]\nlocation = \"docker.io\"\n[[registry.mirror]]\nlocation = \"cache.lan:5000/docker.io\"\n");
  CHECK_THAT(host.examined(), Contains("wrong podman: " + std::string(file)) && Contains("insecure = true"));
  auto tls = cache;
  tls.tls = true;
  CHECK_THAT(host.examined(tls), !Contains("wrong"));
}

TEST_CASE("a file that is no TOML is wrong, and the others count") {
  const PodmanHost host;
  host.write("/etc/containers/registries.conf", "[[registry\n");
  host.write(file, good);
  CHECK_THAT(host.examined(), Contains("wrong podman: /etc/containers/registries.conf: line 1 is not TOML") &&
                                  Contains("ok podman: registry.baidubce.com"));
}

TEST_CASE(
    "a mirror that leads to another registry's images is wrong, and without a path it means the default upstream") {
  const PodmanHost host;
  const auto mirror = [](const std::string& registry, const std::string& location) {
    return "[[registry]]\nlocation = \"" + registry + "\"\n[[registry.mirror]]\nlocation = \"" + location +
           "\"\ninsecure = true\n";
  };
  host.write(file, mirror("registry.baidubce.com", "cache.lan:5000/") + mirror("docker.io", "cache.lan:5000"));
  CHECK_THAT(host.examined(), Contains("ok podman: registry.baidubce.com through") &&
                                  Contains("takes another registry's images for those of docker.io: write location = "
                                           "\"cache.lan:5000/docker.io\""));
  host.write(file, mirror("registry.baidubce.com", "cache.lan:5000/docker.io"));
  CHECK_THAT(host.examined(), Contains("for those of registry.baidubce.com") && !Contains("ok podman"));
}

TEST_CASE("mirrors of another cache are not ours") {
  const PodmanHost host;
  host.write(file,
             "[[registry.mirror]]\nlocation = \"cache.lan:5000\"\n[[registry]]\nlocation = \"docker.io\"\n"
             "[[registry.mirror]]\nlocation = \"other.lan:5000\"\n");
  CHECK_THAT(host.examined(), Contains("not through the cache: registry.baidubce.com, docker.io"));
}

}  // namespace
}  // namespace paddock

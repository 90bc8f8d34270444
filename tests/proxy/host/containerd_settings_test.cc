#include <catch2/catch.hpp>

#include "proxy/host/engine_settings.h"
#include "tests/proxy/host/host_fixture.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::HostFixture;

const CacheAddress cache{.host = "cache.lan", .authority = "cache.lan:5000"};
constexpr const char* hosts = "/etc/containerd/certs.d/registry.baidubce.com/hosts.toml";
constexpr const char* config = "/etc/containerd/config.toml";
constexpr const char* config_with_path =
    "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  config_path = \"/etc/containerd/certs.d\"\n";
constexpr const char* good_hosts =
    "server = \"https://registry.baidubce.com\"\n[host.\"http://cache.lan:5000\"]\n  capabilities = [\"pull\", "
    "\"resolve\"]\n";

std::string examined(const HostFixture& host, const CacheAddress& address = cache) {
  return test::text_of(containerd_findings(host.files, address, {{"registry.baidubce.com", "docker.io"}, "docker.io"}));
}

TEST_CASE("without containerd nothing is said of it") { CHECK(examined(HostFixture()).empty()); }

TEST_CASE("what comes through the cache is told from what does not") {
  const HostFixture host;
  host.write(config, config_with_path);
  host.write(hosts, good_hosts);
  CHECK(examined(host) ==
        "ok containerd: registry.baidubce.com through the cache\n"
        "warning containerd: not through the cache: docker.io: write /etc/containerd/certs.d/NAME/hosts.toml with "
        "[host.\"http://cache.lan:5000\"] and capabilities = [\"pull\", \"resolve\"]\n");
}

TEST_CASE("_default is for all that have none of their own, and server may be the cache") {
  const HostFixture host;
  host.write(config, config_with_path);
  host.write("/etc/containerd/certs.d/_default/hosts.toml", "server = \"http://cache.lan:5000\"\n");
  CHECK(examined(host) == "ok containerd: registry.baidubce.com, docker.io through the cache\n");
}

TEST_CASE("a server of the wrong scheme is wrong") {
  const HostFixture host;
  host.write(config, config_with_path);
  host.write(hosts, "server = \"https://cache.lan:5000\"\n");
  CHECK_THAT(examined(host), Contains("speaks HTTPS to the cache") && Contains("server = \"http://cache.lan:5000\"") &&
                                 !Contains("ok containerd"));
}

TEST_CASE("what cannot be read is said, and is not called broken or missing") {
  const HostFixture host;
  std::filesystem::create_directories(host.files.at(config));
  CHECK_THAT(examined(host), Contains("warning containerd: " + std::string(config)) && !Contains("does not start"));
  std::filesystem::remove(host.files.at(config));
  host.write(config, config_with_path);
  std::filesystem::create_directories(host.files.at(hosts));
  CHECK_THAT(examined(host),
             Contains("warning containerd: " + std::string(hosts)) && Contains("not through the cache: docker.io:"));
}

TEST_CASE("config_path is wanted, in the form of containerd 1 or 2") {
  const HostFixture host;
  host.write(hosts, good_hosts);
  CHECK_THAT(examined(host), Contains("config_path is not set"));
  host.write(config, "version = 3\n[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '/x:/y'\n");
  host.write("/x/docker.io/hosts.toml", good_hosts);
  CHECK_THAT(examined(host), Contains("ok containerd: docker.io") && !Contains("config_path"));
  host.write(config,
             std::string(config_with_path) +
                 "[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"docker.io\"]\nendpoint = [\"x\"]\n");
  CHECK_THAT(examined(host), Contains("wrong containerd: config.toml has both"));
}

TEST_CASE("files that are no TOML are wrong, with their line") {
  const HostFixture host;
  host.write(config, config_with_path);
  host.write(hosts, "server = \n");
  CHECK_THAT(examined(host), Contains("wrong containerd: " + std::string(hosts) + ": line 1 is not TOML"));
  host.write(config, "[x");
  CHECK_THAT(examined(host), Contains("wrong containerd: /etc/containerd/config.toml: line 1 is not TOML"));
}

TEST_CASE("a host of the wrong scheme, or without the capabilities, is wrong") {
  const HostFixture host;
  host.write(config, config_with_path);
  host.write(hosts, "[host.\"https://cache.lan:5000\"]\n");
  CHECK_THAT(examined(host), Contains("speaks HTTPS to the cache, which speaks plain HTTP"));
  host.write(hosts, "[host.\"http://cache.lan:5000\"]\ncapabilities = [\"pull\"]\n");
  CHECK_THAT(examined(host), Contains("does not let the cache resolve tags"));
  host.write(hosts, "[host.\"http://cache.lan:5000\"]\ncapabilities = [\"resolve\"]\n");
  CHECK_THAT(examined(host), Contains("does not let the cache be pulled from"));
  host.write(hosts, "[host.\"http://cache.lan:5000\"]\n");
  CHECK_THAT(examined(host), Contains("ok containerd: registry.baidubce.com"));
}

}  // namespace
}  // namespace paddock

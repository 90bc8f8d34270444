#include <catch2/catch.hpp>

#include "proxy/host/engine_settings.h"
#include "tests/proxy/host/host_fixture.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using test::HostFixture;

const CacheAddress cache{.host = "cache.lan", .authority = "cache.lan:5000"};
const CacheAddress local{.host = "127.0.0.1", .authority = "127.0.0.1:5000", .loopback = true};
constexpr const char* file = "/etc/docker/daemon.json";
constexpr const char* drop_in = "/etc/systemd/system/docker.service.d/proxy.conf";

struct DockerHost : HostFixture {
  explicit DockerHost(const std::string& settings) {
    write(file, settings);
    age(file, 4000);
    run("dockerd", "PATH=/bin", 5000);
  }
  // As a cache answers of which docker.io is the default upstream.
  [[nodiscard]] std::string examined(const CacheAddress& address = cache, const std::string& bare = "docker.io") const {
    return test::text_of(docker_findings(files, address, {{"docker.io", "registry.baidubce.com"}, bare}));
  }
};

constexpr const char* good =
    R"({"registry-mirrors": ["http://cache.lan:5000"], "insecure-registries": ["cache.lan:5000"]})";

TEST_CASE("without docker nothing is said of it") { CHECK(docker_findings(HostFixture().files, cache, {}).empty()); }

TEST_CASE("a docker that is set up is one line") {
  const auto text = DockerHost(good).examined();
  CHECK_THAT(text, StartsWith("ok docker: docker.io comes through the cache"));
  CHECK(std::ranges::count(text, '\n') == 1);
}

TEST_CASE("a missing mirror is named with what to write") {
  CHECK_THAT(DockerHost("{}").examined(),
             Contains("warning docker: ") && Contains(R"("registry-mirrors": ["http://cache.lan:5000"])"));
  CHECK_THAT(DockerHost(R"({"registry-mirrors": "http://cache.lan:5000"})").examined(),
             Contains("no registry-mirrors"));
}

TEST_CASE("a mirror gets bare names, which mean the cache's default upstream") {
  const auto* const baidu = "registry.baidubce.com";
  CHECK_THAT(DockerHost(good).examined(cache, baidu),
             StartsWith("warning docker: ") && Contains("which it takes for those of registry.baidubce.com") &&
                 Contains("cache.lan:5000/REGISTRY/REPOSITORY"));
  CHECK_THAT(DockerHost(R"({"insecure-registries": ["cache.lan:5000"]})").examined(cache, baidu),
             StartsWith("ok docker: images come through the cache as cache.lan:5000/REGISTRY/REPOSITORY\n"));
  const DockerHost containerd(
      R"({"registry-mirrors": ["http://cache.lan:5000"], "insecure-registries": ["cache.lan:5000"],
          "features": {"containerd-snapshotter": true}})");
  CHECK_THAT(containerd.examined(cache, baidu), StartsWith("ok docker: docker.io comes through the cache"));
}

TEST_CASE("a mirror that is docker.io's own address of the cache leads to it") {
  const UpstreamNames names{{"docker.io", "registry.baidubce.com"}, "registry.baidubce.com", {"5002"}};
  const auto examined = [&](const std::string& mirror) {
    const DockerHost host(R"({"insecure-registries": ["10.0.0.0/8"], "registry-mirrors": [")" + mirror + "\"]}");
    return test::text_of(docker_findings(host.files, cache, names));
  };
  CHECK_THAT(examined("http://cache.lan:5002/"), StartsWith("ok docker: docker.io comes through the cache"));
  CHECK_THAT(examined("http://cache.lan:5000"), Contains("upstreams[].listen"));
  CHECK_THAT(examined("http://other.lan:5002"), StartsWith("ok docker: images come through the cache as "));
}

TEST_CASE("plain HTTP wants insecure-registries, unless on loopback or with a certificate") {
  const DockerHost host(R"({"registry-mirrors": ["http://cache.lan:5000"]})");
  CHECK_THAT(host.examined(), Contains(R"("insecure-registries": ["cache.lan:5000"])"));
  auto tls = cache;
  tls.tls = true;
  CHECK_THAT(host.examined(tls), !Contains("insecure"));
  CHECK_THAT(DockerHost("{}").examined(local), !Contains("insecure"));
  CHECK_THAT(DockerHost(R"({"insecure-registries": ["10.0.0.0/8"]})").examined(), !Contains("plain HTTP"));
}

TEST_CASE("hosts.toml counts with containerd's image store") {
  const DockerHost host(R"({"features": {"containerd-snapshotter": true}, "insecure-registries": ["cache.lan:5000"]})");
  host.write("/etc/docker/certs.d/registry.baidubce.com/hosts.toml", "[host.\"http://cache.lan:5000\"]\n");
  CHECK_THAT(host.examined(), StartsWith("ok docker: registry.baidubce.com through the cache\n") &&
                                  Contains("warning docker: not through the cache: docker.io: write ") &&
                                  !Contains("registry-mirrors"));
  host.write("/etc/docker/certs.d/docker.io/hosts.toml", "[host.\"https://cache.lan:5000\"]\n");
  CHECK_THAT(host.examined(), Contains("wrong docker: /etc/docker/certs.d/docker.io/hosts.toml speaks HTTPS"));
}

TEST_CASE("a registry mirror goes on to count where hosts.toml says nothing") {
  const DockerHost host(R"({"features": {"containerd-snapshotter": true}, "registry-mirrors": ["http://cache.lan:5000"],
                            "insecure-registries": ["cache.lan:5000"]})");
  host.write("/etc/docker/certs.d/registry.baidubce.com/hosts.toml", "[host.\"http://cache.lan:5000\"]\n");
  CHECK(host.examined() == "ok docker: registry.baidubce.com through the cache\n");
}

TEST_CASE("hosts.toml without containerd's image store is said to do nothing") {
  const DockerHost host(good);
  host.write("/etc/docker/certs.d/registry.baidubce.com/hosts.toml", "[host.\"http://cache.lan:5000\"]\n");
  CHECK_THAT(host.examined(),
             Contains("warning docker: /etc/docker/certs.d has hosts.toml send registry.baidubce.com") &&
                 Contains(R"("containerd-snapshotter": true)") &&
                 Contains("ok docker: docker.io comes through the cache"));
}

TEST_CASE("a file that dockerd cannot read is wrong") {
  for (const auto* settings : {"", "{", "[]", R"({"a": 1, "a": 2})"}) {
    INFO(settings);
    CHECK_THAT(DockerHost(settings).examined(), StartsWith("wrong docker: /etc/docker/daemon.json is not"));
  }
}

TEST_CASE("what was written after dockerd started may not be in effect") {
  const DockerHost host(good);
  host.age(file, 6000);
  CHECK_THAT(host.examined(), Contains("warning docker: /etc/docker/daemon.json was changed after") &&
                                  Contains("systemctl reload docker"));
}

TEST_CASE("a dockerd that does not run is said") {
  const HostFixture host;
  host.write(file, good);
  CHECK_THAT(test::text_of(docker_findings(host.files, cache, {})), Contains("dockerd is not running"));
}

TEST_CASE("a proxy that was written and is not in effect is wrong") {
  const DockerHost host(good);
  host.write(drop_in, "[Service]\nEnvironment=\"HTTPS_PROXY=http://cache.lan:3128\" \"NO_PROXY=localhost\"\n");
  CHECK_THAT(host.examined(),
             Contains("wrong docker: " + std::string(drop_in)) && Contains("has none") && Contains("daemon-reload"));
  host.run("dockerd", "HTTPS_PROXY=http://cache.lan:3128", 5000);
  CHECK_THAT(host.examined(), Contains("ok docker: HTTPS_PROXY of dockerd leads to the cache's host"));
  host.run("dockerd", "https_proxy=http://old.lan:3128", 5000);
  CHECK_THAT(host.examined(), Contains("has another one"));
}

TEST_CASE("dockerd's own way to set a proxy counts too") {
  const DockerHost host(R"({"proxies": {"https-proxy": "http://user:s3cret@proxy.lan:3128", "no-proxy": "x"},
                            "registry-mirrors": ["http://cache.lan:5000"], "insecure-registries": ["cache.lan:5000"]})");
  CHECK_THAT(host.examined(), Contains("warning docker: dockerd reaches the cache through the proxy") &&
                                  Contains("add cache.lan to NO_PROXY") && !Contains("s3cret"));
}

TEST_CASE("a proxy that the cache is excepted from is none") {
  for (const auto* exceptions : {"cache.lan", "localhost, cache.lan:5000", ".lan", "*.lan", "lan"}) {
    INFO(exceptions);
    const DockerHost host(good);
    host.run("dockerd", std::string("HTTPS_PROXY=http://proxy.lan:3128") + '\0' + "NO_PROXY=" + exceptions, 5000);
    CHECK_THAT(host.examined(), !Contains("proxy"));
  }
  const DockerHost host(good);
  host.run("dockerd", std::string("HTTPS_PROXY=http://proxy.lan:3128") + '\0' + "NO_PROXY=he.lan,cache", 5000);
  CHECK_THAT(host.examined(), Contains("reaches the cache through the proxy"));
}

TEST_CASE("where the proxy is the cache no mirror is missed") {
  const DockerHost host("{}");
  host.write(drop_in, "[Service]\nEnvironment=HTTPS_PROXY=http://cache.lan:3128 A=b\n");
  host.run("dockerd", "HTTPS_PROXY=http://cache.lan:3128", 5000);
  CHECK_THAT(host.examined(), !Contains("registry-mirrors") && Contains("leads to the cache's host"));
}

}  // namespace
}  // namespace paddock

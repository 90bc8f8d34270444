#include "proxy/cli/doctor_host.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/proxy/cli/admin_server.h"
#include "tests/proxy/net/server_fixture.h"
#include "tests/support/scripted_registry.h"
#include "tests/support/tls_certificates.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::ScriptedRegistry;

struct Machine {
  TemporaryFolder folder;
  config::Config config;

  Machine() {
    config.storage.path = (folder / "data/not/made/yet").string();
    config.storage.min_free = 1;
    config.upstreams.clear();
  }

  ScriptedRegistry& upstream(ScriptedRegistry& registry) {
    auto& added = config.upstreams.emplace_back();
    added.name = "registry.baidubce.com";
    added.endpoints = {registry.url()};
    return registry;
  }

  [[nodiscard]] std::string examined(const std::string& cache, bool has_cache = true) const {
    const HostExamination examination{HostFiles(folder.path()), has_cache, std::chrono::seconds(30)};
    return describe(examine(examination, config, CacheClient(Url::parse(cache).value())));
  }
};

TEST_CASE("a data folder that is to be made has the room of the disk that it will be on") {
  const Machine machine;
  const ScriptedRegistry cache;
  CHECK_THAT(machine.examined(cache.url()), Contains("free for the data folder " + machine.config.storage.path));
}

TEST_CASE("a certificate that nobody trusts is wrong, one that dockerd trusts is not") {
  TestCa ca;
  ServerFixture server(test::fixed_handler(200, "{}"));
  const auto files = ca.issue_local();
  server.serve(make_tls_server(files.certificate, files.key).value());
  const auto url = server.url("/", true);
  const Machine machine;
  CHECK_THAT(machine.examined(url.origin()),
             Contains("nobody here trusts that of " + url.origin()) && !Contains("paddock serve"));
  const auto trusted = machine.folder / "etc/docker/certs.d" / url.authority();
  std::filesystem::create_directories(trusted);
  CHECK_THAT(machine.examined(url.origin()), Contains("put the CA's certificate into /etc/docker/certs.d/"));
  std::filesystem::copy_file(ca.file(), trusted / "ca.crt");
  CHECK_THAT(machine.examined(url.origin()), Contains("dockerd trusts that of " + url.origin()));
  const TestCa other;
  std::filesystem::copy_file(other.file(), trusted / "ca.crt", std::filesystem::copy_options::overwrite_existing);
  CHECK_THAT(machine.examined(url.origin()), Contains("nobody here trusts"));
}

TEST_CASE("of a cache that does not answer no certificate is blamed") {
  const Machine machine;
  ScriptedRegistry cache;
  cache.go_away();
  CHECK_THAT(machine.examined("https://" + cache.host()), Contains("none at https://") && !Contains("certificate  "));
}

TEST_CASE("what answers without the cache's mark is another program") {
  const Machine machine;
  ScriptedRegistry cache;
  CHECK_THAT(machine.examined(cache.url()), Contains("is not paddock"));
  cache.script("GET /v2/", {.headers = {{"X-Paddock-Cache", "hit"}}}, 0);
  CHECK_THAT(machine.examined(cache.url()), Contains("answers at " + cache.url()));
}

TEST_CASE("of a cache on another machine neither data folder nor upstreams are looked at") {
  Machine machine;
  ScriptedRegistry cache, registry;
  machine.upstream(registry);
  CHECK_THAT(machine.examined(cache.url(), false), !Contains("data folder") && !Contains("upstream"));
  CHECK(registry.requests().empty());
}

TEST_CASE("the clock of a cache on this machine proves nothing") {
  const Machine machine;
  ScriptedRegistry cache;
  cache.script("GET /v2/", {.headers = {{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}}}, 0);
  CHECK_THAT(machine.examined(cache.url()), !Contains("clock"));
}

TEST_CASE("the clock is compared with what servers say") {
  Machine machine;
  ScriptedRegistry registry;
  machine.upstream(registry).script("GET /v2/", {.headers = {{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}}}, 0);
  CHECK_THAT(machine.examined(registry.url()), Contains("wrong") && Contains("s ahead of that of"));
}

TEST_CASE("each endpoint is asked, and what it answers is said") {
  Machine machine;
  ScriptedRegistry registry;
  machine.upstream(registry).script("GET /v2/", {.status = 403}, 0);
  CHECK_THAT(machine.examined(registry.url()), Contains("refuses this machine"));
}

TEST_CASE("an endpoint that is away is found") {
  Machine machine;
  ScriptedRegistry cache, registry;
  machine.upstream(registry).go_away();
  CHECK_THAT(machine.examined(cache.url()),
             Contains("registry.baidubce.com at " + registry.url() + " cannot be reached"));
}

TEST_CASE("offline no upstream is asked") {
  Machine machine;
  ScriptedRegistry cache, registry;
  machine.upstream(registry);
  machine.config.offline = true;
  CHECK_THAT(machine.examined(cache.url()), !Contains("upstream"));
  CHECK(registry.requests().empty());
}

TEST_CASE("files that the configuration names are looked at") {
  Machine machine;
  ScriptedRegistry registry;
  machine.upstream(registry);
  machine.config.upstreams[0].password_file = "/nowhere/password";
  CHECK_THAT(machine.examined(registry.url()), Contains("configuration") && Contains("/nowhere/password"));
}

TEST_CASE("engines' disks are looked at where there are some") {
  const Machine machine;
  const ScriptedRegistry cache;
  CHECK_THAT(machine.examined(cache.url()), !Contains("/var/lib/docker"));
  std::filesystem::create_directories(machine.folder / "var/lib/docker");
  CHECK_THAT(machine.examined(cache.url()), Contains("free in /var/lib/docker"));
}

TEST_CASE("findings are a line each with the remedy below, and warnings are in order") {
  const Findings findings{fine("disk", "much"), warning("clock", "slow", "set it")};
  CHECK(describe(findings) == "ok       disk   much\nwarning  clock  slow\n                -> set it\n");
  CHECK(all_in_order(findings));
  CHECK_FALSE(all_in_order({wrong("cache", "none", "start it")}));
  const auto json = findings_json(findings);
  CHECK(json[0]["remedy"].is_null());
  CHECK(json[1]["severity"] == "warning");
  CHECK(json[1]["remedy"] == "set it");
}

}  // namespace
}  // namespace paddock

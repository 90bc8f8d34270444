#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/proxy/cli/command_line.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tls_certificates.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using test::paddock;
using Json = nlohmann::json;

const std::string url = "http://cache.lan:5000";

std::vector<std::string> with(std::vector<std::string> more) {
  more.insert(more.begin(), "client-config");
  return more;
}

test::Outcome asked(const std::vector<std::string>& arguments) { return paddock(with(arguments)); }

Json json_of(std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  const auto outcome = asked(arguments);
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  return Json::parse(outcome.out);
}

void refused(const std::vector<std::string>& arguments, const std::string& why) {
  const auto outcome = asked(arguments);
  CHECK(outcome.status == 2);
  CHECK(outcome.out.empty());
  CHECK(test::is_one_line(outcome.err));
  CHECK_THAT(outcome.err, Contains(why));
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream out;
  out << std::ifstream(file).rdbuf();
  return out.str();
}

TEST_CASE("client-config prints each file, the commands and what has to be known") {
  const auto outcome = asked({"containerd", "--cache", url, "--upstream", "registry.baidubce.com"});
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.out, StartsWith("==== /etc/containerd/certs.d/registry.baidubce.com/hosts.toml (mode 0644) ====\n"
                                     "# paddock client-config containerd: pulls go through http://cache.lan:5000\n"
                                     "server = \"https://registry.baidubce.com\"\n\n"
                                     "[host.\"http://cache.lan:5000\"]\n"
                                     "  capabilities = [\"pull\", \"resolve\"]\n"
                                     "  dial_timeout = \"1s\"\n\n") &&
                              Contains("\n---- where there is such a file, set config_path") &&
                              Contains("\n==== then, as root ====\n# ") &&
                              Contains("\nsystemctl restart containerd\n") && Contains("\n==== to know ====\n- "));
}

TEST_CASE("client-config --json has the files as they are") {
  const auto json = json_of({"podman", "--cache", url, "--no-fallback"});
  CHECK(json["kind"] == "podman");
  CHECK(json["cache"] == url);
  CHECK(json["fallback"] == false);
  CHECK(json["upstreams"].size() == 3);
  CHECK(json["files"][0]["path"] == "/etc/containers/registries.conf.d/paddock.conf");
  CHECK(json["files"][0]["mode"] == "0644");
  CHECK_THAT(json["files"][0]["content"].get<std::string>(), Contains("location = \"cache.lan:5000/docker.io\"\n"));
  CHECK(json["files"][0]["merge"].is_null());
  CHECK(json["commands"].empty());
  const auto docker = json_of({"docker", "--cache", url});
  CHECK(docker["upstreams"] == Json{"docker.io"});
  CHECK(docker["commands"][0]["command"] == "systemctl reload docker");
  CHECK(docker["files"][0]["merge_command"].get<std::string>().starts_with("python3 - <<'END'\n"));
}

TEST_CASE("every kind is printed for HTTP and for TLS") {
  const TestCa ca;
  for (const auto* kind : {"docker", "docker-containerd", "containerd", "podman", "crio", "buildkit", "kubernetes"}) {
    for (const auto& cache : {std::vector<std::string>{url}, {"https://cache.lan:5443", "--ca", ca.file().string()}}) {
      auto arguments = cache;
      arguments.insert(arguments.begin(), {kind, "--cache"});
      CHECK(asked(arguments).status == 0);
    }
  }
  CHECK(asked({"docker-proxy", "--cache", "http://cache.lan:3128", "--ca", ca.file().string()}).status == 0);
}

TEST_CASE("the cache's address may lack a scheme, and is no more than an address") {
  CHECK(json_of({"podman", "--cache", "cache.lan:5000"})["cache"] == url);
  CHECK(json_of({"podman", "--cache", "https://Cache.lan:443/"})["cache"] == "https://cache.lan");
  refused({"podman", "--cache", "http://cache.lan:5000/v2/"}, "leave the path out: http://cache.lan:5000");
  refused({"podman", "--cache", "http://me:secret@cache.lan"}, "leave name and password out");
  refused({"podman", "--cache", "ftp://cache.lan"}, "--cache: ");
  refused({"podman", "--cache", "http://a\"b"}, "--cache: ");
  refused({"podman", "--cache", "0.0.0.0:5000"}, "is where the cache listens");
  refused({"podman"}, "--cache");
  refused({"--cache", url}, "kind");
  refused({"rkt", "--cache", url}, "docker-containerd");
}

TEST_CASE("upstreams come from the command line or from a configuration") {
  CHECK(json_of({"containerd", "--cache", url, "--upstream", "a.lan", "--upstream", "b.lan:5000"})["upstreams"] ==
        Json{"a.lan", "b.lan:5000"});
  CHECK(json_of({"--upstream", "a.lan", "podman", "--cache", url})["kind"] == "podman");
  refused({"podman", "--cache", url, "--upstream", "https://a.lan"}, "leave out the scheme");
  refused({"docker", "--cache", url, "--upstream", "a.lan"}, "docker.io only");
  const TemporaryFolder folder;
  const auto file = (folder / "paddock.yaml").string();
  std::ofstream(file) << "upstreams:\n  - {name: c.lan, endpoints: [http://127.0.0.1:1]}\n";
  CHECK(json_of({"podman", "--cache", url, "--config", file})["upstreams"] == Json{"c.lan"});
  refused({"podman", "--cache", url, "--config", file, "--upstream", "a.lan"}, "excludes");
  CHECK(asked({"podman", "--cache", url, "--config", (folder / "absent").string()}).status == 2);
}

TEST_CASE("a CA is read, checked, and stripped of what is no certificate") {
  TestCa ca;
  const TemporaryFolder folder;
  const auto file = (folder / "ca.pem").string();
  const auto leaf = ca.issue_local();
  std::ofstream(file) << text_of(leaf.key) << text_of(ca.file());
  const auto json = json_of({"podman", "--cache", "https://cache.lan", "--ca", file});
  CHECK(json["files"][1]["path"] == "/etc/containers/certs.d/cache.lan/ca.crt");
  CHECK(json["files"][1]["content"] == text_of(ca.file()));
  refused({"podman", "--cache", "https://cache.lan", "--ca", leaf.key.string()}, "--ca: ");
  CHECK(asked({"podman", "--cache", "https://cache.lan", "--ca", (folder / "absent").string()}).status != 0);
  refused({"podman", "--cache", url, "--ca", file}, "means nothing to plain HTTP");
  refused({"docker-proxy", "--cache", url}, "needs --ca FILE");
}

TEST_CASE("the files are written where --out says, and none is overwritten") {
  const TemporaryFolder folder;
  const auto root = folder / "root";
  const std::vector<std::string> arguments{"docker-containerd", "--cache", url, "--out", root.string()};
  const auto outcome = asked(arguments);
  CHECK(outcome.status == 0);
  const auto hosts = root / "etc/docker/certs.d/registry.baidubce.com/hosts.toml";
  CHECK_THAT(outcome.out, StartsWith("wrote " + hosts.string() + "\n") && Contains("systemctl restart docker") &&
                              !Contains("server ="));
  for (const auto& file : json_of({"docker-containerd", "--cache", url})["files"]) {
    CHECK(text_of(root / std::filesystem::path(file["path"].get<std::string>()).relative_path()) ==
          file["content"].get<std::string>());
  }
  CHECK((std::filesystem::status(hosts).permissions() & std::filesystem::perms::mask) == std::filesystem::perms(0644));
  CHECK_THAT(asked(arguments).out, StartsWith("all files are there already\n"));

  std::filesystem::remove(hosts);
  std::ofstream(root / "etc/docker/daemon.json") << "{}";
  // What others write into as well is left to be merged, and holds up nothing.
  const auto shared = asked(arguments);
  CHECK(shared.status == 0);
  CHECK_THAT(shared.out, StartsWith("wrote " + hosts.string() + "\n") &&
                             Contains("left /etc/docker/daemon.json as it is") && Contains("keep what it says") &&
                             Contains("python3 -"));
  CHECK(text_of(root / "etc/docker/daemon.json") == "{}");

  std::filesystem::remove(hosts);
  const auto other = root / "etc/docker/certs.d/docker.io/hosts.toml";
  std::ofstream(other) << "x";
  const auto conflict = asked(arguments);
  CHECK(conflict.status == 1);
  CHECK(test::is_one_line(conflict.err));
  CHECK_THAT(conflict.err, Contains(other.string() + " is there already") && Contains("nothing was written"));
  CHECK(text_of(other) == "x");
  CHECK_FALSE(std::filesystem::exists(hosts));
}

TEST_CASE("what --out cannot write is said") {
  const TemporaryFolder folder;
  std::ofstream(folder / "file") << "x";
  const auto outcome = asked({"podman", "--cache", url, "--out", (folder / "file").string()});
  CHECK(outcome.status == 1);
  CHECK_THAT(outcome.err, Contains((folder / "file").string()));
}

}  // namespace
}  // namespace paddock

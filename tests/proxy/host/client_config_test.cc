#include "proxy/host/client_config.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include "proxy/host/run_program.h"
#include "proxy/host/toml.h"
#include "tests/proxy/host/host_fixture.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using Json = nlohmann::json;
using Texts = std::vector<std::string>;
using test::HostFixture;

const CacheAddress plain{.host = "cache.lan", .authority = "cache.lan:5000"};
const CacheAddress tls{.host = "cache.lan", .authority = "cache.lan:5443", .tls = true};
const CacheAddress local{.host = "127.0.0.1", .authority = "127.0.0.1:5000", .loopback = true};
const Texts both{"registry.baidubce.com", "docker.io"};
const std::string pem = "-----BEGIN CERTIFICATE-----\nTUlJ\nQ2Fy\n-----END CERTIFICATE-----\n";

ClientConfigRequest asked(ClientKind kind, const CacheAddress& cache = plain, bool fallback = true) {
  return {.kind = kind,
          .cache = cache,
          .upstreams = kind == ClientKind::docker ? Texts{"docker.io"} : both,
          .ca_pem = cache.tls || kind == ClientKind::docker_proxy ? pem : "",
          .fallback = fallback};
}

ClientConfig made(const ClientConfigRequest& request) {
  auto config = client_config(request);
  INFO((config ? "" : config.error().context));
  REQUIRE(config);
  return *std::move(config);
}

std::string content(const ClientConfig& config, const std::string& path) {
  const auto found = std::ranges::find(config.files, path, &ClientFile::path);
  INFO(path);
  REQUIRE(found != config.files.end());
  return found->content;
}

std::string refusal(const ClientConfigRequest& request) {
  const auto config = client_config(request);
  if (config) return "";
  CHECK(config.error().code == ErrorCode::invalid_argument);
  return config.error().context;
}

std::vector<TomlTable> toml(const ClientConfig& config, const std::string& path) {
  auto tables = parse_toml(content(config, path));
  REQUIRE(tables);
  return *std::move(tables);
}

const TomlTable& table(const std::vector<TomlTable>& tables, const Texts& path) {
  const auto found = std::ranges::find(tables, path, &TomlTable::path);
  REQUIRE(found != tables.end());
  return *found;
}

// A machine with every engine, and the files installed.
struct Machine : HostFixture {
  explicit Machine(const ClientConfig& config) {
    write("/usr/bin/podman", "");
    write("/usr/bin/dockerd", "");
    for (const auto& file : config.files) write(file.path, file.content);
    age_docker();
  }
  void age_docker() const {
    const auto* const file = "/etc/docker/daemon.json";
    if (files.exists(file)) age(file, 4000);
    run("dockerd", "PATH=/bin", 5000);
  }
};

const UpstreamNames names{both, "docker.io"};

TEST_CASE("kinds have names") {
  CHECK(client_kind_names() ==
        Texts{"docker", "docker-containerd", "docker-proxy", "containerd", "podman", "crio", "buildkit", "kubernetes"});
  for (const auto& name : client_kind_names()) CHECK(to_string(parse_client_kind(name).value()) == name);
  CHECK_THAT(parse_client_kind("rkt").error().context, Contains("docker-containerd, docker-proxy"));
}

TEST_CASE("containerd tries the cache first and the registry after it") {
  for (const auto& cache : {plain, tls}) {
    const auto config = made(asked(ClientKind::containerd, cache));
    for (const auto& [name, server] : {std::pair("registry.baidubce.com", "https://registry.baidubce.com"),
                                       std::pair("docker.io", "https://registry-1.docker.io")}) {
      const auto folder = "/etc/containerd/certs.d/" + std::string(name);
      const auto tables = toml(config, folder + "/hosts.toml");
      CHECK(tables.front().text("server") == server);
      CHECK_FALSE(tables.front().has("ca"));
      const auto& host = table(tables, {"host", cache.origin()});
      CHECK(host.texts("capabilities") == Texts{"pull", "resolve"});
      CHECK(host.text("dial_timeout") == "1s");
      CHECK(host.text("ca") == (cache.tls ? "paddock-ca.pem" : ""));
      if (cache.tls) CHECK(content(config, folder + "/paddock-ca.pem") == pem);
    }
  }
}

TEST_CASE("without fallback the cache is containerd's server, and is waited for") {
  for (const auto& cache : {plain, tls}) {
    const auto tables = toml(made(asked(ClientKind::containerd, cache, false)),
                             "/etc/containerd/certs.d/registry.baidubce.com/hosts.toml");
    CHECK(tables.front().text("server") == cache.origin());
    CHECK(tables.front().text("ca") == (cache.tls ? "paddock-ca.pem" : ""));
    CHECK(tables.front().texts("capabilities") == Texts{"pull", "resolve"});
    CHECK_FALSE(table(tables, {"host", cache.origin()}).has("dial_timeout"));
  }
}

TEST_CASE("what is printed for containerd leads to the cache") {
  for (const auto& cache : {plain, tls, local}) {
    for (const bool fallback : {true, false}) {
      const Machine machine(made(asked(ClientKind::containerd, cache, fallback)));
      CHECK(test::text_of(containerd_findings(machine.files, cache, names)) ==
            "ok containerd: registry.baidubce.com, docker.io through the cache\n");
    }
  }
}

TEST_CASE("podman and CRI-O name the registry in the path") {
  for (const auto kind : {ClientKind::podman, ClientKind::crio}) {
    const auto tables = toml(made(asked(kind)), "/etc/containers/registries.conf.d/paddock.conf");
    REQUIRE(tables.size() == 5);
    CHECK(tables[1].text("prefix") == "registry.baidubce.com");
    CHECK(tables[1].text("location") == "registry.baidubce.com");
    CHECK(tables[2].path == Texts{"registry", "mirror"});
    CHECK(tables[2].text("location") == "cache.lan:5000/registry.baidubce.com");
    CHECK(tables[2].flag("insecure"));
  }
  const auto config = made(asked(ClientKind::podman, tls, false));
  const auto tables = toml(config, "/etc/containers/registries.conf.d/paddock.conf");
  REQUIRE(tables.size() == 3);
  CHECK(tables[2].text("prefix") == "docker.io");
  CHECK(tables[2].text("location") == "cache.lan:5443/docker.io");
  CHECK_FALSE(tables[2].has("insecure"));
  CHECK(content(config, "/etc/containers/certs.d/cache.lan:5443/ca.crt") == pem);
  CHECK(made(asked(ClientKind::crio)).steps.front().command == "systemctl reload crio");
}

TEST_CASE("a registry with a port has no place in podman's path") {
  for (const auto kind : {ClientKind::podman, ClientKind::crio}) {
    auto request = asked(kind);
    request.upstreams = {"registry.baidubce.com", "my.lan:5100"};
    CHECK_THAT(refusal(request), Contains("my.lan:5100: ") && Contains("no port can stand"));
  }
}

TEST_CASE("what is printed for podman leads to the cache") {
  for (const auto& cache : {plain, tls, local}) {
    for (const bool fallback : {true, false}) {
      const Machine machine(made(asked(ClientKind::podman, cache, fallback)));
      CHECK(test::text_of(podman_findings(machine.files, cache, names)) ==
            "ok podman: registry.baidubce.com, docker.io through the cache\n");
    }
  }
}

TEST_CASE("docker mirrors docker.io, and says what that means") {
  const auto config = made(asked(ClientKind::docker));
  const auto settings = Json::parse(content(config, "/etc/docker/daemon.json"));
  CHECK(settings == Json::parse(R"({"registry-mirrors": ["http://cache.lan:5000"],
                                    "insecure-registries": ["cache.lan:5000"]})"));
  CHECK(config.files.size() == 1);
  CHECK_THAT(config.notes.at(0), Contains("docker-proxy") && Contains("docker-containerd") && Contains("prepull"));
  CHECK_THAT(config.notes.at(1), Contains("upstreams[].listen") && Contains("default upstream"));
  const auto secure = made(asked(ClientKind::docker, tls));
  CHECK(Json::parse(content(secure, "/etc/docker/daemon.json")) ==
        Json::parse(R"({"registry-mirrors": ["https://cache.lan:5443"]})"));
  CHECK(content(secure, "/etc/docker/certs.d/cache.lan:5443/ca.crt") == pem);
  CHECK_FALSE(Json::parse(content(made(asked(ClientKind::docker, local)), "/etc/docker/daemon.json"))
                  .contains("insecure-registries"));
}

TEST_CASE("what is printed for docker leads to the cache") {
  for (const auto& cache : {plain, tls, local}) {
    const Machine machine(made(asked(ClientKind::docker, cache)));
    CHECK(test::text_of(docker_findings(machine.files, cache, names)) ==
          "ok docker: docker.io comes through the cache (registry-mirrors), other registries by the cache's name: " +
              cache.authority + "/REGISTRY/REPOSITORY\n");
  }
}

TEST_CASE("docker mirrors nothing else, and not without fallback") {
  CHECK_THAT(refusal(asked(ClientKind::docker, plain, false)), Contains("always asks Docker Hub"));
  auto request = asked(ClientKind::docker);
  request.upstreams = both;
  CHECK_THAT(refusal(request), Contains("docker.io only") && Contains("docker-proxy"));
}

TEST_CASE("dockerd with containerd's store reads hosts.toml") {
  for (const auto& cache : {plain, tls, local}) {
    for (const bool fallback : {true, false}) {
      const auto config = made(asked(ClientKind::docker_containerd, cache, fallback));
      const auto settings = Json::parse(content(config, "/etc/docker/daemon.json"));
      CHECK(settings["features"] == Json{{"containerd-snapshotter", true}});
      CHECK(settings.contains("insecure-registries") == (!cache.tls && !cache.loopback));
      CHECK(toml(config, "/etc/docker/certs.d/docker.io/hosts.toml").front().text("server") ==
            (fallback ? "https://registry-1.docker.io" : cache.origin()));
      const Machine machine(config);
      CHECK(test::text_of(docker_findings(machine.files, cache, names)) ==
            "ok docker: registry.baidubce.com, docker.io through the cache\n");
    }
  }
}

TEST_CASE("docker-proxy is a drop-in, and a CA where dockerd looks for it") {
  const CacheAddress proxy{.host = "cache.lan", .authority = "cache.lan:3128"};
  const auto config = made(asked(ClientKind::docker_proxy, proxy));
  const auto unit = content(config, "/etc/systemd/system/docker.service.d/paddock.conf");
  CHECK_THAT(unit, Contains("\n[Service]\nEnvironment=\"HTTPS_PROXY=http://cache.lan:3128\"\n"
                            "Environment=\"NO_PROXY=localhost,127.0.0.1,::1,cache.lan\"\n"));
  CHECK(content(config, "/etc/docker/certs.d/registry.baidubce.com/ca.crt") == pem);
  CHECK(content(config, "/usr/local/share/ca-certificates/paddock.crt") == pem);
  CHECK(config.steps.front().command == "update-ca-certificates");
  CHECK(config.steps.back().command == "systemctl restart docker");
  CHECK_THAT(config.notes.at(1), Contains("ingress.connect_proxy.tunnel") && Contains("(405)"));
  CHECK_THAT(config.notes.at(4), Contains("http://NAME:PASSWORD@cache.lan:3128"));
  const Machine machine(config);
  machine.run("dockerd", "HTTPS_PROXY=http://cache.lan:3128", 5000);
  CHECK_THAT(test::text_of(docker_findings(machine.files, plain, names)),
             Contains("ok docker: HTTPS_PROXY of dockerd leads to the cache's host") && !Contains("wrong"));
}

TEST_CASE("docker-proxy trusts a CA for one registry only where no more is asked") {
  auto request = asked(ClientKind::docker_proxy);
  request.upstreams = {"registry.baidubce.com"};
  const auto config = made(request);
  CHECK(config.files.size() == 2);
  CHECK(config.steps.front().command == "systemctl daemon-reload");
  request.ca_pem = "";
  CHECK_THAT(refusal(request), Contains("--ca"));
  CHECK_THAT(refusal(asked(ClientKind::docker_proxy, tls)), Contains("plain HTTP"));
}

TEST_CASE("buildkit knows the mirror's scheme and CA by the mirror's own name") {
  const auto file = std::string("/etc/buildkit/buildkitd.toml");
  const auto tables = toml(made(asked(ClientKind::buildkit)), file);
  CHECK(table(tables, {"registry", "registry.baidubce.com"}).texts("mirrors") == Texts{"cache.lan:5000"});
  CHECK(table(tables, {"registry", "cache.lan:5000"}).flag("http"));
  const auto config = made(asked(ClientKind::buildkit, tls));
  const auto secure = toml(config, file);
  const auto& mirror = table(secure, {"registry", "cache.lan:5443"});
  CHECK(mirror.has("http"));
  CHECK_FALSE(mirror.flag("http"));
  CHECK(mirror.texts("ca") == Texts{"/etc/buildkit/paddock-ca.pem"});
  CHECK(content(config, "/etc/buildkit/paddock-ca.pem") == pem);
  CHECK_THAT(refusal(asked(ClientKind::buildkit, plain, false)), Contains("always asks the registry itself"));
  CHECK_THAT(made(asked(ClientKind::buildkit, local)).notes.back(), Contains("the builder's own container"));
}

// The files that the DaemonSet writes, by their path below the node's folder.
std::map<std::string, std::string> node_files(const std::vector<YAML::Node>& documents) {
  std::map<std::string, std::string> files;
  for (const auto& item : documents.at(1)["spec"]["template"]["spec"]["volumes"][0]["configMap"]["items"]) {
    files[item["path"].as<std::string>()] = documents.at(0)["data"][item["key"].as<std::string>()].as<std::string>();
  }
  return files;
}

TEST_CASE("kubernetes gets the files that containerd gets") {
  for (const auto& cache : {plain, tls, local}) {
    for (const bool fallback : {true, false}) {
      const auto config = made(asked(ClientKind::kubernetes, cache, fallback));
      const auto documents = YAML::LoadAll(content(config, "paddock-containerd-hosts.yaml"));
      REQUIRE(documents.size() == 2);
      CHECK(documents[0]["kind"].as<std::string>() == "ConfigMap");
      CHECK(documents[1]["kind"].as<std::string>() == "DaemonSet");
      const auto pod = documents[1]["spec"]["template"]["spec"];
      CHECK(pod["tolerations"][0]["operator"].as<std::string>() == "Exists");
      CHECK(pod["initContainers"][0]["resources"]["limits"]["memory"].as<std::string>() == "32Mi");
      CHECK(pod["volumes"][1]["hostPath"]["path"].as<std::string>() == "/etc/containerd/certs.d");
      HostFixture node;
      node.write("/etc/containerd/config.toml",
                 content(made(asked(ClientKind::containerd)), "/etc/containerd/config.toml"));
      const auto files = node_files(documents);
      CHECK(files.size() == (cache.tls ? 4 : 2));
      for (const auto& [path, text] : files) node.write("/etc/containerd/certs.d/" + path, text);
      CHECK(test::text_of(containerd_findings(node.files, cache, names)) ==
            "ok containerd: registry.baidubce.com, docker.io through the cache\n");
      if (cache.tls) CHECK(files.at("docker.io/paddock-ca.pem") == pem);
    }
  }
}

TEST_CASE("another file is another template, so that pods are replaced") {
  const auto annotation = [](const ClientConfigRequest& request) {
    const auto documents = YAML::LoadAll(content(made(request), "paddock-containerd-hosts.yaml"));
    return documents.at(1)["spec"]["template"]["metadata"]["annotations"]["paddock/files"].as<std::string>();
  };
  const auto request = asked(ClientKind::kubernetes);
  CHECK(annotation(request) == annotation(request));
  CHECK(annotation(request) != annotation(asked(ClientKind::kubernetes, plain, false)));
}

// As a kubelet mounts a ConfigMap: files behind a link to a folder of their own.
TEST_CASE("the DaemonSet's script writes what is mounted") {
  const auto documents = YAML::LoadAll(content(made(asked(ClientKind::kubernetes)), "paddock-containerd-hosts.yaml"));
  auto script = documents.at(1)["spec"]["template"]["spec"]["initContainers"][0]["command"][2].as<std::string>();
  const HostFixture node;
  const auto from = node.files.at("/from"), to = node.files.at("/to");
  for (const auto& [path, text] : node_files(documents)) {
    node.write("/from/..2026/" + path, text);
    node.write("/to/" + path, "old");
    const auto top = path.substr(0, path.find('/'));
    std::filesystem::create_symlink("..data/" + top, from / top);
  }
  std::filesystem::create_directory_symlink("..2026", from / "..data");
  const auto put = [&script](const std::string& what, const std::string& instead) {
    for (auto at = script.find(what); at != script.npos; at = script.find(what, at + instead.size())) {
      script.replace(at, what.size(), instead);
    }
  };
  put("/from", from.string());
  put("/to/", to.string() + "/");
  const auto done = run_program({"sh", "-c", script});
  REQUIRE(done);
  for (const auto& [path, text] : node_files(documents)) CHECK(node.files.read("/to/" + path).value() == text);
  CHECK(std::distance(std::filesystem::recursive_directory_iterator(to), {}) == 4);
}

TEST_CASE("a daemon.json that is there keeps what it says") {
  for (const auto kind : {ClientKind::docker, ClientKind::docker_containerd}) {
    const auto config = made(asked(kind));
    const auto& file = config.files.at(kind == ClientKind::docker ? 0 : 2);
    const HostFixture host;
    host.write(file.path, R"({"default-runtime": "nvidia", "insecure-registries": ["old.lan:5000", "cache.lan:5000"],
                              "features": {"buildkit": true}})");
    auto command = file.merge_command;
    const auto at = command.find(file.path);
    REQUIRE(at != std::string::npos);
    command.replace(at, file.path.size(), host.files.at(file.path).string());
    REQUIRE(run_program({"sh", "-c", command}));
    const auto merged = Json::parse(host.files.read(file.path).value());
    CHECK(merged["default-runtime"] == "nvidia");
    CHECK(merged["features"]["buildkit"] == true);
    CHECK(merged["insecure-registries"] == Json{"cache.lan:5000", "old.lan:5000"});
    CHECK(merged["features"].contains("containerd-snapshotter") == (kind == ClientKind::docker_containerd));
    CHECK(merged.contains("registry-mirrors") == (kind == ClientKind::docker));
  }
}

TEST_CASE("files that others write into as well say so") {
  for (const auto& name : client_kind_names()) {
    for (const auto& file : made(asked(parse_client_kind(name).value())).files) {
      const bool shared = file.path.ends_with("daemon.json") || file.path.ends_with("config.toml") ||
                          file.path.ends_with("buildkitd.toml");
      CHECK(file.merge.empty() != shared);
      CHECK(file.mode == 0644);
      CHECK(file.content.ends_with('\n'));
    }
  }
}

TEST_CASE("a cache of one word has its port, without which engines take it for a folder of Docker Hub") {
  const CacheAddress word{.host = "paddock", .authority = "paddock"};
  CHECK(made(asked(ClientKind::podman, word))
            .files[0]
            .content.contains(R"(location = "paddock:80/registry.baidubce.com")"));
  const CacheAddress secure{.host = "paddock", .authority = "paddock", .tls = true};
  CHECK(made(asked(ClientKind::podman, secure)).files[0].content.contains(R"("paddock:443/registry.baidubce.com")"));
  CHECK(made(asked(ClientKind::containerd, word)).files[0].content.contains(R"([host."http://paddock"])"));
}

TEST_CASE("no name can smuggle anything into a file") {
  for (const auto* name : {"",    "a\"b", "a\nb", "a b", "A.lan",    "../etc", "a/b",  "a..b",        ".a",
                           "-a",  "a.",   "a:0",  "a:b", "a:123456", "a:",     "[::1", "[::1]x",      "[g]",
                           "a%b", "a'b",  "a$b",  "a`b", "a{b",      "a\\b",   "a#b",  "\xc3\xa9.lan"}) {
    INFO(name);
    for (const auto& kind : client_kind_names()) {
      auto request = asked(parse_client_kind(kind).value());
      request.upstreams = {name};
      CHECK_THAT(refusal(request), Contains("an upstream is named neither host nor host:port"));
      request = asked(parse_client_kind(kind).value());
      request.cache.authority = name;
      CHECK_THAT(refusal(request), Contains("the cache's address"));
    }
  }
  auto request = asked(ClientKind::containerd);
  request.upstreams = {"127.0.0.1:5100", "[::1]:5100", "my_registry"};
  CHECK(refusal(request).empty());
}

TEST_CASE("what makes no sense is refused") {
  auto request = asked(ClientKind::containerd);
  request.upstreams = {};
  CHECK_THAT(refusal(request), Contains("--upstream"));
  request.upstreams = {"a.lan", "a.lan"};
  CHECK_THAT(refusal(request), Contains("a.lan is named twice"));
  request.upstreams = {"cache.lan:5000"};
  CHECK_THAT(refusal(request), Contains("is the cache itself"));
  request = asked(ClientKind::containerd);
  request.ca_pem = pem;
  CHECK_THAT(refusal(request), Contains("means nothing to plain HTTP"));
  request = asked(ClientKind::containerd, {.host = "0.0.0.0", .authority = "0.0.0.0:5000"});
  CHECK_THAT(refusal(request), Contains("is where the cache listens"));
}

TEST_CASE("of a CA's file only the certificates are taken") {
  const std::string key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
  CHECK(certificates_of("subject: x\n" + pem + key + pem).value() == pem + pem);
  CHECK(certificates_of("-----BEGIN CERTIFICATE-----\r\nTUlJ\r\nQ2Fy\r\n-----END CERTIFICATE-----\r\n").value() == pem);
  for (const auto& bad : {std::string(), key, pem.substr(0, 50), pem.substr(0, 30) + "\x01" + pem.substr(31),
                          std::string("-----BEGIN CERTIFICATE----------END CERTIFICATE-----")}) {
    INFO(bad);
    CHECK_FALSE(certificates_of(bad));
  }
}

}  // namespace
}  // namespace paddock

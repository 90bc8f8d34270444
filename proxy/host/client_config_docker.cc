#include <algorithm>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "proxy/host/client_config_kinds.h"

namespace paddock::client {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* restart = "systemctl restart docker";
constexpr const char* restart_why = "containers without a restart policy, and without \"live-restore\", end";

std::unexpected<Error> refuse(std::string why) {
  return fail(ErrorCode::invalid_argument, Blame::client, std::move(why));
}

// Keeps what daemon.json says, and puts what is new in front of its lists. Names hold no quote, so that the text may
// stand between quotes.
std::string merge_command(const std::string& path, const Json& settings) {
  return fmt::format(R"(python3 - <<'END'
import json, os, shutil
path, new = '{}', json.loads('{}')
with open(path) as file:
    settings = json.loads(file.read() or '{{}}')
for key, value in new.items():
    old = settings.get(key, type(value)())
    settings[key] = {{**old, **value}} if isinstance(value, dict) else value + [one for one in old if one not in value]
text = json.dumps(settings, indent=2)
with open(path + '.new', 'w') as file:
    file.write(text + '\n')
shutil.copymode(path, path + '.new')
os.replace(path + '.new', path)
END
)",
                     path, settings.dump());
}

ClientFile daemon_json(const Json& settings) {
  const std::string path = "/etc/docker/daemon.json";
  return {.path = path,
          .content = settings.dump(2) + "\n",
          .merge =
              "where there is such a file, keep what it says and add these keys: dockerd does not start with two "
              "objects, nor with a key that is a flag of its unit as well",
          .merge_command = merge_command(path, settings)};
}

// Of pulls by the cache's own name.
void add_plain_http(const ClientConfigRequest& request, Json& settings) {
  if (request.cache.tls || request.cache.loopback) return;
  settings["insecure-registries"] = Json::array({engine_name(request.cache)});
}

// By which both image stores know the cache itself.
void add_ca(const ClientConfigRequest& request, ClientConfig& config) {
  if (request.ca_pem.empty()) return;
  config.files.push_back(
      {.path = fmt::format("/etc/docker/certs.d/{}/ca.crt", engine_name(request.cache)), .content = request.ca_pem});
}

std::string drop_in(const ClientConfigRequest& request) {
  auto exceptions = std::string("localhost,127.0.0.1,::1");
  if (!request.cache.loopback) exceptions += "," + request.cache.host;
  return headline(request) + fmt::format("[Service]\nEnvironment=\"HTTPS_PROXY={}\"\nEnvironment=\"NO_PROXY={}\"\n",
                                         request.cache.origin(), exceptions);
}

}  // namespace

Result<ClientConfig> docker(const ClientConfigRequest& request) {
  if (!request.fallback) {
    return refuse(
        "docker always asks Docker Hub when its mirror fails: for no fallback take docker-containerd or "
        "docker-proxy, or pull by the cache's name");
  }
  if (request.upstreams != std::vector{std::string(docker_hub)}) {
    return refuse(
        "docker's registry-mirrors are for docker.io only: for other registries take docker-containerd or "
        "docker-proxy, or pull by the cache's name (paddock prepull)");
  }
  Json settings{{"registry-mirrors", {request.cache.origin()}}};
  add_plain_http(request, settings);
  ClientConfig config;
  config.files.push_back(daemon_json(settings));
  add_ca(request, config);
  config.steps = {{"systemctl reload docker", "dockerd reads both keys again; containers go on"},
                  {"docker info --format '{{.RegistryConfig.Mirrors}}'", "it has to name the cache"}};
  const auto cache = engine_name(request.cache);
  config.notes = {
      "this is for docker.io alone, as dockerd's own image store mirrors nothing else. For registry.baidubce.com and "
      "others take docker-proxy (any Docker, any image), docker-containerd (Docker 28 and later), or pull by the "
      "cache's name: docker pull " +
          cache + "/registry.baidubce.com/REPOSITORY:TAG, or paddock prepull, which leaves the original name",
      "dockerd sends a mirror bare names and no ns=, so that " + cache +
          " has to mean docker.io: that address is in upstreams[].listen of docker.io, or docker.io is the default "
          "upstream there. With --config FILE, the cache's own, paddock doctor knows which",
      "Docker Hub itself is asked when the cache fails; that cannot be turned off"};
  config.notes.push_back(doctor_note(request));
  return config;
}

Result<ClientConfig> docker_containerd(const ClientConfigRequest& request) {
  ClientConfig config{.files = hosts_files(request, "/etc/docker/certs.d"), .steps = {}, .notes = {}};
  add_ca(request, config);
  Json settings{{"features", {{"containerd-snapshotter", true}}}};
  add_plain_http(request, settings);
  config.files.push_back(daemon_json(settings));
  config.steps = {{restart, std::string("the image store is chosen at the start; ") + restart_why},
                  {"docker info --format '{{.DriverStatus}}'", "it has to name io.containerd.snapshotter.v1"}};
  config.notes = {
      "for Docker 28 and later, which read hosts.toml. What changes in certs.d later needs no restart",
      "images and containers of dockerd's own store are not seen while containerd's is in use, nor lost: without the "
      "feature they are back. Docker 29 has containerd's by default where it was installed anew",
      "not with userns-remap"};
  config.notes.emplace_back(
      request.fallback
          ? "a cache that refuses connections is passed over at once; one that does not answer at all costs "
            "1 s a blob with Docker 29, 30 s with Docker 28"
          : "while the cache is away pulls fail; pushes to these registries are refused");
  config.notes.push_back(doctor_note(request));
  return config;
}

Result<ClientConfig> docker_proxy(const ClientConfigRequest& request) {
  if (request.cache.tls) return refuse("the cache's CONNECT proxy speaks plain HTTP: give http:// and its port");
  if (request.ca_pem.empty()) {
    return refuse("docker-proxy needs --ca FILE, the CA that signs what the cache presents (paddock ca init makes it)");
  }
  ClientConfig config;
  config.files.push_back({.path = "/etc/systemd/system/docker.service.d/paddock.conf", .content = drop_in(request)});
  for (const auto& upstream : request.upstreams) {
    if (upstream == docker_hub) continue;
    config.files.push_back({.path = fmt::format("/etc/docker/certs.d/{}/ca.crt", upstream), .content = request.ca_pem});
  }
  if (std::ranges::find(request.upstreams, docker_hub) != request.upstreams.end()) {
    config.files.push_back({.path = "/usr/local/share/ca-certificates/paddock.crt", .content = request.ca_pem});
    config.steps.push_back({"update-ca-certificates",
                            "for docker.io dockerd trusts the system's CAs only (Red Hat: the file belongs into "
                            "/etc/pki/ca-trust/source/anchors, the command is update-ca-trust)"});
    config.notes.emplace_back(
        "with docker.io among the upstreams every program of this machine trusts the CA; without it (--upstream) only "
        "dockerd does, for the registries named; then leave docker.io out of ingress.connect_proxy.hosts, and add "
        ".docker.io,.docker.com to NO_PROXY");
  }
  config.steps.push_back({"systemctl daemon-reload", "systemd reads the drop-in"});
  config.steps.push_back({restart, std::string("dockerd takes its environment at the start; ") + restart_why});
  config.notes.emplace_back(
      "all that dockerd fetches by HTTPS goes through the proxy, which refuses (403) hosts that are neither in "
      "ingress.connect_proxy.hosts (all upstreams, unless it is set) nor in ingress.connect_proxy.tunnel, and pushes "
      "to those in hosts (405): name in NO_PROXY what dockerd shall reach by itself, separated by commas: "
      ".example.lan,10.0.0.0/8");
  config.notes.emplace_back(
      "private repositories are pulled by the credentials of docker login, which the cache uses for this client alone. "
      "They are checked by a pull: docker login itself takes any");
  config.notes.emplace_back("there is no fallback: while the proxy is away dockerd reaches no registry by HTTPS");
  config.notes.push_back(
      "where the cache lets nobody in without a name and a password (server.auth), `systemctl show` would tell them to "
      "everybody: write HTTPS_PROXY=http://NAME:PASSWORD@" +
      request.cache.authority +
      " into a file that root alone may read, and EnvironmentFile= with its path into the drop-in, in place of the "
      "Environment= that sets HTTPS_PROXY");
  config.notes.emplace_back(
      "of several drop-ins that set HTTPS_PROXY the last one wins, by name; \"proxies\" in daemon.json (Docker 23) "
      "wins over all");
  config.notes.emplace_back("`paddock doctor --cache URL`, with the registry's address, says whether it is in effect");
  config.notes.push_back(request.cache.authority +
                         " has to be the address of ingress.connect_proxy.listen, not the registry's");
  return config;
}

}  // namespace paddock::client

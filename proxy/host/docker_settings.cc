#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "proxy/host/engine_settings.h"
#include "proxy/host/hosts_folder.h"
#include "proxy/oci/ascii.h"
#include "proxy/oci/printable.h"
#include "proxy/oci/strict_json.h"

namespace paddock {
namespace {

using Json = nlohmann::json;

constexpr std::string_view daemon_json = "/etc/docker/daemon.json";
constexpr const char* hosts_folder = "/etc/docker/certs.d";

std::vector<std::string> texts(const Json& settings, const char* key) {
  std::vector<std::string> out;
  const auto found = settings.find(key);
  if (found == settings.end() || !found->is_array()) return out;
  for (const auto& one : *found) {
    if (one.is_string()) out.push_back(one.get<std::string>());
  }
  return out;
}

struct Proxy {
  std::string url, exceptions;
  std::string from;  // a file; empty: the process
};

// "HTTPS_PROXY=http://..." among settings, in either case.
std::optional<std::string> variable(const std::vector<std::string>& environment, std::string_view name) {
  const std::string lower = lower_case(name);
  for (const auto& entry : environment) {
    const auto equals = entry.find('=');
    if (equals == entry.npos) continue;
    const auto key = std::string_view(entry).substr(0, equals);
    if (key == name || key == lower) return entry.substr(equals + 1);
  }
  return std::nullopt;
}

// systemd.exec(5): Environment="NAME=value" NAME=value
std::vector<std::string> unit_environment(std::string_view unit) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < unit.size();) {
    const auto end = std::min(unit.find('\n', at), unit.size());
    auto line = unit.substr(at, end - at);
    at = end + 1;
    constexpr std::string_view key = "Environment=";
    if (!line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    while (!line.empty()) {
      const bool quoted = line.front() == '"';
      if (quoted) line.remove_prefix(1);
      const auto stop = std::min(line.find(quoted ? '"' : ' '), line.size());
      out.emplace_back(line.substr(0, stop));
      line.remove_prefix(std::min(stop + 1, line.size()));
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    }
  }
  return out;
}

std::optional<Proxy> written_proxy(const HostFiles& files, const Json& settings) {
  if (const auto found = settings.find("proxies"); found != settings.end() && found->is_object()) {
    const auto url = found->value("https-proxy", Json());
    const auto exceptions = found->value("no-proxy", Json());
    if (url.is_string()) {
      return Proxy{url.get<std::string>(), exceptions.is_string() ? exceptions.get<std::string>() : "",
                   std::string(daemon_json)};
    }
  }
  for (const auto& file : files.list("/etc/systemd/system/docker.service.d", ".conf")) {
    const auto environment = unit_environment(files.read(file).value_or(""));
    if (auto url = variable(environment, "HTTPS_PROXY")) {
      return Proxy{*std::move(url), variable(environment, "NO_PROXY").value_or(""), file};
    }
  }
  return std::nullopt;
}

bool is_exception(const std::string& exceptions, const CacheAddress& cache) {
  if (cache.loopback) return true;
  for (std::size_t at = 0; at < exceptions.size();) {
    const auto end = std::min(exceptions.find(',', at), exceptions.size());
    auto one = std::string_view(exceptions).substr(at, end - at);
    at = end + 1;
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.starts_with('.') || one.starts_with('*')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one == cache.host || one == cache.authority || (!one.empty() && cache.host.ends_with("." + std::string(one)))) {
      return true;
    }
  }
  return false;
}

// Where the cache takes bare names for docker.io's.
std::vector<CacheAddress> hub_addresses(const CacheAddress& cache, const UpstreamNames& upstreams) {
  std::vector<CacheAddress> out;
  const auto host = cache.host.contains(':') ? "[" + cache.host + "]" : cache.host;
  for (const auto& port : upstreams.hub_ports) {
    out.push_back(cache);
    out.back().authority = host + ":" + port;
  }
  return out;
}

class Docker {
 public:
  Docker(const HostFiles& files, const CacheAddress& cache, const UpstreamNames& upstreams)
      : files_(files),
        cache_(cache),
        bare_(upstreams.bare),
        upstreams_(upstreams.all),
        hub_addresses_(hub_addresses(cache, upstreams)) {}

  Findings examine() {
    auto settings = Json::object();
    if (const auto content = files_.read(daemon_json)) {
      auto parsed = parse_strict_json(*content);
      if (!parsed || !parsed->is_object()) {
        return {wrong("docker", std::string(daemon_json) + " is not a JSON object, dockerd does not start with it",
                      "mend it; dockerd --validate --config-file " + std::string(daemon_json) + " says where")};
      }
      settings = *std::move(parsed);
    } else if (content.error().code != ErrorCode::not_found) {
      return {warning("docker", content.error().context, "run this as root")};
    }
    process_ = find_process(files_, "dockerd");
    proxy_ = written_proxy(files_, settings);
    if (!examine_hosts(settings)) examine_mirror(settings);
    examine_plain_http(settings);
    examine_effect();
    examine_proxy();
    return std::move(findings_);
  }

 private:
  // With containerd's image store (Docker 28) hosts.toml says where each registry's images come from. False: it does
  // not send any to the cache.
  bool examine_hosts(const Json& settings) {
    auto hosts = read_hosts_folder(files_, hosts_folder, "docker", cache_, upstreams_);
    if (!says_registry(settings)) {
      if (hosts.through.empty()) return false;
      findings_.push_back(warning(
          "docker",
          fmt::format("{} has hosts.toml send {} to the cache, which dockerd reads with containerd's image "
                      "store only, the default where Docker 29 was installed anew",
                      hosts_folder, fmt::join(hosts.through, ", ")),
          fmt::format(R"(add "features": {{"containerd-snapshotter": true}} to {} and restart docker)", daemon_json)));
      return false;
    }
    std::ranges::move(hosts.findings, std::back_inserter(findings_));
    if (hosts.through.empty()) return false;
    findings_.push_back(fine("docker", fmt::format("{} through the cache", fmt::join(hosts.through, ", "))));
    if (is_mirrored(settings)) std::erase(hosts.missing, "docker.io");
    if (!hosts.missing.empty()) {
      findings_.push_back(warning("docker", fmt::format("not through the cache: {}", fmt::join(hosts.missing, ", ")),
                                  fmt::format("write {}/NAME/hosts.toml with [host.\"{}\"] and capabilities = "
                                              "[\"pull\", \"resolve\"]",
                                              hosts_folder, cache_.origin())));
    }
    return true;
  }

  // dockerd asks a mirror for docker.io's repositories by their bare names, unless containerd stores its images.
  void examine_mirror(const Json& settings) {
    const bool mirrored = is_mirrored(settings);
    const bool by_hub_address = names_one_of(hub_addresses_, settings);
    if (bare_ != "docker.io" && !by_hub_address && !says_registry(settings)) return examine_bare_names(mirrored);
    if (mirrored) {
      return findings_.push_back(fine("docker",
                                      "docker.io comes through the cache (registry-mirrors), other registries "
                                      "by the cache's name: " +
                                          cache_.authority + "/REGISTRY/REPOSITORY"));
    }
    if (proxy_ && names_cache_host(proxy_->url)) return;
    findings_.push_back(warning("docker", std::string(daemon_json) + " has no registry-mirrors entry for the cache",
                                "add \"registry-mirrors\": [\"" + cache_.origin() +
                                    "\"] for docker.io; other registries "
                                    "are pulled by the cache's name: " +
                                    cache_.authority + "/REGISTRY/REPOSITORY"));
  }

  void examine_bare_names(bool mirrored) {
    const auto by_name = cache_.authority + "/REGISTRY/REPOSITORY";
    if (!mirrored) return findings_.push_back(fine("docker", "images come through the cache as " + by_name));
    findings_.push_back(
        warning("docker",
                std::string(daemon_json) +
                    " has registry-mirrors send the cache docker.io's names, "
                    "which it takes for those of " +
                    (bare_.empty() ? "no upstream" : bare_),
                "remove the entry and pull as " + by_name +
                    ", make docker.io the default upstream, or name an address from its upstreams[].listen (the "
                    "cache's --config FILE says that it is one)"));
  }

  [[nodiscard]] bool is_mirrored(const Json& settings) const {
    return names_one_of({cache_}, settings) || names_one_of(hub_addresses_, settings);
  }

  static bool names_one_of(const std::vector<CacheAddress>& addresses, const Json& settings) {
    return std::ranges::any_of(texts(settings, "registry-mirrors"), [&](const auto& mirror) {
      return std::ranges::any_of(addresses, [&](const auto& address) { return names_cache(mirror, address); });
    });
  }

  static bool says_registry(const Json& settings) {
    const auto features = settings.find("features");
    return features != settings.end() && features->is_object() &&
           features->value("containerd-snapshotter", Json()) == Json(true);
  }

  void examine_plain_http(const Json& settings) {
    if (cache_.tls || cache_.loopback) return;
    const auto insecure = texts(settings, "insecure-registries");
    const bool network = std::ranges::any_of(insecure, [](const auto& one) { return one.contains('/'); });
    if (network || std::ranges::any_of(insecure, [&](const auto& one) { return names_cache(one, cache_); })) return;
    findings_.push_back(warning("docker", "pulls by the cache's name want HTTPS, and the cache speaks plain HTTP",
                                "add \"insecure-registries\": [\"" + cache_.authority + "\"] to " +
                                    std::string(daemon_json) + ", or give the cache a certificate"));
  }

  void examine_effect() {
    if (!process_) {
      return findings_.push_back(warning("docker", "dockerd is not running", "systemctl start docker"));
    }
    const auto changed = files_.changed(daemon_json);
    if (!changed || *changed <= process_->started) return;
    findings_.push_back(warning("docker", std::string(daemon_json) + " was changed after dockerd had started",
                                "systemctl reload docker, if that was not done (restart for proxies)"));
  }

  void examine_proxy() {
    const bool known = process_ && !process_->environment.empty();
    auto effective = known ? variable(process_->environment, "HTTPS_PROXY") : std::nullopt;
    auto exceptions = known ? variable(process_->environment, "NO_PROXY").value_or("") : "";
    if (proxy_ && proxy_->from != daemon_json && known && effective != proxy_->url) {
      return findings_.push_back(wrong(
          "docker",
          proxy_->from + " sets HTTPS_PROXY, and the dockerd that runs has " + (effective ? "another one" : "none"),
          "systemctl daemon-reload && systemctl restart docker"));
    }
    if (proxy_) {
      effective = proxy_->url;
      exceptions = proxy_->exceptions;
    }
    if (!effective || effective->empty()) return;
    if (names_cache_host(*effective)) {
      return findings_.push_back(fine("docker", "HTTPS_PROXY of dockerd leads to the cache's host"));
    }
    if (is_exception(exceptions, cache_)) return;
    findings_.push_back(warning("docker",
                                "dockerd reaches the cache through the proxy " + public_message(*effective) +
                                    ", and does not find it there, most likely",
                                "add " + cache_.host + " to NO_PROXY and restart docker"));
  }

  // The proxy's port is another than the registry's.
  [[nodiscard]] bool names_cache_host(std::string_view url) const {
    if (const auto scheme = url.find("://"); scheme != url.npos) url.remove_prefix(scheme + 3);
    if (const auto user = url.rfind('@'); user != url.npos) url.remove_prefix(user + 1);
    return url.starts_with(cache_.host) && url.substr(cache_.host.size()).find_first_not_of(":/0123456789") == url.npos;
  }

  const HostFiles& files_;
  const CacheAddress& cache_;
  const std::string& bare_;
  const std::vector<std::string>& upstreams_;
  const std::vector<CacheAddress> hub_addresses_;
  std::optional<HostProcess> process_;
  std::optional<Proxy> proxy_;
  Findings findings_;
};

}  // namespace

Findings docker_findings(const HostFiles& files, const CacheAddress& cache, const UpstreamNames& upstreams) {
  if (!files.exists("/usr/bin/dockerd") && !files.exists("/etc/docker")) return {};
  return Docker(files, cache, upstreams).examine();
}

}  // namespace paddock

#include <algorithm>
#include <optional>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "proxy/host/engine_settings.h"
#include "proxy/host/hosts_folder.h"
#include "proxy/host/toml.h"

namespace paddock {
namespace {

constexpr std::string_view config_file = "/etc/containerd/config.toml";
constexpr std::string_view usual_folder = "/etc/containerd/certs.d";

// [plugins."io.containerd.grpc.v1.cri".registry], from containerd 2 on "io.containerd.cri.v1.images".
bool is_registry(const std::vector<std::string>& path) {
  return path.size() >= 3 && path[0] == "plugins" && path[1].starts_with("io.containerd.") && path[1].contains("cri") &&
         path[2] == "registry";
}

struct Config {
  std::string folder;        // config_path; empty: not set
  bool old_mirrors = false;  // the form that excludes config_path
};

Result<Config> read_config(const HostFiles& files) {
  Config config;
  const auto content = files.read(config_file);
  if (!content && content.error().code == ErrorCode::not_found) return config;
  if (!content) return std::unexpected(content.error());
  const auto tables = parse_toml(*content);
  if (!tables) return std::unexpected(tables.error().with(config_file));
  for (const auto& table : *tables) {
    if (!is_registry(table.path)) continue;
    if (table.path.size() == 3) config.folder = table.text("config_path");
    if (table.path.size() > 3 && table.path[3] == "mirrors") config.old_mirrors = true;
  }
  config.folder.resize(std::min(config.folder.find(':'), config.folder.size()));  // the first of several
  return config;
}

class Containerd {
 public:
  Containerd(const HostFiles& files, const CacheAddress& cache) : files_(files), cache_(cache) {}

  Findings examine(const UpstreamNames& upstreams) {
    const auto config = read_config(files_);
    if (!config && config.error().code == ErrorCode::invalid_argument) {
      return {wrong("containerd", config.error().context, "mend it: containerd does not start with it")};
    }
    if (!config) return {warning("containerd", config.error().context, "run this as root")};
    folder_ = config->folder.empty() ? std::string(usual_folder) : config->folder;
    auto hosts = read_hosts_folder(files_, folder_, "containerd", cache_, upstreams.all);
    findings_ = std::move(hosts.findings);
    sum_up(hosts);
    if (config->old_mirrors && !config->folder.empty()) {
      findings_.push_back(wrong("containerd",
                                "config.toml has both config_path and registry.mirrors, which exclude each "
                                "other",
                                "remove the registry.mirrors tables and restart containerd"));
    } else if (config->folder.empty()) {
      findings_.push_back(warning("containerd",
                                  "config_path is not set in " + std::string(config_file) +
                                      ": Kubernetes does not look into " + folder_ + " (nerdctl does)",
                                  "set config_path = \"" + std::string(usual_folder) +
                                      "\" in [plugins.\"io.containerd.grpc.v1.cri\".registry] and restart containerd"));
    }
    return std::move(findings_);
  }

 private:
  void sum_up(const HostsFolder& hosts) {
    if (!hosts.through.empty())
      findings_.push_back(fine("containerd", fmt::format("{} through the cache", fmt::join(hosts.through, ", "))));
    if (hosts.missing.empty()) return;
    findings_.push_back(warning("containerd", fmt::format("not through the cache: {}", fmt::join(hosts.missing, ", ")),
                                "write " + folder_ + "/NAME/hosts.toml with [host.\"" + cache_.origin() +
                                    "\"] and capabilities = [\"pull\", \"resolve\"]"));
  }

  const HostFiles& files_;
  const CacheAddress& cache_;
  std::string folder_;
  Findings findings_;
};

}  // namespace

Findings containerd_findings(const HostFiles& files, const CacheAddress& cache, const UpstreamNames& upstreams) {
  // Docker brings a containerd of its own, which nobody else uses unless it has a configuration.
  if (!files.exists(config_file) && !files.exists(usual_folder)) return {};
  return Containerd(files, cache).examine(upstreams);
}

}  // namespace paddock

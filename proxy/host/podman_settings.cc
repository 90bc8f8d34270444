#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "proxy/host/engine_settings.h"
#include "proxy/host/toml.h"

namespace paddock {
namespace {

constexpr std::string_view main_file = "/etc/containers/registries.conf";
constexpr std::string_view folder = "/etc/containers/registries.conf.d";

struct Mirror {
  std::string registry;  // the prefix that it is for
  std::string file;
  std::string path;  // behind the cache's address
  bool insecure = false;
};

std::string path_of(std::string_view location) {
  const auto slash = location.find('/');
  if (slash == location.npos) return "";
  location.remove_prefix(slash + 1);
  while (location.ends_with('/')) location.remove_suffix(1);
  return std::string(location);
}

// The cache's entries of one file; mirrors belong to the registry before them.
std::vector<Mirror> mirrors_in(const std::vector<TomlTable>& tables, const std::string& file,
                               const CacheAddress& cache) {
  std::vector<Mirror> found;
  std::string registry;
  for (const auto& table : tables) {
    if (!table.element || table.path.empty() || table.path[0] != "registry") continue;
    const auto location = table.text("location");
    if (table.path.size() == 1) {
      registry = table.text("prefix").empty() ? location : table.text("prefix");
      if (names_cache(location, cache)) found.push_back({registry, file, path_of(location), table.flag("insecure")});
    } else if (table.path.size() == 2 && table.path[1] == "mirror" && names_cache(location, cache)) {
      found.push_back({registry, file, path_of(location), table.flag("insecure")});
    }
  }
  return found;
}

}  // namespace

Findings podman_findings(const HostFiles& files, const CacheAddress& cache, const UpstreamNames& upstreams) {
  Findings findings;
  if (!files.exists("/usr/bin/podman") && !files.exists("/usr/bin/crio") && !files.exists("/usr/bin/skopeo")) {
    return findings;
  }
  std::vector<Mirror> mirrors;
  auto names = files.list(folder, ".conf");
  names.insert(names.begin(), std::string(main_file));
  for (const auto& name : names) {
    const auto content = files.read(name);
    if (!content && content.error().code != ErrorCode::not_found) {
      findings.push_back(warning("podman", content.error().context, "run this as root"));
    }
    if (!content) continue;
    const auto tables = parse_toml(*content);
    if (!tables) {
      findings.push_back(wrong("podman", tables.error().with(name).context, "mend it: podman reads none of them so"));
      continue;
    }
    std::ranges::move(mirrors_in(*tables, name, cache), std::back_inserter(mirrors));
  }
  std::vector<std::string> through, missing;
  for (const auto& upstream : upstreams.all) {
    const auto found = std::ranges::find(mirrors, upstream, &Mirror::registry);
    if (found != mirrors.end() && found->path != upstream && (!found->path.empty() || upstream != upstreams.bare)) {
      findings.push_back(wrong("podman", found->file + " takes another registry's images for those of " + upstream,
                               "write location = \"" + cache.authority + "/" + upstream + "\""));
      continue;
    }
    (found == mirrors.end() ? missing : through).push_back(upstream);
    if (found == mirrors.end() || found->insecure || cache.tls) continue;
    findings.push_back(wrong("podman", found->file + " wants HTTPS of the cache, which speaks plain HTTP",
                             "write insecure = true below its location"));
  }
  if (!missing.empty()) {
    findings.insert(
        findings.begin(),
        warning("podman", fmt::format("not through the cache: {}", fmt::join(missing, ", ")),
                "write [[registry]] with prefix and location NAME, and [[registry.mirror]] with location = \"" +
                    cache.authority + "/NAME\", to " + std::string(folder) + "/paddock.conf"));
  }
  if (!through.empty())
    findings.insert(findings.begin(), fine("podman", fmt::format("{} through the cache", fmt::join(through, ", "))));
  return findings;
}

}  // namespace paddock

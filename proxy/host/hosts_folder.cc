#include "proxy/host/hosts_folder.h"

#include <algorithm>

#include "proxy/host/toml.h"

namespace paddock {
namespace {

class Reader {
 public:
  Reader(const HostFiles& files, const std::string& folder, const std::string& engine, const CacheAddress& cache)
      : files_(files), folder_(folder), engine_(engine), cache_(cache) {}

  HostsFolder read(const std::vector<std::string>& upstreams) {
    for (const auto& upstream : upstreams) examine_upstream(upstream);
    return std::move(found_);
  }

 private:
  void examine_upstream(const std::string& upstream) {
    auto file = folder_ + "/" + upstream + "/hosts.toml";
    if (!files_.exists(file)) file = folder_ + "/_default/hosts.toml";
    const auto content = files_.read(file);
    if (!content && content.error().code == ErrorCode::not_found) return found_.missing.push_back(upstream);
    if (!content) return found_.findings.push_back(warning(engine_, content.error().context, "run this as root"));
    const auto tables = parse_toml(*content);
    if (!tables) {
      return found_.findings.push_back(
          wrong(engine_, tables.error().with(file).context, "mend it: pulls of " + upstream + " fail with it"));
    }
    const auto found = std::ranges::find_if(*tables, [&](const TomlTable& table) {
      return table.path.size() == 2 && table.path[0] == "host" && names_cache(table.path[1], cache_);
    });
    if (found != tables->end()) return examine_host(*found, file, upstream);
    const auto server = tables->front().text("server");
    if (!names_cache(server, cache_)) return found_.missing.push_back(upstream);
    if (speaks_as_cache(server, file, "write server = \"" + cache_.origin() + "\"")) found_.through.push_back(upstream);
  }

  bool speaks_as_cache(const std::string& url, const std::string& file, const std::string& remedy) {
    const bool https = !url.starts_with("http://");
    if (https == cache_.tls) return true;
    found_.findings.push_back(wrong(engine_,
                                    file + " speaks " + (https ? "HTTPS" : "plain HTTP") + " to the cache, which " +
                                        (cache_.tls ? "wants HTTPS" : "speaks plain HTTP"),
                                    remedy));
    return false;
  }

  void examine_host(const TomlTable& host, const std::string& file, const std::string& upstream) {
    if (!speaks_as_cache(host.path[1], file, "write [host.\"" + cache_.origin() + "\"]")) return;
    const auto capabilities = host.texts("capabilities");
    const auto can = [&](std::string_view what) {
      return !host.has("capabilities") || std::ranges::find(capabilities, what) != capabilities.end();
    };
    if (!can("pull") || !can("resolve")) {
      return found_.findings.push_back(
          wrong(engine_, file + " does not let the cache " + (can("pull") ? "resolve tags" : "be pulled from"),
                R"(write capabilities = ["pull", "resolve"])"));
    }
    found_.through.push_back(upstream);
  }

  const HostFiles& files_;
  const std::string& folder_;
  const std::string& engine_;
  const CacheAddress& cache_;
  HostsFolder found_;
};

}  // namespace

HostsFolder read_hosts_folder(const HostFiles& files, const std::string& folder, const std::string& engine,
                              const CacheAddress& cache, const std::vector<std::string>& upstreams) {
  return Reader(files, folder, engine, cache).read(upstreams);
}

}  // namespace paddock

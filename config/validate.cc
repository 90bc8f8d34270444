#include "config/validate.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <variant>

#include "config/checks.h"
#include "config/schema.h"
#include "config/text.h"

namespace paddock::config {
namespace {

constexpr std::uint32_t thread_limit = 1024;
constexpr std::uint32_t connection_limit = 64;
constexpr std::uint32_t total_limit = 1024;
constexpr std::size_t most_addresses = 8;
constexpr std::uint64_t smallest_manifest_limit = 4U << 10U;
constexpr std::uint64_t largest_manifest_limit = 64U << 20U;

std::string indexed(std::string_view list, std::size_t index) { return cat({list, "[", std::to_string(index), "]"}); }

void check_field(const Field& field, const std::string& path, Report& report) {
  if (field.check == nullptr) return;
  const auto one = [&](const std::string& text, const std::string& where) {
    const std::string problem = field.check(text);
    if (!problem.empty()) report.add_at(where, cat({quote(text), " ", problem}));
  };
  if (auto* const* text = std::get_if<std::string*>(&field.slot)) {
    if (!(*text)->empty()) one(**text, path);
  } else if (auto* const* texts = std::get_if<std::vector<std::string>*>(&field.slot)) {
    for (std::size_t i = 0; i < (*texts)->size(); ++i) one((**texts)[i], indexed(path, i));
  } else if (auto* const* map = std::get_if<std::map<std::string, std::vector<std::string>>*>(&field.slot)) {
    for (const auto& [name, values] : **map) {
      for (const std::string& value : values) one(value, cat({path, ".", name}));
    }
  }
}

void check_fields(const Config& config, Report& report) {
  Config copy = config;  // a schema points into what could be changed
  const Schema schema = schema_of(copy);
  for (const Field& field : schema.fields) check_field(field, field.path, report);
  for (const ListField& list : schema.lists) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      for (const Field& field : list.element(i)) {
        check_field(field, indexed(list.path, i) + '.' + field.path, report);
      }
    }
  }
}

// Both or neither.
void check_pair(const std::string& first, std::string_view first_path, const std::string& second,
                std::string_view second_path, Report& report) {
  if (first.empty() == second.empty()) return;
  const bool has_first = !first.empty();
  report.add_at(has_first ? first_path : second_path, cat({"needs ", has_first ? second_path : first_path, " too"}));
}

bool has_fixed_port(std::string_view address) { return !address.starts_with("unix:") && !address.ends_with(":0"); }

void check_server(const Config& config, Report& report) {
  const ServerOptions& server = config.server;
  if (server.listen.empty()) report.add_at("server.listen", "is empty: nobody could connect");
  if (server.auth_htpasswd.empty() && !server.auth_anonymous_pull) {
    report.add_at("server.auth.anonymous_pull", "is false, and without server.auth.htpasswd nobody could pull");
  }
  if (server.threads > thread_limit) report.add_at("server.threads", "is more than 1024");
  if (server.manifest_limit < smallest_manifest_limit || server.manifest_limit > largest_manifest_limit) {
    report.add_at("server.manifest_limit", "is not between 4KiB and 64MiB");
  }
  const std::pair<const char*, std::chrono::seconds> deadlines[]{
      {"header", server.deadlines.header}, {"idle", server.deadlines.idle}, {"stall", server.deadlines.stall}};
  for (const auto& [name, value] : deadlines) {
    if (value.count() == 0) report.add_at(cat({"server.deadlines.", name}), "is 0: nobody could be served");
  }
  check_pair(server.tls_certificate, "server.tls.certificate", server.tls_key, "server.tls.key", report);
  if (server.tls_kernel.empty()) report.add_at("server.tls.kernel", "is empty");
}

void check_admin(const AdminOptions& admin, Report& report) {
  if (admin.listen.empty()) {
    report.add_at("admin.listen", "is empty: the client commands need it");
  } else if (check_address(admin.listen).empty() && !is_loopback(admin.listen) && admin.token_file.empty()) {
    report.add_at("admin.listen",
                  cat({quote(admin.listen), " can be reached from other machines: set admin.token_file"}));
  }
}

// Each address has one meaning.
void check_addresses(const Config& config, Report& report) {
  std::map<std::string, std::string> taken;
  const auto take = [&](const std::string& address, const std::string& path) {
    if (!has_fixed_port(address)) return;
    const auto [first, added] = taken.emplace(address, path);
    if (added) return;
    report.add_at(path, first->second == path ? cat({quote(address), " is given twice"})
                                              : cat({quote(address), " is the same address as ", first->second}));
  };
  for (const std::string& address : config.server.listen) take(address, "server.listen");
  for (std::size_t i = 0; i < config.upstreams.size(); ++i) {
    for (const std::string& address : config.upstreams[i].listen) take(address, indexed("upstreams", i) + ".listen");
  }
  if (!config.connect_proxy.listen.empty()) take(config.connect_proxy.listen, "ingress.connect_proxy.listen");
  take(config.admin.listen, "admin.listen");
}

void check_connect_proxy(const Config& config, Report& report) {
  const ConnectProxyOptions& proxy = config.connect_proxy;
  const std::string path = "ingress.connect_proxy";
  check_pair(proxy.ca_certificate, path + ".ca_certificate", proxy.ca_key, path + ".ca_key", report);
  if (!proxy.listen.empty() && proxy.ca_certificate.empty()) {
    report.add_at(path + ".listen", cat({"needs ", path, ".ca_certificate and .ca_key: `paddock ca init` makes them"}));
  }
  static constexpr std::string_view hub_names[]{"registry-1.docker.io", "index.docker.io"};
  for (std::size_t i = 0; i < proxy.hosts.size(); ++i) {
    const std::string& host = proxy.hosts[i];
    const bool is_hub = std::ranges::find(hub_names, host) != std::end(hub_names);
    const std::string meant = is_hub ? "docker.io" : host;
    if (std::ranges::find(config.upstreams, meant, &UpstreamOptions::name) == config.upstreams.end()) {
      report.add_at(indexed(path + ".hosts", i), cat({quote(host), " is not the name of an upstream here"}));
    }
  }
}

void check_resolve(const Config& config, Report& report) {
  for (const auto& [host, addresses] : config.resolve) {
    const std::string path = "resolve." + host;
    const std::string problem = check_realm(host);
    if (!problem.empty()) report.add_at(path, cat({quote(host), " ", problem}));
    if (addresses.empty()) report.add_at(path, "is empty: give an IP address");
    if (addresses.size() > most_addresses) report.add_at(path, "has more than 8 addresses, as many as are ever tried");
  }
}

void check_storage(const StorageOptions& storage, Report& report) {
  if (storage.path.empty()) report.add_at("storage.path", "is empty");
  if (!storage.max_size.is_share() && storage.max_size.bytes == 0) {
    report.add_at("storage.max_size", "is 0: nothing could be cached");
  }
}

// "https://Host:443/" -> "host", as metrics, the log and the status name it.
std::string authority_of(std::string_view endpoint) {
  const bool tls = endpoint.starts_with("https://");
  const auto begin = endpoint.find("://");
  if (begin != std::string_view::npos) endpoint.remove_prefix(begin + 3);
  endpoint = endpoint.substr(0, endpoint.find('/'));
  const std::string_view usual_port = tls ? ":443" : ":80";
  if (endpoint.ends_with(usual_port)) endpoint.remove_suffix(usual_port.size());
  std::string authority(endpoint);
  for (char& c : authority) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return authority;
}

// Two of them would be one in all that is counted and told.
void check_endpoints(const UpstreamOptions& upstream, const std::string& path, Report& report) {
  std::map<std::string, std::string> known;
  for (std::size_t i = 0; i < upstream.endpoints.size(); ++i) {
    const std::string where = indexed(path + ".endpoints", i);
    const auto [first, added] = known.emplace(authority_of(upstream.endpoints[i]), where);
    if (!added) report.add_at(where, cat({"has the host and port of ", first->second, ": name it once"}));
  }
}

void check_upstream(const UpstreamOptions& upstream, const std::string& path, Report& report) {
  if (upstream.name.empty()) report.add_at(path + ".name", "is missing");
  if (upstream.endpoints.empty()) {
    const std::string example = upstream.name.empty() ? "https://host" : "https://" + upstream.name;
    report.add_at(path + ".endpoints", cat({"is missing: write endpoints: [", example, "]"}));
  }
  check_endpoints(upstream, path, report);
  check_pair(upstream.username, path + ".username", upstream.password_file, path + ".password_file", report);
  if (upstream.username.contains(':')) {
    report.add_at(path + ".username", "holds a ':', which Basic authentication cannot carry");
  }
  if (upstream.connections < 1 || upstream.connections > connection_limit) {
    report.add_at(path + ".connections", "is not between 1 and 64");
  }
  if (upstream.max_connections > total_limit) report.add_at(path + ".max_connections", "is more than 1024");
  const UpstreamDeadlines& deadlines = upstream.deadlines;
  const std::pair<const char*, std::chrono::milliseconds> all[]{
      {"connect", deadlines.connect}, {"headers", deadlines.headers}, {"stall", deadlines.stall}};
  for (const auto& [name, value] : all) {
    if (value.count() == 0) report.add_at(cat({path, ".deadlines.", name}), "is 0: every transfer would fail");
  }
}

void check_upstreams(const Config& config, Report& report) {
  if (config.upstreams.empty()) report.add_at("upstreams", "is empty: there is nothing to cache");
  std::map<std::string, std::string> names;
  std::string first_default;
  for (std::size_t i = 0; i < config.upstreams.size(); ++i) {
    const UpstreamOptions& upstream = config.upstreams[i];
    const std::string path = indexed("upstreams", i);
    check_upstream(upstream, path, report);
    if (!upstream.name.empty() && !names.emplace(upstream.name, path).second) {
      report.add_at(path + ".name", cat({quote(upstream.name), " is the name of ", names[upstream.name], " already"}));
    }
    if (!upstream.is_default) continue;
    if (!first_default.empty())
      report.add_at(path + ".default", cat({first_default, " is the default already"}));
    else
      first_default = path;
  }
}

void check_mirrors(const Config& config, Report& report) {
  std::set<std::string> names;
  for (const auto& upstream : config.upstreams) names.insert(upstream.name);
  for (std::size_t i = 0; i < config.upstreams.size(); ++i) {
    const auto& upstream = config.upstreams[i];
    std::set<std::string> seen;
    for (std::size_t j = 0; j < upstream.mirrors.size(); ++j) {
      const auto& mirror = upstream.mirrors[j];
      const std::string path = indexed(indexed("upstreams", i) + ".mirrors", j);
      if (!seen.insert(mirror).second) report.add_at(path, cat({quote(mirror), " is given twice"}));
      if (mirror == upstream.name) report.add_at(path, "is the upstream itself");
      if (!names.contains(mirror)) report.add_at(path, cat({quote(mirror), " is not the name of an upstream here"}));
    }
  }
}

void check_warm(const Config& config, Report& report) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < config.warm.size(); ++i) {
    const std::string path = indexed("warm", i);
    const std::string& name = config.warm[i].name;
    if (name.empty())
      report.add_at(path + ".name", "is missing");
    else if (!names.insert(name).second)
      report.add_at(path + ".name", cat({quote(name), " is given twice"}));
  }
}

}  // namespace

void check(const Config& config, Report& report) {
  check_fields(config, report);
  check_server(config, report);
  check_addresses(config, report);
  check_admin(config.admin, report);
  check_storage(config.storage, report);
  check_upstreams(config, report);
  check_mirrors(config, report);
  check_warm(config, report);
  if (config.fills.at_once < 1 || config.fills.at_once > thread_limit) {
    report.add_at("fills.at_once", "is not between 1 and 1024");
  }
  check_connect_proxy(config, report);
  check_resolve(config, report);
  if (config.fills.on_abandon.empty()) report.add_at("fills.on_abandon", "is empty");
  if (config.log.level.empty()) report.add_at("log.level", "is empty");
  if (config.log.format.empty()) report.add_at("log.format", "is empty");
}

std::vector<std::string> doubts(const Config& config) {
  std::vector<std::string> found;
  const ServerOptions& server = config.server;
  const ConnectProxyOptions& proxy = config.connect_proxy;
  const bool asks = !server.auth_htpasswd.empty();
  const bool proxy_is_far = !proxy.listen.empty() && !is_loopback(proxy.listen);
  const bool any_host = std::ranges::any_of(proxy.tunnel, [](const auto& host) { return host.starts_with("*"); });
  if (proxy_is_far && any_host && !asks) {
    found.emplace_back(
        "ingress.connect_proxy.tunnel: whoever reaches the proxy reaches what a * there stands for; name the hosts, or "
        "set server.auth.htpasswd");
  }
  if (!asks) return found;
  if (server.auth_anonymous_pull) {
    found.emplace_back(
        "server.auth.htpasswd: who gives no password may pull all the same; anonymous_pull: false ends that");
  }
  if (server.tls_certificate.empty() && !std::ranges::all_of(server.listen, is_loopback)) {
    found.emplace_back("server.auth.htpasswd: passwords cross the network in the clear; configure server.tls");
  }
  if (proxy_is_far) {
    found.emplace_back("ingress.connect_proxy.listen: passwords for the proxy cross the network in the clear");
  }
  return found;
}

Result<void> validate(const Config& config) {
  Report report;
  check(config, report);
  if (report.empty()) return {};
  return paddock::fail(ErrorCode::invalid_argument, Blame::us, report.text());
}

}  // namespace paddock::config

#include "config/reload.h"

#include <algorithm>
#include <map>
#include <utility>

#include "config/schema.h"

namespace paddock::config {

namespace {

std::map<std::string, std::vector<std::string>> listeners_of(const Config& config) {
  std::map<std::string, std::vector<std::string>> listeners;
  for (const auto& upstream : config.upstreams) {
    if (!upstream.listen.empty()) listeners[upstream.name] = upstream.listen;
  }
  return listeners;
}

}  // namespace

ReloadPlan plan_reload(Config running, Config loaded) {
  ReloadPlan plan{std::move(running), {}, {}};
  Config& config = plan.config;
  // Listeners are either plain or TLS for as long as they live, and the admin side, which stays where it listens,
  // either wants a token or none; only certificate and token can be others, and who encrypts.
  const bool same_tls = config.server.tls_certificate.empty() == loaded.server.tls_certificate.empty();
  const bool same_token = config.admin.token_file.empty() == loaded.admin.token_file.empty();
  const bool same_proxy = config.connect_proxy.listen.empty() == loaded.connect_proxy.listen.empty();
  const auto takes = [&](const Field& field) {
    if (field.path.starts_with("server.tls.")) return same_tls;
    if (field.path.starts_with("ingress.connect_proxy.")) return field.live && same_proxy;
    return field.live && (same_token || field.path != "admin.token_file");
  };
  const Schema from = schema_of(loaded);
  const Schema to = schema_of(config);
  for (std::size_t i = 0; i < to.fields.size(); ++i) {
    const Field& field = to.fields[i];
    if (same_value(from.fields[i], field)) continue;
    const bool live = takes(field);
    (live ? plan.taken : plan.restart).push_back(field.path);
    if (live) copy_value(from.fields[i], field);
  }
  if (listeners_of(config) != listeners_of(loaded)) plan.restart.emplace_back("upstreams[].listen");
  if (config.upstreams != loaded.upstreams) {
    plan.taken.emplace_back("upstreams");
    for (auto& upstream : loaded.upstreams) {
      const auto before = std::ranges::find(config.upstreams, upstream.name, &UpstreamOptions::name);
      upstream.listen = before == config.upstreams.end() ? std::vector<std::string>() : before->listen;
    }
    config.upstreams = std::move(loaded.upstreams);
  }
  if (config.warm != loaded.warm) {
    plan.taken.emplace_back("warm");
    config.warm = std::move(loaded.warm);
  }
  return plan;
}

}  // namespace paddock::config

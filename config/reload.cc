#include "config/reload.h"

#include <utility>

#include "config/schema.h"

namespace paddock::config {

ReloadPlan plan_reload(Config running, Config loaded) {
  ReloadPlan plan{std::move(running), {}, {}};
  Config& config = plan.config;
  // Listeners are either plain or TLS for as long as they live; only the certificate can be another.
  const bool same_kind = config.server.tls_certificate.empty() == loaded.server.tls_certificate.empty();
  const Schema from = schema_of(loaded);
  const Schema to = schema_of(config);
  for (std::size_t i = 0; i < to.fields.size(); ++i) {
    const Field& field = to.fields[i];
    if (same_value(from.fields[i], field)) continue;
    const bool live = field.live && (same_kind || !field.path.starts_with("server.tls."));
    (live ? plan.taken : plan.restart).push_back(field.path);
    if (live) copy_value(from.fields[i], field);
  }
  if (config.upstreams != loaded.upstreams) {
    plan.taken.emplace_back("upstreams");
    config.upstreams = std::move(loaded.upstreams);
  }
  if (config.warm != loaded.warm) plan.restart.emplace_back("warm");
  return plan;
}

}  // namespace paddock::config

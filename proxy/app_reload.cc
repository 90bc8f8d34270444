// The part of App that takes over what changes while it runs: configuration, certificates, passwords, tokens.
#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>
#include <utility>

#include "config/reload.h"
#include "config/validate.h"
#include "proxy/admin/log.h"
#include "proxy/app.h"
#include "proxy/cli/config_files.h"
#include "proxy/cli/warm_rules.h"

namespace paddock {

// The kernel is asked each time: its module may have been loaded since.
Result<std::shared_ptr<const TlsServerContext>> App::make_tls(const config::ServerOptions& server) {
  const auto kernel = server.tls_kernel == "off" ? KernelTls::switched_off : probe_kernel_tls();
  auto made = make_tls_server(server.tls_certificate, server.tls_key, kernel == KernelTls::used);
  if (!made || tls_.exchange(kernel) == kernel) return made;
  if (kernel == KernelTls::used) {
    spdlog::info("TLS: the kernel encrypts what is sent");
  } else {
    spdlog::info("TLS: OpenSSL encrypts what is sent, not the kernel: {}", why_not(kernel));
  }
  return made;
}

Result<App::Access> App::read_access(const config::ServerOptions& server) {
  // Before they are read, so that what is written meanwhile is seen as a change.
  access_seen_ = fingerprint({server.tls_certificate, server.tls_key, server.auth_htpasswd});
  Access access;
  if (!server.tls_certificate.empty()) {
    auto tls = make_tls(server);
    if (!tls) return std::unexpected(std::move(tls).error().with("server.tls"));
    access.tls = *std::move(tls);
  }
  auto htpasswd = read_htpasswd(server.auth_htpasswd);
  if (!htpasswd) return std::unexpected(std::move(htpasswd).error().with("server.auth.htpasswd"));
  access.htpasswd = *std::move(htpasswd);
  return access;
}

// Connections that are open keep the certificate they began with.
void App::take_access(Access access, const config::ServerOptions& server) {
  if (access.tls) registry_server_->set_tls(std::move(access.tls));
  auth_.require(std::move(access.htpasswd), server.auth_anonymous_pull);
}

// A certificate and its key are two files: in between them they may not belong together, which passes.
void App::take_changed_files() {
  const auto& server = config_.server;
  const auto seen = fingerprint({server.tls_certificate, server.tls_key, server.auth_htpasswd});
  if (seen == access_seen_) return;
  auto access = read_access(server);
  if (!access) {
    spdlog::error("files changed and are of no use, going on with those before: {}", access.error().context);
    return;
  }
  take_access(*std::move(access), server);
  spdlog::info("certificate and passwords read again: their files have changed");
}

// For a reload; nothing when there is no token, or none that could be read again.
Result<std::optional<std::string>> App::reread_admin_token(const config::Config& config) {
  const auto& path = config.admin.token_file;
  if (path.empty()) return std::nullopt;
  auto token = reread_secret(path, "token");
  if (!token) return std::unexpected(std::move(token).error().with("admin.token_file"));
  if (!*token) spdlog::warn("admin.token_file: {} is no file that can be read again: the token stays as it is", path);
  return token;
}

void App::take_admin_token(const std::optional<std::string>& token, std::vector<std::string>& taken) {
  constexpr std::string_view name = "admin.token_file";
  if (!token || !admin_->set_token(*token)) return;
  if (std::ranges::find(taken, name) == taken.end()) taken.emplace_back(name);
}

void App::reload() {
  const auto refuse = [](const Error& error) {
    spdlog::error("reload refused, going on as before: {}", error.context);
  };
  auto loaded = reload_();
  if (!loaded) return refuse(loaded.error());
  auto plan = config::plan_reload(config_, *std::move(loaded));
  const auto& server = plan.config.server;
  auto set = make_upstreams(plan.config, upstream_parts());
  if (!set) return refuse(set.error());
  auto rules = make_rules(plan.config);
  if (!rules) return refuse(rules.error());
  auto token = reread_admin_token(plan.config);
  if (!token) return refuse(token.error());
  auto access = read_access(server);
  if (!access) return refuse(access.error());
  take_access(*std::move(access), server);
  take_admin_token(*token, plan.taken);
  upstreams_->replace(*std::move(set));
  warm_->take(*std::move(rules));
  limits_.apply(plan.config);
  declare_upstreams();
  storage_->set_limits(plan.config.storage);
  (void)set_log_level(plan.config.log.level);
  config_ = std::move(plan.config);
  spdlog::info("configuration reloaded{}{}", plan.taken.empty() ? "" : "; changed: ", fmt::join(plan.taken, ", "));
  for (const auto& doubt : config::doubts(config_)) spdlog::warn("{}", doubt);
  if (!plan.restart.empty()) spdlog::warn("these need a restart to change: {}", fmt::join(plan.restart, ", "));
}

}  // namespace paddock

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
Result<App::Certificate> App::make_tls(const config::ServerOptions& server) {
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

Result<App::Certificate> App::read_certificate(const config::ServerOptions& server) {
  if (server.tls_certificate.empty()) return nullptr;
  auto made = make_tls(server);
  if (!made) return std::unexpected(std::move(made).error().with("server.tls"));
  return made;
}

Result<std::optional<Htpasswd>> App::read_passwords(const config::ServerOptions& server) {
  auto read = read_htpasswd(server.auth_htpasswd);
  if (!read) return std::unexpected(std::move(read).error().with("server.auth.htpasswd"));
  return read;
}

// Connections that are open keep the one they began with.
void App::take(const Certificate& certificate) {
  if (certificate) registry_server_->set_tls(certificate);
}

// Read on the pool, as a disk may hang. What a stop or a reload overtakes meanwhile is left to these.
Task<void> App::take_changed_files() {
  const auto server = config_.server;
  const auto overtaken = [this, &server] { return draining_ || config_.server != server; };
  const auto complain = [](WatchedFiles& files, const std::string& now, const Error& error) {
    if (files.refused(now, error.context)) spdlog::error("going on with what was before: {}", error.context);
  };
  auto now = co_await pool_.run(
      [&server]() -> Result<std::string> { return fingerprint({server.tls_certificate, server.tls_key}); });
  if (now && certificate_files_.changed(*now)) {
    if (overtaken()) co_return;
    const auto certificate = co_await pool_.run([this, &server] { return read_certificate(server); });
    if (overtaken()) co_return;
    if (certificate) {
      take(*certificate);
      certificate_files_.took(*now);
      spdlog::info("server.tls: the files have changed and were read again");
    } else {
      complain(certificate_files_, *now, certificate.error());
    }
  }
  if (overtaken()) co_return;
  now = co_await pool_.run([&server]() -> Result<std::string> { return fingerprint({server.auth_htpasswd}); });
  if (now && password_files_.changed(*now)) {
    if (overtaken()) co_return;
    auto passwords = co_await pool_.run([&server] { return read_passwords(server); });
    if (overtaken()) co_return;
    if (passwords) {
      auth_.require(*std::move(passwords), server.auth_anonymous_pull);
      password_files_.took(*now);
      spdlog::info("server.auth.htpasswd: the file has changed and was read again");
    } else {
      complain(password_files_, *now, passwords.error());
    }
  }
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
  auto connect = connect_settings(plan.config);
  if (!connect) return refuse(connect.error());
  auto certificate_files = fingerprint({server.tls_certificate, server.tls_key});
  auto password_files = fingerprint({server.auth_htpasswd});
  const auto certificate = read_certificate(server);
  if (!certificate) return refuse(certificate.error());
  auto passwords = read_passwords(server);
  if (!passwords) return refuse(passwords.error());
  connect_proxy_.take(*std::move(connect));
  take(*certificate);
  certificate_files_.took(std::move(certificate_files));
  auth_.require(*std::move(passwords), server.auth_anonymous_pull);
  password_files_.took(std::move(password_files));
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

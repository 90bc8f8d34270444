// The part of App that offers other ways in than its own address: a listener for one upstream, and HTTPS_PROXY.
#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>
#include <utility>

#include "proxy/app.h"
#include "proxy/cli/config_files.h"

namespace paddock {
namespace {

constexpr std::chrono::days little_time{30};

std::vector<std::string> hosts_of(const config::Config& config) {
  if (!config.connect_proxy.hosts.empty()) return config.connect_proxy.hosts;
  std::vector<std::string> names;
  names.reserve(config.upstreams.size());
  for (const auto& upstream : config.upstreams) names.push_back(upstream.name);
  return names;
}

}  // namespace

Result<void> App::listen_for_upstreams(const Certificate& certificate) {
  for (const auto& upstream : config_.upstreams) {
    for (const auto& address : upstream.listen) {
      auto bound = registry_server_->listen(address, certificate, upstream.name);
      if (!bound) return std::unexpected(std::move(bound).error().with("upstream " + upstream.name + ": listen"));
    }
  }
  const auto& address = config_.connect_proxy.listen;
  if (address.empty()) return {};
  auto settings = connect_settings(config_);
  if (!settings) return std::unexpected(std::move(settings).error());
  connect_proxy_.take(*std::move(settings));
  auto bound = registry_server_->listen(address, nullptr, std::string(ConnectProxy::listener));
  if (!bound) return std::unexpected(std::move(bound).error().with("ingress.connect_proxy.listen"));
  return {};
}

Result<ConnectProxy::Settings> App::connect_settings(const config::Config& config) const {
  const auto& options = config.connect_proxy;
  if (options.listen.empty()) return ConnectProxy::Settings{};
  auto authority = read_authority(options.ca_certificate, options.ca_key, clock_.wall());
  if (!authority) return std::unexpected(std::move(authority).error().with("ingress.connect_proxy"));
  const auto hosts = hosts_of(config);
  for (const auto& host : hosts) {
    const auto leaf = authority->sign(Url::parse("https://" + host).value().host, clock_.wall());
    if (!leaf) return std::unexpected(Error(leaf.error()).with("ingress.connect_proxy"));
  }
  return ConnectProxy::Settings{.rules = ConnectRules(hosts, options.tunnel),
                                .authority = std::make_shared<const CertificateAuthority>(*std::move(authority)),
                                .proxy = proxy_,
                                .addresses = std::make_shared<const HostAddresses>(config.resolve)};
}

// Once a day, from the first day on.
void App::warn_of_the_authority() {
  const auto now = clock_.now();
  const auto left = connect_proxy_.days_left();
  if (!left || *left >= little_time || now < next_warning_) return;
  next_warning_ = now + std::chrono::days(1);
  spdlog::warn(
      "ingress.connect_proxy: the CA's time ends in {} days: make another one with `paddock ca init`, and give its "
      "certificate to all clients before",
      left->count());
}

}  // namespace paddock

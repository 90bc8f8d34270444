#include "proxy/ingress/connect_proxy.h"

#include <utility>

#include "proxy/oci/printable.h"
#include "proxy/oci/registry_error.h"

namespace paddock {
namespace {

Response refuse(int status, const std::string& why) {
  auto response = error_response(status, status == 403 ? "DENIED" : "UNSUPPORTED", why);
  response.route = "connect";
  response.cache = "bypass";
  return response;
}

// Of a Host header that is well-formed: without a trailing dot, and without the port that https has.
std::string authority_of(const Request& request) {
  auto url = Url::parse(std::string("https://").append(request.headers.get("Host").value_or("")));
  if (!url) return {};
  if (url->host.ends_with('.')) url->host.pop_back();
  return url->authority();
}

}  // namespace

void ConnectProxy::take(Settings settings) {
  const MutexLock lock(mutex_);
  current_ = std::make_shared<Current>(std::move(settings));
}

std::shared_ptr<ConnectProxy::Current> ConnectProxy::current() const {
  const MutexLock lock(mutex_);
  return current_;
}

Task<ConnectAnswer> ConnectProxy::answer(const Request& request, const Url& target) {
  using Verdict = ConnectRules::Verdict;
  if (request.listener != listener || !request.connect_host.empty()) {
    co_return refuse(405, "CONNECT is not offered here: the address of the proxy is ingress.connect_proxy.listen");
  }
  const auto now = current();
  const auto verdict = now->settings.rules.judge(target);
  if (verdict == Verdict::refused) {
    co_return refuse(403, quote(request.path) +
                              " is not reached through this proxy: ingress.connect_proxy.hosts has what the cache "
                              "answers, ingress.connect_proxy.tunnel what is let through");
  }
  if (verdict != Verdict::ended_here) {
    co_return OpenTunnel{now->settings.proxy.proxy_for(target), now->settings.addresses,
                         verdict == Verdict::tunnelled_if_public};
  }
  const auto certificate = co_await certificate_for(now, target.host);
  if (!certificate) co_return refuse(503, certificate.error().context);
  co_return EndHere{*certificate};
}

Task<Result<ConnectProxy::Certificate>> ConnectProxy::certificate_for(std::shared_ptr<Current> current,
                                                                      std::string host) {
  const auto now = clock_.wall();
  {
    const MutexLock lock(current->mutex);
    const auto found = current->made.find(host);
    if (found != current->made.end() && now < found->second.renew) co_return found->second.certificate;
  }
  co_return co_await pool_.run([&]() -> Result<Certificate> {
    if (!current->settings.authority) return fail(ErrorCode::unavailable, Blame::us, "there is no CA");
    auto leaf = current->settings.authority->sign(host, now);
    if (!leaf) return std::unexpected(std::move(leaf).error());
    auto context = make_tls_server_for(host, leaf->pair);
    if (!context) return context;
    const MutexLock lock(current->mutex);
    current->made[host] = {*context, leaf->renew};
    return context;
  });
}

std::optional<std::chrono::days> ConnectProxy::days_left() const {
  const auto now = current();
  if (!now->settings.authority) return std::nullopt;
  return std::chrono::floor<std::chrono::days>(now->settings.authority->ends() - clock_.wall());
}

std::optional<Response> ConnectProxy::refusal(const Request& request) const {
  if (request.connect_host.empty() && request.listener != listener) return std::nullopt;
  const auto host = authority_of(request);
  if (!request.connect_host.empty()) {
    if (host == request.connect_host) return std::nullopt;
    // RFC 9110, 15.5.20
    return refuse(421, "the CONNECT was for " + request.connect_host + ", this request is for " + quote(host));
  }
  if (!host.empty() && current()->settings.rules.ends(host)) return std::nullopt;
  return refuse(403, "this is a proxy for HTTPS: set it as HTTPS_PROXY, and pull from a registry by its own name");
}

}  // namespace paddock

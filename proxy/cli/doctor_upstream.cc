#include "proxy/cli/doctor_upstream.h"

#include <netdb.h>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "proxy/cli/blocking_http.h"
#include "proxy/cli/config_files.h"
#include "proxy/net/tls.h"
#include "proxy/upstream/auth_challenge.h"
#include "proxy/upstream/authenticator.h"
#include "proxy/upstream/proxy_environment.h"
#include "proxy/upstream/realm_trust.h"

namespace paddock {
namespace {

constexpr std::size_t answer_limit = std::size_t{128} << 10U;

std::optional<std::string> name_error(const std::string& host) {
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, nullptr, &found);
  if (error == 0) ::freeaddrinfo(found);
  return error == 0 ? std::nullopt : std::optional<std::string>(::gai_strerror(error));
}

class Trial {
 public:
  Trial(const config::UpstreamOptions& upstream, std::chrono::milliseconds patience, const HostAddresses& addresses)
      : upstream_(upstream),
        patience_(patience),
        addresses_(std::make_shared<const HostAddresses>(addresses)),
        proxies_(ProxyEnvironment::read(ProxyEnvironment::process_environment)) {}

  EndpointAnswer of(const std::string& endpoint) {
    found_.trial.endpoint = endpoint;
    const auto url = Url::parse(endpoint);
    if (!url) {
      found_.trial.status = std::unexpected(url.error());
      return std::move(found_);
    }
    const auto proxy = proxy_for(*url);
    if (proxy) found_.trial.proxy = proxy->origin();
    const auto& host = proxy ? proxy->host : url->host;
    if (!addresses_->contains(host)) found_.trial.name_error = name_error(host);
    if (!found_.trial.name_error) greet(url->with_target("/v2/"));
    return std::move(found_);
  }

 private:
  [[nodiscard]] std::optional<Url> proxy_for(const Url& url) const {
    return proxies_ ? proxies_->proxy_for(url) : std::nullopt;
  }

  [[nodiscard]] Result<HttpAnswer> ask(const Url& url, const std::string& authorization, bool public_only) const {
    ClientRequest request;
    request.url = url;
    request.proxy = proxy_for(url);
    request.public_addresses_only = public_only;
    request.addresses = addresses_;
    if (!authorization.empty()) request.headers.add("Authorization", authorization);
    if (url.tls && !upstream_.ca_file.empty()) {
      auto tls = make_tls_client(upstream_.ca_file);
      if (!tls) return std::unexpected(std::move(tls).error());
      request.tls = *std::move(tls);
    }
    return ask_http(std::move(request), patience_, answer_limit);
  }

  void greet(const Url& url) {
    const auto answer = ask(url, "", false);
    if (!answer) {
      found_.trial.untrusted = is_untrusted(answer.error());
      found_.trial.status = std::unexpected(answer.error());
      return;
    }
    found_.trial.status = answer->status;
    found_.date = answer->headers.get("Date").value_or("");
    if (answer->status != 401) return;
    const auto challenge = choose_challenge(parse_challenges(answer->headers.all("WWW-Authenticate")));
    if (!challenge) return;
    const bool bearer = challenge->scheme == AuthChallenge::Scheme::bearer;
    found_.trial.wants = bearer ? EndpointTrial::Wants::token : EndpointTrial::Wants::password;
    auto entered = bearer ? get_token(url, *challenge) : log_in(url);
    if (!entered) found_.trial.auth_error = std::move(entered).error();
  }

  [[nodiscard]] Result<void> log_in(const Url& url) const {
    return upstream_.username.empty() ? Result<void>() : judge(ask(url, basic(), false), url, "");
  }

  [[nodiscard]] Result<void> get_token(const Url& endpoint, const AuthChallenge& challenge) const {
    const auto realm = endpoint.resolve(challenge.realm);
    if (!realm) return std::unexpected(realm.error());
    const auto decision = decide_realm(endpoint, *realm, upstream_.trusted_realms, !upstream_.username.empty());
    if (decision.kind == RealmDecision::Kind::refused) {
      return fail(ErrorCode::denied, Blame::upstream, realm->origin() + ": " + decision.reason);
    }
    const bool ours = decision.kind == RealmDecision::Kind::with_credentials;
    const TokenKey key{"", challenge.service, "", ours ? upstream_.username : ""};
    const auto target = realm->with_target(token_target(*realm, key));
    return judge(ask(target, ours ? basic() : "", decision.public_addresses_only), *realm, decision.reason);
  }

  // `withheld`: why the credentials were not sent. Without any a refusal says little: what anybody may pull is told for
  // each repository.
  [[nodiscard]] Result<void> judge(const Result<HttpAnswer>& answer, const Url& asked,
                                   const std::string& withheld) const {
    if (!answer) return std::unexpected(answer.error().with(asked.origin()));
    if (answer->status == 401 && !upstream_.username.empty()) {
      if (!withheld.empty()) return fail(ErrorCode::denied, Blame::us, withheld);
      return fail(ErrorCode::unauthorized, Blame::upstream, asked.origin() + " answers 401");
    }
    if (answer->status >= 500) {
      return fail(ErrorCode::unavailable, Blame::upstream,
                  fmt::format("{} answers {}", asked.origin(), answer->status));
    }
    return {};
  }

  // A file that cannot be read is another finding.
  [[nodiscard]] std::string basic() const {
    const auto password =
        upstream_.password_file.empty() ? Result<std::string>("") : read_secret(upstream_.password_file, "password");
    return password ? "Basic " + base64(upstream_.username + ':' + *password) : "";
  }

  const config::UpstreamOptions& upstream_;
  const std::chrono::milliseconds patience_;
  const std::shared_ptr<const HostAddresses> addresses_;
  const Result<ProxyEnvironment> proxies_;
  EndpointAnswer found_;
};

}  // namespace

EndpointAnswer try_endpoint(const std::string& endpoint, const config::UpstreamOptions& upstream,
                            std::chrono::milliseconds patience, const HostAddresses& addresses) {
  return Trial(upstream, patience, addresses).of(endpoint);
}

bool is_untrusted(const Error& error) { return error.context.contains(untrusted_certificate); }

}  // namespace paddock

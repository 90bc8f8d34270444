#include "proxy/upstream/authenticator.h"

#include <algorithm>
#include <spdlog/spdlog.h>

#include "proxy/oci/printable.h"
#include "proxy/upstream/answers.h"
#include "proxy/upstream/retry.h"

namespace paddock {
namespace {

constexpr std::size_t token_answer_limit = std::size_t{128} * 1024;
constexpr std::size_t places_limit = 4096;
constexpr std::size_t warnings_limit = 64;
constexpr std::chrono::seconds young{30};

Error refused(std::string context, bool insufficient) {
  return {insufficient ? ErrorCode::denied : ErrorCode::unauthorized, Blame::upstream, std::move(context)};
}

}  // namespace

std::string base64(std::string_view bytes) {
  static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const auto part = bytes.substr(at, 3);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8U | (i < part.size() ? static_cast<unsigned char>(part[i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) out += i <= part.size() ? alphabet[group >> (18 - 6 * i) & 63U] : '=';
  }
  return out;
}

bool may_have_expired(const Authenticator::Credential& used, SteadyTime now) {
  return !used.token.empty() && !used.just_made && now - used.made >= young;
}

std::string token_target(const Url& realm, const TokenKey& key) {
  std::string target = realm.target;
  char separator = target.contains('?') ? '&' : '?';
  for (const auto& [name, value] :
       {std::pair("service", &key.service), {"scope", &key.scope}, {"account", &key.username}}) {
    if (value->empty()) continue;
    target.append(1, std::exchange(separator, '&')).append(name).append(1, '=').append(percent_encode(*value));
  }
  return target;
}

Authenticator::Authenticator(std::shared_ptr<const UpstreamOptions> options, HttpClient& client, const Clock& clock)
    : options_(std::move(options)), client_(client), clock_(clock), tokens_(clock) {}

std::string Authenticator::basic() const { return "Basic " + base64(options_->username + ':' + options_->password); }

Task<Result<Authenticator::Credential>> Authenticator::prepare(Url endpoint, std::string repository,
                                                               SteadyTime deadline) {
  const Place place{endpoint.origin(), repository};
  const auto challenge = recall(place);
  if (!challenge) co_return Credential{};
  auto credential = co_await satisfy(std::move(endpoint), std::move(repository), *challenge, {}, deadline);
  if (!credential) {
    // The registry may want something else by now: let it say so.
    forget(place);
    co_return Credential{};
  }
  credential->just_made = challenge->scheme == AuthChallenge::Scheme::basic;
  co_return credential;
}

Task<Result<Authenticator::Credential>> Authenticator::answer(Url endpoint, std::string repository,
                                                              std::optional<AuthChallenge> challenge, Credential used,
                                                              SteadyTime deadline) {
  if (!challenge && !used.token.empty() && !used.just_made) challenge = recall({endpoint.origin(), repository});
  if (!challenge) co_return std::unexpected(refused("the upstream refuses us without a challenge we know", false));
  if (used.just_made) {
    // Perhaps it wants tokens by now: the next request asks without a password.
    if (used.token.empty()) forget({endpoint.origin(), repository});
    const bool insufficient = challenge->error == "insufficient_scope" || !used.token.empty();
    co_return std::unexpected(refused("the upstream refuses the credentials made for it", insufficient));
  }
  remember({endpoint.origin(), repository}, *challenge);
  auto credential =
      co_await satisfy(std::move(endpoint), std::move(repository), *std::move(challenge), used.token, deadline);
  if (credential) credential->just_made = true;
  co_return credential;
}

Task<Result<Authenticator::Credential>> Authenticator::satisfy(Url endpoint, std::string repository,
                                                               AuthChallenge challenge, std::string refused_token,
                                                               SteadyTime deadline) {
  if (challenge.scheme == AuthChallenge::Scheme::basic) {
    if (have_credentials()) co_return Credential{.header = basic(), .token = {}};
    co_return std::unexpected(refused("the upstream wants a user name and password, and none is configured", false));
  }
  auto realm = Url::parse(challenge.realm);
  if (!realm)
    co_return fail(ErrorCode::protocol, Blame::upstream, "the token realm " + quote(challenge.realm) + " is no URL");
  auto decision = decide_realm(endpoint, *realm, options_->trusted_realms, have_credentials());
  if (decision.kind == RealmDecision::Kind::refused) {
    co_return fail(ErrorCode::denied, Blame::upstream, std::move(decision.reason));
  }
  if (!decision.reason.empty()) warn_once(decision.reason);
  TokenKey key{challenge.realm, challenge.service, pull_scope(challenge.scope, repository), {}};
  if (decision.kind == RealmDecision::Kind::with_credentials) key.username = options_->username;
  const TokenCache::Fetch fetch = [self = shared_from_this(), realm = *realm, key, decision] {
    return self->request_token(realm, key, decision);
  };
  auto token = co_await tokens_.get(key, std::move(refused_token), fetch, deadline);
  if (!token) co_return std::unexpected(std::move(token).error().with("token for " + repository));
  co_return Credential{.header = "Bearer " + token->value, .token = token->value, .made = token->made};
}

// Takes no deadline of its caller's: others may be waiting for it too.
Task<Result<Token>> Authenticator::request_token(Url realm, TokenKey key, RealmDecision decision) {
  ClientRequest request;
  request.url = realm.with_target(token_target(realm, key));
  request.headers = {{"Accept", "application/json"}, {"Accept-Encoding", "identity"}};
  if (decision.kind == RealmDecision::Kind::with_credentials) request.headers.add("Authorization", basic());
  request.proxy = options_->proxy.proxy_for(request.url);
  request.tls = options_->tls;
  request.addresses = options_->addresses;
  request.public_addresses_only = decision.public_addresses_only;
  request.deadlines = options_->deadlines;
  request.deadlines.headers = std::min(request.deadlines.headers, options_->metadata_budget);
  request.deadlines.stall = std::min(request.deadlines.stall, options_->metadata_budget);
  auto response = co_await client_.send(std::move(request));
  if (!response) co_return std::unexpected(std::move(response).error().with("token endpoint " + realm.origin()));
  auto body = co_await read_all(**response, token_answer_limit);
  const int status = (*response)->status();
  if (status == 200) {
    if (!body) co_return std::unexpected(std::move(body).error().with("token endpoint " + realm.origin()));
    co_return parse_token(*body);
  }
  const auto after = (*response)->headers().get("Retry-After");
  auto error = status_error(status, body ? error_detail(*body) : std::string(),
                            after ? parse_retry_after(*after, clock_.wall()) : std::nullopt);
  // It is the realm that is missing, not the image.
  if (error.code == ErrorCode::not_found) error.code = ErrorCode::protocol;
  co_return std::unexpected(std::move(error).with("token endpoint " + realm.origin()));
}

std::optional<AuthChallenge> Authenticator::recall(const Place& place) const {
  const MutexLock lock(mutex_);
  const auto found = known_.find(place);
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

void Authenticator::remember(const Place& place, const AuthChallenge& challenge) {
  const MutexLock lock(mutex_);
  if (known_.size() >= places_limit && !known_.contains(place)) known_.clear();
  known_.insert_or_assign(place, challenge);
}

void Authenticator::forget(const Place& place) {
  const MutexLock lock(mutex_);
  known_.erase(place);
}

void Authenticator::warn_once(const std::string& reason) {
  {
    const MutexLock lock(mutex_);
    if (warned_.size() >= warnings_limit || !warned_.insert(reason).second) return;
  }
  spdlog::warn("upstream {}: asking for tokens without the configured credentials: {}", options_->name, reason);
}

}  // namespace paddock

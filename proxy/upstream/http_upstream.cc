#include "proxy/upstream/http_upstream.h"

#include <algorithm>
#include <utility>

#include "proxy/oci/manifest.h"
#include "proxy/oci/media_type.h"
#include "proxy/oci/printable.h"
#include "proxy/oci/reference.h"
#include "proxy/upstream/answers.h"
#include "proxy/upstream/http_upstream_endpoints.h"

namespace paddock {
namespace {

std::string manifest_target(const std::string& repository, const std::string& reference) {
  return "/v2/" + repository + "/manifests/" + reference;
}

UpstreamQuestion manifest_question(Method method, const std::string& repository, const std::string& reference) {
  return {.method = method,
          .repository = repository,
          .target = manifest_target(repository, reference),
          .headers = {{"Accept", manifest_accept()}}};
}

Result<void> check_request(const std::string& repository, const std::string& reference) {
  if (auto ok = check_repository(repository); !ok) return ok;
  const auto parsed = parse_tag_or_digest(reference);
  return parsed ? Result<void>() : std::unexpected(parsed.error());
}

// A registry, or a firewall before it, that does not want HEAD. 404 and 401 are answers.
bool head_unsupported(int status) { return status == 400 || status == 403 || status == 405 || status == 501; }

// What a HEAD says, if it says all of it.
std::optional<ManifestInfo> manifest_info(const ClientResponse& response, const std::string& reference) {
  const auto digest = content_digest(response.headers());
  const auto type = bare_media_type(response.headers().get("Content-Type").value_or(""));
  const auto size = response.content_length();
  if (!digest || !size || is_generic_type(type) || type == "text/html") return std::nullopt;
  const auto asked = Digest::parse(reference);
  if (asked && asked != *digest) return std::nullopt;  // GET finds out which of them is right
  return ManifestInfo{*digest, type, *size};
}

// The worst of what it is.
EndpointStatus::State state_of(const EndpointHealth::State& health) {
  if (health.distrusted) return EndpointStatus::State::distrusted;
  if (health.resting) return EndpointStatus::State::resting;
  return health.slow ? EndpointStatus::State::slow : EndpointStatus::State::ok;
}

std::unexpected<Error> wrong_digest(const Digest& expected, const Digest& got) {
  return fail(ErrorCode::digest_mismatch, Blame::upstream,
              "the manifest's digest is " + got.to_string() + " instead of " + expected.to_string());
}

Result<FetchedManifest> verify_manifest(std::string content, const Headers& headers, const std::string& reference) {
  if (is_encoded(headers)) return fail(ErrorCode::protocol, Blame::upstream, "the manifest comes compressed, unasked");
  const auto asked = Digest::parse(reference);
  const auto said = content_digest(headers);
  const std::optional<Digest> expected = asked ? std::optional(*asked) : said;
  const Digest digest = Digest::of(content, expected ? expected->algorithm() : Digest::Algorithm::sha256);
  if (expected && digest != *expected) return wrong_digest(*expected, digest);
  const auto type = bare_media_type(headers.get("Content-Type").value_or(""));
  auto manifest = parse_manifest(content, type);
  if (!manifest) return std::unexpected(std::move(manifest).error());
  return FetchedManifest{digest, is_generic_type(type) ? manifest->media_type : type, std::move(content)};
}

}  // namespace

Result<void> check_repository(const std::string& repository) {
  if (is_repository(repository)) return {};
  return fail(ErrorCode::invalid_argument, Blame::client, quote(repository) + " is not the name of a repository");
}

HttpUpstream::HttpUpstream(Options options, HttpClient& client, const Clock& clock, UpstreamObserver observer)
    : options_(std::make_shared<const Options>(std::move(options))),
      exchange_(std::make_shared<Exchange>(options_, client, clock, std::move(observer))),
      health_(std::make_shared<EndpointHealth>(options_->endpoints.size(), options_->health, clock)) {}

std::shared_ptr<Upstream> HttpUpstream::until(SteadyTime deadline) const {
  auto limited = std::make_shared<HttpUpstream>(*this);
  limited->latest_ = std::min(latest_, deadline);
  return limited;
}

// Each endpoint gets its share of the time, so that one that swallows packets does not use up all of it. One that has
// failed a moment ago, or has others behind it, is not asked again and again.
Effort HttpUpstream::effort_for(std::size_t endpoint, std::size_t endpoints_left, SteadyTime deadline,
                                bool whole) const {
  const auto now = std::chrono::steady_clock::now();
  const auto share = now + (deadline - now) / static_cast<std::int64_t>(endpoints_left);
  const std::size_t attempts = health_->resting(endpoint) ? 1
                               : endpoints_left > 1       ? std::min<std::size_t>(2, options_->retry.attempts)
                                                          : options_->retry.attempts;
  return {.endpoint = endpoint, .attempts = attempts, .deadline = share, .whole = whole};
}

void HttpUpstream::note(std::size_t endpoint, const Error* error) {
  const bool away = error != nullptr && (error->code == ErrorCode::unavailable || error->code == ErrorCode::timeout);
  away ? health_->failed(endpoint) : health_->answered(endpoint);
}

std::vector<EndpointStatus> HttpUpstream::endpoints() const {
  const auto states = health_->states();
  std::vector<EndpointStatus> endpoints;
  endpoints.reserve(states.size());
  for (std::size_t i = 0; i < states.size(); ++i) {
    endpoints.push_back({options_->endpoints[i].authority(), state_of(states[i]), states[i].transfers, states[i].rate});
  }
  return endpoints;
}

void HttpUpstream::distrust(const std::string& source, Doubt doubt) {
  for (std::size_t i = 0; i < options_->endpoints.size(); ++i) {
    if (options_->endpoints[i].authority() != source) continue;
    health_->sent_wrong_bytes(i, doubt);
    exchange_->forget_links(i);  // a fresh one may lead elsewhere
  }
}

HttpUpstream::About HttpUpstream::about(const std::string& reference) {
  return Digest::parse(reference) ? About::digest : About::name;
}

Task<Result<ManifestInfo>> HttpUpstream::head_manifest(std::string repository, std::string reference) {
  if (auto ok = check_request(repository, reference); !ok) co_return std::unexpected(std::move(ok).error());
  Ask<ManifestInfo> ask = [=, this](Effort effort) { return head_manifest_at(repository, reference, effort); };
  co_return co_await over_endpoints<ManifestInfo>(about(reference), std::move(ask));
}

Task<Result<ManifestInfo>> HttpUpstream::head_manifest_at(std::string repository, std::string reference,
                                                          Effort effort) {
  auto answer = co_await exchange_->ask(manifest_question(Method::head, repository, reference), effort);
  if (!answer) co_return std::unexpected(std::move(answer).error());
  const int status = answer->status();
  if (status == 200) {
    if (auto info = manifest_info(*answer->response, reference)) co_return *std::move(info);
  } else if (!head_unsupported(status)) {
    co_return std::unexpected(co_await exchange_->refusal(*answer, effort.deadline));
  }
  auto fetched = co_await get_manifest_at(std::move(repository), std::move(reference), effort);
  if (!fetched) co_return std::unexpected(std::move(fetched).error());
  co_return ManifestInfo{fetched->digest, fetched->media_type, fetched->content.size()};
}

Task<Result<FetchedManifest>> HttpUpstream::get_manifest(std::string repository, std::string reference) {
  if (auto ok = check_request(repository, reference); !ok) co_return std::unexpected(std::move(ok).error());
  Ask<FetchedManifest> ask = [=, this](Effort effort) { return get_manifest_at(repository, reference, effort); };
  co_return co_await over_endpoints<FetchedManifest>(about(reference), std::move(ask));
}

Task<Result<FetchedManifest>> HttpUpstream::get_manifest_at(std::string repository, std::string reference,
                                                            Effort effort) {
  auto answer = co_await exchange_->ask(manifest_question(Method::get, repository, reference), effort);
  if (!answer) co_return std::unexpected(std::move(answer).error());
  if (answer->status() != 200) co_return std::unexpected(co_await exchange_->refusal(*answer, effort.deadline));
  auto content = co_await exchange_->body(*answer, options_->manifest_limit, effort.deadline);
  if (!content) co_return std::unexpected(std::move(content).error().with("manifest"));
  co_return verify_manifest(*std::move(content), answer->response->headers(), reference);
}

}  // namespace paddock

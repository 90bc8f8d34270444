#include "proxy/cli/cache_client.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "proxy/cli/json_view.h"
#include "proxy/host/platform.h"
#include "proxy/oci/printable.h"

namespace paddock {
namespace {

constexpr std::size_t manifest_limit = std::size_t{4} << 20U;
constexpr std::size_t config_limit = std::size_t{8} << 20U;

std::string platform_of(const Descriptor& entry) { return platform_name(entry.os, entry.architecture, entry.variant); }

// "linux/arm64" takes any variant of it.
bool fits(const Descriptor& entry, const std::string& platform) {
  return platform == platform_of(entry) || platform == entry.os + "/" + entry.architecture;
}

// The specification's error, as far as there is one.
std::string reason_in(const std::string& body) {
  const auto json = nlohmann::ordered_json::parse(body, nullptr, false);
  for (const auto& one : JsonView(json).items("errors")) {
    if (const auto message = one.text("message"); !message.empty()) return public_message(message);
  }
  return "no reason given";
}

ErrorCode code_of(int status) {
  if (status == 401) return ErrorCode::unauthorized;
  if (status == 403) return ErrorCode::denied;
  if (status == 404) return ErrorCode::not_found;
  return ErrorCode::unavailable;
}

Result<Descriptor> choose(const Manifest& index, const std::string& platform) {
  const auto found = std::ranges::find_if(index.manifests, [&](const auto& entry) { return fits(entry, platform); });
  if (found != index.manifests.end()) return *found;
  std::string known;
  for (const auto& entry : index.manifests) {
    if (entry.os != "unknown") known += (known.empty() ? "" : ", ") + quote(platform_of(entry), 40);
    if (known.size() > 300) break;
  }
  return fail(
      ErrorCode::not_found, Blame::client,
      fmt::format("there is no {} in it, only {}: give --platform", platform, known.empty() ? "nothing" : known));
}

}  // namespace

Result<HttpAnswer> CacheClient::ask(std::string target, std::string accept, std::size_t limit) const {
  ClientRequest request;
  request.url = cache_.with_target(std::move(target));
  request.headers.add("Accept", accept);
  if (!trust_.authorization.empty()) request.headers.add("Authorization", trust_.authorization);
  request.tls = trust_.tls;
  auto answer = ask_http(std::move(request), patience_, limit);
  if (!answer) {
    const auto& error = answer.error();
    if (error.code == ErrorCode::too_large) return std::unexpected(error);
    return fail(error.code, Blame::upstream,
                fmt::format("cannot reach the cache at {} ({}): is paddock running there? give --cache URL",
                            cache_.origin(), error.context));
  }
  return answer;
}

Result<HttpAnswer> CacheClient::get(std::string target, std::string accept, std::size_t limit) const {
  auto answer = ask(std::move(target), std::move(accept), limit);
  if (answer && answer->status != 200) {
    return fail(code_of(answer->status), Blame::upstream,
                fmt::format("{} answered {}: {}", cache_.origin(), answer->status, reason_in(answer->body)));
  }
  return answer;
}

std::string CacheClient::target(const ImageReference& image, const std::string& rest) const {
  auto path = "/v2/" + image.repository + "/" + rest;
  // A reference that begins with the cache's own address names the upstream in its path, or means the default one.
  if (image.registry && *image.registry != cache_.authority()) path += "?ns=" + percent_encode(*image.registry);
  return path;
}

Result<CacheClient::Fetched> CacheClient::manifest(const ImageReference& image, const std::string& reference) const {
  const auto answer = get(target(image, "manifests/" + reference), manifest_accept(), manifest_limit);
  if (!answer) return std::unexpected(answer.error());
  const auto wanted = Digest::parse(reference);
  const auto digest = Digest::of(answer->body, wanted ? wanted->algorithm() : Digest::Algorithm::sha256);
  if (wanted && *wanted != digest) {
    return fail(ErrorCode::digest_mismatch, Blame::upstream, "the cache sent another manifest than " + reference);
  }
  auto parsed = parse_manifest(answer->body, answer->headers.get("Content-Type").value_or(""));
  if (!parsed) return std::unexpected(std::move(parsed).error());
  return Fetched{*std::move(parsed), digest};
}

Result<PlatformManifest> CacheClient::platform_manifest(const ImageReference& image,
                                                        const std::string& platform) const {
  auto fetched = manifest(image, image.digest ? image.digest->to_string() : image.tag.value_or("latest"));
  if (!fetched) return std::unexpected(std::move(fetched).error());
  const auto asked = fetched->digest;
  std::string chosen;
  if (fetched->manifest.kind == ManifestKind::index) {
    const auto entry = choose(fetched->manifest, platform);
    if (!entry) return std::unexpected(entry.error());
    chosen = platform_of(*entry);
    fetched = manifest(image, entry->digest.to_string());
    if (!fetched) return std::unexpected(std::move(fetched).error());
  }
  if (!fetched->manifest.config) {
    return fail(ErrorCode::unsupported, Blame::upstream, "it is no image with a configuration");
  }
  return PlatformManifest{std::move(chosen), asked, fetched->digest, std::move(fetched->manifest)};
}

bool CacheClient::is_elsewhere(const ImageReference& image) const {
  const auto reference = image.digest ? image.digest->to_string() : image.tag.value_or("latest");
  const auto answer = ask(target(image, "manifests/" + reference), manifest_accept(), manifest_limit);
  return answer && answer->status == 404 && answer->headers.get("X-Paddock-Reason") == "unknown-upstream";
}

Result<ImageConfiguration> CacheClient::configuration(const ImageReference& image, const std::string& platform) const {
  auto found = platform_manifest(image, platform);
  if (!found) return std::unexpected(std::move(found).error());
  const auto& config = found->manifest.config;
  if (config->size > config_limit) {
    return fail(ErrorCode::too_large, Blame::upstream, fmt::format("its configuration has {} bytes", config->size));
  }
  auto answer = get(target(image, "blobs/" + config->digest.to_string()), "*/*", config_limit);
  if (!answer) return std::unexpected(std::move(answer).error());
  if (Digest::of(answer->body, config->digest.algorithm()) != config->digest) {
    return fail(ErrorCode::digest_mismatch, Blame::upstream, "the cache sent another configuration than it named");
  }
  return ImageConfiguration{std::move(found->platform), found->digest, std::move(answer->body)};
}

}  // namespace paddock

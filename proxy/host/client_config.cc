#include "proxy/host/client_config.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "proxy/host/client_config_kinds.h"
#include "proxy/oci/ascii.h"

namespace paddock {
namespace {

struct Kind {
  ClientKind kind;
  std::string_view name;
  Result<ClientConfig> (*make)(const ClientConfigRequest& request);
};

constexpr std::array kinds{
    Kind{ClientKind::docker, "docker", client::docker},
    Kind{ClientKind::docker_containerd, "docker-containerd", client::docker_containerd},
    Kind{ClientKind::docker_proxy, "docker-proxy", client::docker_proxy},
    Kind{ClientKind::containerd, "containerd", client::containerd},
    Kind{ClientKind::podman, "podman", client::podman},
    Kind{ClientKind::crio, "crio", client::podman},
    Kind{ClientKind::buildkit, "buildkit", client::buildkit},
    Kind{ClientKind::kubernetes, "kubernetes", client::kubernetes},
};

const Kind& entry(ClientKind kind) { return *std::ranges::find(kinds, kind, &Kind::kind); }

std::unexpected<Error> refuse(std::string why) {
  return fail(ErrorCode::invalid_argument, Blame::client, std::move(why));
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && text.front() != '0' && std::ranges::all_of(text, is_digit);
}

// A host name or address with or without a port, in lower case: what may stand in any of the files, and as a folder.
bool is_authority(std::string_view text) {
  const auto fits = [](std::string_view part, std::string_view letters) {
    return !part.empty() && part.find_first_not_of(letters) == part.npos;
  };
  if (text.size() > 255) return false;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos || !fits(text.substr(1, end - 1), "0123456789abcdef:.")) return false;
    text.remove_prefix(end + 1);
    return text.empty() || (text.starts_with(':') && is_port(text.substr(1)));
  }
  const auto colon = text.find(':');
  if (colon != text.npos && !is_port(text.substr(colon + 1))) return false;
  const auto host = text.substr(0, colon);
  return fits(host, "0123456789abcdefghijklmnopqrstuvwxyz.-_") && host.find("..") == host.npos &&
         std::string_view(".-").find(host.front()) == std::string_view::npos &&
         std::string_view(".-").find(host.back()) == std::string_view::npos;
}

Result<void> check(const ClientConfigRequest& request) {
  const auto& cache = request.cache;
  if (!is_authority(cache.authority)) return refuse("the cache's address is no host or host:port");
  if (cache.host == "0.0.0.0" || cache.host == "::") {
    return refuse(cache.host + " is where the cache listens: give the name or address by which this client reaches it");
  }
  if (request.upstreams.empty()) return refuse("no upstream is named: give --upstream HOST");
  for (const auto& upstream : request.upstreams) {
    if (!is_authority(upstream)) return refuse("an upstream is named neither host nor host:port, in lower case");
    if (upstream == cache.authority) return refuse(upstream + " is the cache itself, not an upstream");
    if (std::ranges::count(request.upstreams, upstream) > 1) return refuse(upstream + " is named twice");
  }
  if (!request.ca_pem.empty() && !cache.tls && request.kind != ClientKind::docker_proxy) {
    return refuse("a CA means nothing to plain HTTP: give https:// as the cache's address, or no --ca");
  }
  return {};
}

}  // namespace

std::string_view to_string(ClientKind kind) { return entry(kind).name; }

Result<ClientKind> parse_client_kind(std::string_view text) {
  const auto* const found = std::ranges::find(kinds, text, &Kind::name);
  if (found != kinds.end()) return found->kind;
  return refuse(fmt::format("no such kind of client; there are {}", fmt::join(client_kind_names(), ", ")));
}

const std::vector<std::string>& client_kind_names() {
  static const auto names = [] {
    std::vector<std::string> all;
    all.reserve(kinds.size());
    for (const auto& one : kinds) all.emplace_back(one.name);
    return all;
  }();
  return names;
}

Result<ClientConfig> client_config(const ClientConfigRequest& request) {
  if (auto checked = check(request); !checked) return std::unexpected(std::move(checked).error());
  auto clean = request;
  if (!request.ca_pem.empty()) {
    auto certificates = certificates_of(request.ca_pem);
    if (!certificates) return std::unexpected(std::move(certificates).error());
    clean.ca_pem = *std::move(certificates);
  }
  return entry(request.kind).make(clean);
}

Result<std::string> certificates_of(std::string_view pem) {
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view end = "-----END CERTIFICATE-----";
  constexpr std::string_view base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\n";
  std::string out;
  for (auto at = pem.find(begin); at != pem.npos; at = pem.find(begin, at)) {
    const auto stop = pem.find(end, at);
    if (stop == pem.npos) return refuse("a certificate of the CA's file is cut off");
    std::string body(pem.substr(at + begin.size(), stop - at - begin.size()));
    std::erase_if(body, [](char c) { return c == '\r' || c == ' ' || c == '\t'; });
    if (!body.starts_with('\n') || !body.ends_with('\n') || body.find_first_not_of(base64) != body.npos) {
      return refuse("a certificate of the CA's file is not PEM");
    }
    out.append(begin).append(body).append(end).append("\n");
    at = stop;
  }
  if (out.empty()) return refuse("the CA's file holds no certificate: it wants PEM, -----BEGIN CERTIFICATE-----");
  return out;
}

namespace client {

std::string engine_name(const CacheAddress& cache) {
  const bool bare = cache.authority.find_first_of(".:") == std::string::npos && cache.authority != "localhost";
  return bare ? cache.authority + (cache.tls ? ":443" : ":80") : cache.authority;
}

std::string literal(std::string_view text) { return nlohmann::json(text).dump(); }

std::string headline(const ClientConfigRequest& request) {
  return fmt::format("# paddock client-config {}: pulls go through {}\n", to_string(request.kind),
                     request.cache.origin());
}

std::string doctor_note(const ClientConfigRequest& request) {
  return fmt::format("`paddock doctor --cache {}` on this machine says whether it is in effect",
                     request.cache.origin());
}

}  // namespace client
}  // namespace paddock

#include "proxy/ingress/upstream_selector.h"

#include <algorithm>
#include <utility>

#include "proxy/oci/ascii.h"
#include "proxy/oci/printable.h"
#include "proxy/oci/reference.h"

namespace paddock {
namespace {

constexpr std::string_view docker_hub = "docker.io";

// "host:5000" -> "host", "[::1]:5000" -> "[::1]".
std::string_view without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  const std::size_t bracket = host.rfind(']');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) return host;
  return host.substr(0, colon);
}

// The names under which clients reach Docker Hub.
bool is_docker_hub_alias(std::string_view name) {
  return same_without_case(name, "registry-1.docker.io") || same_without_case(name, "index.docker.io");
}

std::string known_names(const std::vector<UpstreamRule>& rules) {
  std::string names;
  for (const UpstreamRule& rule : rules) names += (names.empty() ? "" : ", ") + rule.name;
  return names.empty() ? "none is configured" : "configured are " + names;
}

// `name` less the name of its upstream in front, where that looks like a host: a repository's own first part does not.
std::optional<std::string_view> behind_prefix(const UpstreamRule& rule, std::string_view name) {
  const std::size_t slash = name.find('/');
  const auto first = name.substr(0, slash);
  const bool host = slash != std::string_view::npos && first.find_first_of(".:") != std::string_view::npos;
  if (!host || !names_upstream(first, rule.name)) return std::nullopt;
  return name.substr(slash + 1);
}

Result<Target> target(const UpstreamRule& rule, std::string_view name) {
  if (behind_prefix(rule, name)) {
    return fail(ErrorCode::not_found, Blame::client,
                quote(name) + " names upstream " + rule.name + " once more: leave it out");
  }
  std::string repository(name);
  if (!is_repository(repository)) {
    return fail(ErrorCode::invalid_argument, Blame::client, "invalid repository " + quote(name));
  }
  // Docker Hub keeps its official images under library/, people leave that out.
  if (rule.name == docker_hub && repository.find('/') == std::string::npos) repository.insert(0, "library/");
  if (!matches_any(rule.allow, repository)) {
    return fail(ErrorCode::denied, Blame::client,
                "repository " + quote(repository) + " is not on the allow list of upstream " + rule.name);
  }
  return Target{rule.name, std::move(repository)};
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view text) {
  if (pattern == "**") return true;
  // reached[i]: the pattern so far matches the first i characters. Linear in each, whatever the stars.
  std::vector<char> reached(text.size() + 1, 0);
  reached[0] = 1;
  for (std::size_t p = 0; p < pattern.size(); ++p) {
    if (pattern[p] != '*') {
      for (std::size_t i = text.size(); i > 0; --i)
        reached[i] = reached[i - 1] != 0 && text[i - 1] == pattern[p] ? 1 : 0;
      reached[0] = 0;
      continue;
    }
    const bool crosses = p + 1 < pattern.size() && pattern[p + 1] == '*';
    if (crosses) ++p;
    for (std::size_t i = 1; i <= text.size(); ++i) {
      if (reached[i - 1] != 0 && (crosses || text[i - 1] != '/')) reached[i] = 1;
    }
  }
  return reached[text.size()] != 0;
}

bool names_upstream(std::string_view host, std::string_view name) {
  return same_without_case(host, name) || (name == docker_hub && is_docker_hub_alias(host));
}

bool UpstreamSelector::is_meant(std::string_view host, std::string_view upstream) {
  return names_upstream(host, upstream) || names_upstream(host, without_port(upstream));
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) { return glob_match(pattern, text); });
}

const UpstreamRule* UpstreamSelector::find(std::string_view name) const {
  auto found = std::ranges::find_if(rules_, [&](const auto& rule) { return same_without_case(rule.name, name); });
  if (found == rules_.end() && is_docker_hub_alias(name))
    found = std::ranges::find(rules_, docker_hub, &UpstreamRule::name);
  return found == rules_.end() ? nullptr : &*found;
}

Result<Target> UpstreamSelector::select(const Asked& asked, std::string_view name) const {
  if (asked.ns && !asked.ns->empty()) {
    if (const UpstreamRule* rule = find(*asked.ns)) return target(*rule, behind_prefix(*rule, name).value_or(name));
    return fail(ErrorCode::not_found, Blame::client,
                "no upstream is named " + quote(*asked.ns) + "; " + known_names(rules_));
  }
  for (const std::string_view candidate : {asked.host, without_port(asked.host), asked.server_name}) {
    if (candidate.empty()) continue;
    if (const UpstreamRule* rule = find(candidate)) return target(*rule, behind_prefix(*rule, name).value_or(name));
  }
  const std::size_t slash = name.find('/');
  if (slash != std::string_view::npos) {
    if (const UpstreamRule* rule = find(name.substr(0, slash))) return target(*rule, name.substr(slash + 1));
  }
  if (!asked.listener.empty()) {
    if (const UpstreamRule* rule = find(asked.listener)) return target(*rule, name);
    return fail(ErrorCode::not_found, Blame::client,
                "this address stands for " + quote(asked.listener) + ", which is no upstream any more");
  }
  const auto fallback = std::ranges::find_if(rules_, &UpstreamRule::is_default);
  if (fallback != rules_.end()) return target(*fallback, name);
  return fail(ErrorCode::not_found, Blame::client,
              "no default upstream: name one in front of " + quote(name) + "; " + known_names(rules_));
}

}  // namespace paddock

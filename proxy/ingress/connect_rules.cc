#include "proxy/ingress/connect_rules.h"

#include <algorithm>
#include <charconv>

#include "proxy/ingress/upstream_selector.h"

namespace paddock {
namespace {

struct Entry {
  std::string_view host;
  std::uint16_t port = 443;
};

Entry parse(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto bracket = text.rfind(']');
  const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  Entry entry{text.substr(0, has_port ? colon : text.size())};
  if (has_port) std::from_chars(text.data() + colon + 1, text.data() + text.size(), entry.port);
  if (entry.host.starts_with('[')) entry.host = entry.host.substr(1, entry.host.size() - 2);
  return entry;
}

bool is_pattern(std::string_view host) { return host.starts_with('*'); }

bool matches(std::string_view entry, std::string_view host) {
  if (!is_pattern(entry)) return names_upstream(host, entry);
  return entry == "*" || host.ends_with(entry.substr(1));
}

}  // namespace

ConnectRules::Verdict ConnectRules::judge(const Url& target) const {
  const auto names = [&](const std::string& text) {
    const auto entry = parse(text);
    return entry.port == target.port && matches(entry.host, target.host);
  };
  if (std::ranges::any_of(hosts_, names)) return Verdict::ended_here;
  auto verdict = Verdict::refused;
  for (const auto& text : tunnels_) {
    if (!names(text)) continue;
    if (!is_pattern(text)) return Verdict::tunnelled;
    verdict = Verdict::tunnelled_if_public;
  }
  return verdict;
}

bool ConnectRules::ends(std::string_view authority) const {
  const auto url = Url::parse(std::string("https://").append(authority));
  return url && judge(*url) == Verdict::ended_here;
}

}  // namespace paddock

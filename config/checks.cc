#include "config/checks.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "config/text.h"

namespace paddock::config {
namespace {

constexpr std::size_t unix_path_limit = 107;  // sun_path less its NUL

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

std::optional<unsigned> number(std::string_view text, unsigned max) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

bool is_ip(int family, std::string_view text) {
  std::array<unsigned char, sizeof(in6_addr)> buffer{};
  return inet_pton(family, std::string(text).c_str(), buffer.data()) == 1;
}

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    const bool valid = !label.empty() && label.size() <= 63 && is_lower_or_digit(label.front()) &&
                       is_lower_or_digit(label.back()) &&
                       std::ranges::all_of(label, [](char c) { return is_lower_or_digit(c) || c == '-'; });
    if (!valid) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

// An IPv4 address that is none ("256.1.1.1") must not pass as a name.
bool is_host_or_ip(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) return is_ip(AF_INET6, text.substr(1, text.size() - 2));
  const bool numeric = text.find_first_not_of("0123456789.") == std::string_view::npos;
  return numeric ? is_ip(AF_INET, text) : is_host_name(text);
}

struct HostPort {
  std::string_view host;
  std::optional<std::string_view> port;
};

HostPort split(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

bool has_upper(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::string one_of(std::string_view text, const std::vector<std::string>& words) {
  if (std::ranges::find(words, text) != words.end()) return {};
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : ", ") + word;
  return cat({"is not one of ", list, suggestion(text, words)});
}

}  // namespace

std::string check_address(std::string_view text) {
  static constexpr std::string_view rule = "is not an address: write host:port, [::]:port or unix:/path";
  if (text.starts_with("unix:")) {
    const std::string_view path = text.substr(5);
    if (path.empty()) return "has no path: write unix:/path";
    return path.size() > unix_path_limit ? "is too long for a Unix socket: at most 107 bytes" : "";
  }
  const HostPort parts = split(text);
  if (parts.host.empty() || parts.host == "*") return "does not say which interface: write 0.0.0.0:port or [::]:port";
  if (!parts.port) return std::string(rule) + " (the port is missing)";
  if (!number(*parts.port, 65535)) return std::string(rule) + " (the port is a number up to 65535)";
  // A name may mean several addresses, or another machine's: which interface it is has to be said.
  const bool numeric = parts.host.find_first_not_of("0123456789.") == std::string_view::npos;
  if (!numeric && parts.host != "localhost" && is_host_name(parts.host)) {
    return std::string(rule) + " (the host as an IP address, or localhost)";
  }
  return is_host_or_ip(parts.host) ? "" : std::string(rule) + " (IPv6 addresses stand in brackets, and quoted in YAML)";
}

std::string check_endpoint(std::string_view text) {
  static constexpr std::string_view rule = "is not an endpoint: write https://host or https://host:port";
  std::string_view rest = text;
  if (rest.starts_with("https://"))
    rest.remove_prefix(8);
  else if (rest.starts_with("http://"))
    rest.remove_prefix(7);
  else
    return std::string(rule);
  if (rest.find('@') != std::string_view::npos) return "holds credentials: use username and password_file";
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != std::string_view::npos) return std::string(rule) + ", without a path";
  const HostPort parts = split(rest);
  if (parts.port && number(*parts.port, 65535).value_or(0) == 0) return std::string(rule) + " (port 1 to 65535)";
  std::string host(parts.host);
  std::ranges::transform(host, host.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  std::ranges::replace(host, '_', '-');  // no host name, but what containers on a private network are called
  return is_host_or_ip(host) ? "" : std::string(rule);
}

std::string check_host(std::string_view text) {
  if (text.find("://") != std::string_view::npos) return "is not a host: leave out the scheme";
  const HostPort parts = split(text);
  if (has_upper(text)) return "is not a host in lower case";
  if (parts.port && number(*parts.port, 65535).value_or(0) == 0) return "is not host:port with a port from 1 to 65535";
  return is_host_or_ip(parts.host) ? "" : "is not a host: write host or host:port";
}

std::string check_realm(std::string_view text) {
  std::string problem = check_host(text);
  if (!problem.empty()) return problem;
  return split(text).port ? "holds a port: every port of the host is meant, leave it out" : "";
}

std::string check_redirect(std::string_view text) {
  if (text.starts_with("*.") && is_host_name(text.substr(2))) return {};
  if (is_ip(AF_INET6, text)) return {};
  return check_realm(text).empty() ? "" : "is neither a host nor *.host, without a port";
}

std::string check_tunnel(std::string_view text) {
  const HostPort parts = split(text);
  if (parts.host != "*" && !parts.host.starts_with("*.")) return check_host(text);
  if (parts.port && number(*parts.port, 65535).value_or(0) == 0) return "is not host:port with a port from 1 to 65535";
  return parts.host == "*" || is_host_name(parts.host.substr(2)) ? "" : "is neither a host nor *.host";
}

std::string check_ip(std::string_view text) {
  return is_ip(AF_INET, text) || is_ip(AF_INET6, text) ? "" : "is not an IP address";
}

std::string check_glob(std::string_view text) {
  static constexpr std::string_view extra = "._-/*";
  const bool valid = !text.empty() && text.size() <= 255 && std::ranges::all_of(text, [](char c) {
    return is_lower_or_digit(c) || extra.find(c) != std::string_view::npos;
  });
  return valid ? "" : "is not a pattern over repositories, such as paddlepaddle/* or **";
}

std::string check_platform(std::string_view text) {
  const auto slashes = std::ranges::count(text, '/');
  const bool valid = (slashes == 1 || slashes == 2) && !text.starts_with('/') && !text.ends_with('/') &&
                     text.find("//") == std::string_view::npos &&
                     std::ranges::all_of(text, [](char c) { return is_lower_or_digit(c) || c == '/' || c == '_'; });
  return valid ? "" : "is not a platform: write os/architecture, such as linux/amd64";
}

std::string check_log_level(std::string_view text) { return one_of(text, {"trace", "debug", "info", "warn", "error"}); }

std::string check_log_format(std::string_view text) { return one_of(text, {"text", "json"}); }

std::string check_on_abandon(std::string_view text) { return one_of(text, {"finish", "pause"}); }

std::string check_tls_kernel(std::string_view text) { return one_of(text, {"auto", "off"}); }

bool is_loopback(std::string_view address) {
  if (address.starts_with("unix:")) return true;
  const std::string_view host = split(address).host;
  if (host == "localhost" || host == "[::1]") return true;
  return host.starts_with("127.") && is_ip(AF_INET, host);
}

}  // namespace paddock::config

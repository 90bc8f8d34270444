#include "proxy/upstream/proxy_environment.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <charconv>
#include <cstdlib>

#include "proxy/oci/ascii.h"
#include "proxy/upstream/host_class.h"

namespace paddock {
namespace {

namespace ip = boost::asio::ip;

Result<std::optional<Url>> read_url(const ProxyEnvironment::Lookup& lookup, std::initializer_list<const char*> names) {
  for (const auto* name : names) {
    const auto value = lookup(name);
    if (!value || value->empty()) continue;
    auto url = Url::parse(value->contains("://") ? *value : "http://" + *value);
    // Not the value itself: it may hold a password.
    if (!url)
      return fail(ErrorCode::invalid_argument, Blame::us, std::string(name) + " is not the URL of an http proxy");
    if (url->tls) {
      return fail(ErrorCode::invalid_argument, Blame::us,
                  std::string(name) + " names a proxy that is spoken to over TLS, which is not offered: write http://" +
                      url->host + ':' + std::to_string(url->port) + " if the proxy speaks plain HTTP there");
    }
    return *std::move(url);
  }
  return std::optional<Url>();
}

bool in_network(std::string_view block, const ip::address& address) {
  boost::system::error_code error;
  if (address.is_v4()) {
    const auto network = ip::make_network_v4(std::string(block), error);
    if (error) return false;
    return (network.network().to_uint() ^ (address.to_v4().to_uint() & network.netmask().to_uint())) == 0;
  }
  const auto network = ip::make_network_v6(std::string(block), error);
  if (error) return false;
  const ip::network_v6 own(address.to_v6(), network.prefix_length());
  return own.network() == network.network();
}

// Splits "host:port" and "[v6]:port"; a bare IPv6 address has no port.
std::string_view split_port(std::string_view entry, std::optional<std::uint16_t>& port) {
  const auto colon = entry.rfind(':');
  const bool bracketed = entry.starts_with('[');
  const auto close = entry.find(']');
  const bool has_port = bracketed ? close != std::string_view::npos && colon == close + 1
                                  : colon != std::string_view::npos && entry.find(':') == colon;
  std::string_view host = entry;
  if (has_port) {
    const auto digits = entry.substr(colon + 1);
    std::uint16_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    port = error == std::errc() && end == digits.data() + digits.size() ? value : std::uint16_t{0};
    host = entry.substr(0, colon);
  }
  if (bracketed && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

}  // namespace

bool matches_no_proxy(std::string_view entry, std::string_view host, std::uint16_t port) {
  if (entry == "*") return true;
  std::optional<std::uint16_t> only_port;
  std::string_view rule = split_port(entry, only_port);
  if (rule.empty() || (only_port && *only_port != port)) return false;
  boost::system::error_code no_address;
  const auto address = ip::make_address(std::string(host), no_address);
  if (!no_address) {
    if (rule.contains('/')) return in_network(rule, address);
    boost::system::error_code error;
    const auto other = ip::make_address(std::string(rule), error);
    return !error && other == address;
  }
  if (rule.starts_with("*.")) rule.remove_prefix(1);
  const std::string domain = lower_case(rule);
  const std::string name = lower_case(host);
  if (domain.starts_with('.')) return name.ends_with(domain) && name.size() > domain.size();
  return name == domain || name.ends_with('.' + domain);
}

Result<ProxyEnvironment> ProxyEnvironment::read(const Lookup& lookup) {
  ProxyEnvironment out;
  auto https = read_url(lookup, {"https_proxy", "HTTPS_PROXY"});
  if (!https) return std::unexpected(std::move(https).error());
  auto http = read_url(lookup, {"http_proxy"});
  if (!http) return std::unexpected(std::move(http).error());
  out.https_ = *std::move(https);
  out.http_ = *std::move(http);
  auto exceptions = lookup("no_proxy");
  if (!exceptions) exceptions = lookup("NO_PROXY");
  std::string_view rest = exceptions ? std::string_view(*exceptions) : std::string_view();
  while (!rest.empty()) {
    const auto end = std::min(rest.find_first_of(", \t"), rest.size());
    if (end > 0) out.exceptions_.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

std::optional<std::string> ProxyEnvironment::process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

bool ProxyEnvironment::excepted(const Url& url) const {
  return std::ranges::any_of(exceptions_,
                             [&](const std::string& e) { return matches_no_proxy(e, url.host, url.port); });
}

std::optional<Url> ProxyEnvironment::proxy_for(const Url& url) const {
  if (is_loopback_host(url.host) || excepted(url)) return std::nullopt;
  return url.tls ? https_ : http_;
}

}  // namespace paddock

#include "proxy/upstream/host_class.h"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>

#include "proxy/net/address_policy.h"

namespace paddock {
namespace {

namespace ip = boost::asio::ip;

std::string normal(std::string_view host) {
  std::string out(host.substr(0, host.ends_with('.') ? host.size() - 1 : host.size()));
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool is_or_below(std::string_view name, std::string_view domain) {
  return name == domain ||
         (name.size() > domain.size() && name.ends_with(domain) && name[name.size() - domain.size() - 1] == '.');
}

}  // namespace

bool is_loopback_host(std::string_view host) {
  const std::string name = normal(host);
  boost::system::error_code error;
  const auto address = ip::make_address(name, error);
  if (error) return is_or_below(name, "localhost");
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return ip::make_address_v4(ip::v4_mapped, address.to_v6()).is_loopback();
  }
  return address.is_loopback();
}

bool is_private_host(std::string_view host) {
  const std::string name = normal(host);
  if (names_private_address(name)) return true;
  boost::system::error_code error;
  (void)ip::make_address(name, error);
  if (!error) return false;
  if (!name.contains('.')) return true;
  return std::ranges::any_of(std::array{"localhost", "local", "internal", "lan", "home.arpa"},
                             [&](std::string_view domain) { return is_or_below(name, domain); });
}

bool host_in(const std::vector<std::string>& rules, std::string_view host) {
  const std::string name = normal(host);
  return std::ranges::any_of(rules, [&](const std::string& written) {
    std::string rule = normal(written);
    if (rule == "*") return true;
    if (rule.starts_with("*.")) rule.erase(0, 1);
    return rule.starts_with('.') ? name.size() > rule.size() && name.ends_with(rule) : name == rule;
  });
}

}  // namespace paddock

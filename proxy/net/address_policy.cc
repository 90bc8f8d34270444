#include "proxy/net/address_policy.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>

namespace paddock {
namespace {

namespace ip = boost::asio::ip;

struct V4Block {
  std::uint32_t base;
  int bits;
};
constexpr std::array<V4Block, 14> not_public_v4{{
    {0x00000000, 8},   // this network
    {0x0A000000, 8},   // private
    {0x64400000, 10},  // shared by carriers
    {0x7F000000, 8},   // loopback
    {0xA9FE0000, 16},  // link-local; cloud metadata
    {0xAC100000, 12},  // private
    {0xC0000000, 24},  // protocol assignments
    {0xC0000200, 24},  // documentation
    {0xC0A80000, 16},  // private
    {0xC6120000, 15},  // benchmarking
    {0xC6336400, 24},  // documentation
    {0xCB007100, 24},  // documentation
    {0xE0000000, 4},   // multicast
    {0xF0000000, 4},   // reserved, broadcast
}};

bool is_public(const ip::address_v4& address) {
  const std::uint32_t value = address.to_uint();
  return std::ranges::none_of(not_public_v4,
                              [value](V4Block block) { return (value ^ block.base) >> (32 - block.bits) == 0; });
}

ip::address_v4 carried_v4(const ip::address_v6::bytes_type& bytes, std::size_t at) {
  return ip::address_v4({bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]});
}

bool is_public(const ip::address_v6& address) {
  const auto bytes = address.to_bytes();
  const auto starts = [&bytes](std::initializer_list<unsigned char> prefix) {
    return std::equal(prefix.begin(), prefix.end(), bytes.begin());
  };
  if (address.is_v4_mapped()) return is_public(carried_v4(bytes, 12));
  if (starts({0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) return is_public(carried_v4(bytes, 12));  // NAT64
  if (starts({0x20, 0x02})) return is_public(carried_v4(bytes, 2));                                       // 6to4
  if (starts({0x20, 0x01, 0x0D, 0xB8})) return false;      // documentation
  if (starts({0x20, 0x01}) && bytes[2] < 2) return false;  // protocol assignments, Teredo
  return (bytes[0] & 0xE0U) == 0x20U;                      // 2000::/3 is all that is global unicast
}

}  // namespace

bool is_public_address(const ip::address& address) {
  return address.is_v4() ? is_public(address.to_v4()) : is_public(address.to_v6());
}

bool names_private_address(const std::string& host) {
  if (host == "localhost" || host.ends_with(".localhost") || host == "localhost.") return true;
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;  // never asks anybody
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return false;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(entry->ai_addr);
      if (!is_public(ip::address_v4(ntohl(v4->sin_addr.s_addr)))) return true;
    } else if (entry->ai_family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(entry->ai_addr);
      ip::address_v6::bytes_type bytes;
      std::ranges::copy(v6->sin6_addr.s6_addr, bytes.begin());
      if (!is_public(ip::address_v6(bytes))) return true;
    }
  }
  return false;
}

}  // namespace paddock

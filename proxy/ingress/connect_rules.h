// ConnectRules: which hosts a CONNECT may reach, and who answers it. Pure; immutable, so thread-safe.
//
// What is not listed is refused. An entry is "host", "*.host", or "*", each with ":port" or for 443 alone. A host that
// is listed by its name may be anywhere, as whoever wrote it knows; what a star matches must be on public addresses.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/url.h"

namespace paddock {

class ConnectRules {
 public:
  enum class Verdict : std::uint8_t { refused, ended_here, tunnelled, tunnelled_if_public };

  ConnectRules() = default;
  // `hosts`: answered by the cache, names of upstreams; `tunnels`: let through.
  ConnectRules(std::vector<std::string> hosts, std::vector<std::string> tunnels)
      : hosts_(std::move(hosts)), tunnels_(std::move(tunnels)) {}

  [[nodiscard]] Verdict judge(const Url& target) const;
  // Whether "host", or "host:port", is answered by the cache.
  [[nodiscard]] bool ends(std::string_view authority) const;

 private:
  std::vector<std::string> hosts_, tunnels_;
};

}  // namespace paddock

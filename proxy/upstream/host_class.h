// What a host's name alone says about where it leads: to this machine, to a private network, or perhaps anywhere.
// Pure, no look-up: a public name may still resolve to a private address, which HttpClient refuses when told to.
// RFC 6890 (special-purpose addresses), RFC 6761 and 6762 (localhost, local).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace paddock {

// "localhost" and names below it, 127.0.0.0/8, ::1.
bool is_loopback_host(std::string_view host);
// Loopback, addresses that are not of the public internet, names without a dot, and .local, .internal, .lan,
// .home.arpa.
bool is_private_host(std::string_view host);

// Rules as people write them: "host", ".suffix" or "*.suffix" (names below it), "*". Case does not matter.
bool host_in(const std::vector<std::string>& rules, std::string_view host);

}  // namespace paddock

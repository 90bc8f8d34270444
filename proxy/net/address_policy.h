// Which addresses an upstream that is out on the Internet may send us to. Pure.
// IANA special-purpose registries: https://www.iana.org/assignments/iana-ipv4-special-registry and its v6 sibling.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>

namespace paddock {

// False for everything that is not an ordinary unicast address of the Internet: loopback, private, shared, link-local,
// multicast, reserved, documentation, and IPv6 forms that carry such an IPv4 address.
bool is_public_address(const boost::asio::ip::address& address);

// A host that says by itself that it is not public: a non-public address in any notation that the resolver takes
// ("127.1", "0x7f000001"), or localhost. For where the look-up is somebody else's.
bool names_private_address(const std::string& host);

}  // namespace paddock

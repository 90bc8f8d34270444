// Is this text an address, a host, a URL, a network? Syntax only, nothing is looked up. Pure; thread-safe.
// Each check returns what is wrong with the text ("is not ..."), or nothing when it is fine.
#pragma once

#include <string>
#include <string_view>

namespace paddock::config {

using Check = std::string (*)(std::string_view text);

std::string check_address(std::string_view text);   // "127.0.0.1:5000", "[::]:5000", "unix:/run/paddock.sock"
std::string check_endpoint(std::string_view text);  // "https://host[:port]"
std::string check_host(std::string_view text);      // "host" or "host:port", lower case
std::string check_realm(std::string_view text);     // a host without a port
std::string check_redirect(std::string_view text);  // a host or "*.host", without a port
// "host", "*.host" or "*", each with ":port" or without.
std::string check_tunnel(std::string_view text);
std::string check_ip(std::string_view text);
std::string check_glob(std::string_view text);      // over repositories
std::string check_platform(std::string_view text);  // "linux/amd64", "linux/arm64/v8"
std::string check_log_level(std::string_view text);
std::string check_log_format(std::string_view text);
std::string check_on_abandon(std::string_view text);
std::string check_tls_kernel(std::string_view text);

// Of a checked address: can only this machine reach it?
bool is_loopback(std::string_view address);

}  // namespace paddock::config

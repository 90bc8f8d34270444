#include "benchmarks/load/target.h"

#include <cstring>
#include <memory>
#include <netdb.h>
#include <stdexcept>

namespace paddock::load {
namespace {

sockaddr_in resolve(const Target& target) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(target.host.c_str(), target.port.c_str(), &hints, &found); error != 0)
    throw std::runtime_error(target.authority() + ": " + ::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  sockaddr_in address{};
  std::memcpy(&address, found->ai_addr, sizeof address);
  return address;
}

}  // namespace

Target parse_target(std::string_view url) {
  const auto refuse = [&](const std::string& why) { return std::runtime_error(std::string(url) + ": " + why); };
  Target target;
  target.tls = url.starts_with("https://");
  if (!target.tls && !url.starts_with("http://")) throw refuse("must begin with http:// or https://");
  std::string_view rest = url.substr(target.tls ? 8 : 7);
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos || !rest.substr(slash).starts_with("/v2/"))
    throw refuse("must go on with /v2/REPOSITORY after the host");
  target.path = rest.substr(slash);
  rest = rest.substr(0, slash);
  const std::size_t colon = rest.find(':');
  target.host = rest.substr(0, colon);
  target.port = colon == std::string_view::npos ? (target.tls ? "443" : "80") : rest.substr(colon + 1);
  target.address = resolve(target);
  return target;
}

}  // namespace paddock::load

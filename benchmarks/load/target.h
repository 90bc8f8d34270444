// Target: where a repository is, from its URL "http[s]://HOST[:PORT]/v2/REPOSITORY". Pure.
#pragma once

#include <netinet/in.h>
#include <string>
#include <string_view>

namespace paddock::load {

struct Target {
  bool tls = false;
  std::string host;  // as written, without the port
  std::string port;
  std::string path;  // "/v2/REPOSITORY"
  sockaddr_in address{};

  [[nodiscard]] std::string authority() const { return host + ":" + port; }
};

// Throws std::runtime_error, saying what is wrong with it, or that the host is not known.
Target parse_target(std::string_view url);

}  // namespace paddock::load

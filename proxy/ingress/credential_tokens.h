// CredentialTokens: a client's name and password for a registry as a token that nobody but this process can open, so
// that the client keeps them and the cache does not. AES-256-GCM under a key that ends with the process.
// Thread-safe.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/ingress/basic_credentials.h"
#include "storage/clock.h"

namespace paddock {

class CredentialTokens {
 public:
  CredentialTokens();

  // For that host alone, until then. Characters of base64url.
  [[nodiscard]] std::string seal(const BasicCredentials& credentials, std::string_view host, WallTime ends) const;
  // Nothing for another's, a forged, an old one, or one of another host.
  [[nodiscard]] std::optional<BasicCredentials> open(std::string_view token, std::string_view host, WallTime now) const;

 private:
  std::array<unsigned char, 32> key_{};
};

}  // namespace paddock

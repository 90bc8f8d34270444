// RegistryLogin: what the cache says about credentials to clients that believe to speak with a registry itself: through
// HTTPS_PROXY, or as its name leads to the cache and a certificate of the cache's bears it.
//
// Such clients are asked for a token, as registries do (the distribution specification's token authentication), and get
// one from the cache without asking the registry: anybody who wants none in particular, and for those who have a name
// and a password for the registry one with these inside (CredentialTokens). Nothing is checked here: what a client may
// have is asked of the registry when it asks for it, by PrivateAccess.
// Thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/ingress/basic_credentials.h"
#include "proxy/ingress/credential_tokens.h"
#include "proxy/net/http.h"
#include "storage/clock.h"

namespace paddock {

class RegistryLogin {
 public:
  // `is_registry`: whether a TLS name (SNI) is that of a registry for which clients are asked. From any thread.
  explicit RegistryLogin(const Clock& clock, std::function<bool(std::string_view)> is_registry = {})
      : clock_(clock), is_registry_(std::move(is_registry)) {}

  // The registry that the client believes to speak with; empty: it knows that it is the cache.
  [[nodiscard]] std::string_view registry_of(const Request& request) const;
  // The token endpoint; 401 for who greets it at /v2/ without a token, or with one that is no good any more. Nothing
  // for all other requests, and for clients that know the cache.
  [[nodiscard]] std::optional<Response> answer(const Request& request) const;
  // What the client has brought for the registry.
  [[nodiscard]] std::optional<BasicCredentials> credentials_of(const Request& request) const;
  // For a client that came without, to something that it may have with credentials.
  [[nodiscard]] Response challenge(const Request& request, const std::string& message) const;

 private:
  [[nodiscard]] Response give_token(const Request& request) const;
  const Clock& clock_;
  const std::function<bool(std::string_view)> is_registry_;
  const CredentialTokens tokens_;
};

}  // namespace paddock

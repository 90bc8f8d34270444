// CertificateAuthority: signs certificates for the hosts whose TLS ends at the cache (RFC 5280).
//
// Its certificate goes to the clients, its key stays with the cache. What it signs lives for days, and in memory only.
// Immutable and thread-safe. P-256 throughout: a certificate takes well under a millisecond.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "proxy/net/tls.h"
#include "storage/clock.h"
#include "storage/error.h"

namespace paddock {

class CertificateAuthority {
 public:
  struct Plan {
    std::string name;                 // who it is, for people
    std::vector<std::string> only{};  // host names that it may sign for, each with all below it; empty: any
    std::chrono::days life{3650};
  };
  struct Leaf {
    CertificateAndKey pair;
    WallTime renew;  // from then on another one is better
  };

  // A new one.
  static Result<CertificateAndKey> create(const Plan& plan, WallTime now);
  // invalid_argument: not PEM, no CA, the key is another's, too old or not valid yet; says what to do.
  static Result<CertificateAuthority> from_pem(const CertificateAndKey& pair, WallTime now);

  // For a lower-case host name or an IP address. invalid_argument: neither, the authority's own time is over, or
  // clients would not take it, as where the authority may not speak for that name.
  [[nodiscard]] Result<Leaf> sign(const std::string& host, WallTime now) const;
  [[nodiscard]] WallTime ends() const;
  [[nodiscard]] const std::string& fingerprint() const;  // SHA-256 of its certificate, "AB:CD:…", as openssl prints it

 private:
  struct State;
  explicit CertificateAuthority(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace paddock

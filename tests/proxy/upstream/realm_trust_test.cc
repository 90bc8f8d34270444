#include "proxy/upstream/realm_trust.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

using Kind = RealmDecision::Kind;

RealmDecision decide(std::string_view endpoint, std::string_view realm, const std::vector<std::string>& trusted = {},
                     bool credentials = true) {
  return decide_realm(Url::parse(endpoint).value(), Url::parse(realm).value(), trusted, credentials);
}

TEST_CASE("credentials go to the endpoint's own host and to trusted https realms only") {
  struct Case {
    const char* endpoint;
    const char* realm;
    std::vector<std::string> trusted;
    Kind expected;
  };
  const Case cases[] = {
      {"https://reg.example", "https://reg.example/token", {}, Kind::with_credentials},
      {"https://reg.example", "https://reg.example:8443/token", {}, Kind::with_credentials},
      {"https://reg.example", "https://auth.example/token", {}, Kind::anonymous},
      {"https://reg.example", "https://auth.example/token", {"auth.example"}, Kind::with_credentials},
      {"https://reg.example", "https://auth.example/token", {"AUTH.example"}, Kind::with_credentials},
      {"https://reg.example", "https://evil.auth.example/token", {"auth.example"}, Kind::anonymous},
      {"https://reg.example", "https://auth.example/token", {"*"}, Kind::anonymous},
      {"https://reg.example", "https://auth.example/token", {".example"}, Kind::anonymous},
      {"https://reg.example", "https://auth.example/token", {"*.example"}, Kind::anonymous},
      // Never in the clear, but between the hosts of a plain endpoint.
      {"https://reg.example", "http://reg.example/token", {}, Kind::refused},
      {"https://reg.example", "http://auth.example/token", {"auth.example"}, Kind::refused},
      {"http://reg.example", "http://reg.example/token", {}, Kind::with_credentials},
      {"http://reg.example", "http://auth.example/token", {}, Kind::anonymous},
      {"http://reg.example", "http://auth.example/token", {"auth.example"}, Kind::anonymous},
      {"http://reg.example", "https://auth.example/token", {"auth.example"}, Kind::with_credentials},
  };
  for (const auto& c : cases) {
    CAPTURE(c.endpoint, c.realm, c.trusted);
    const auto decision = decide(c.endpoint, c.realm, c.trusted);
    CHECK(decision.kind == c.expected);
    CHECK((decision.kind == Kind::with_credentials) == decision.reason.empty());
    // Without credentials there is nothing to give away, nor to complain about.
    const auto anonymous = decide(c.endpoint, c.realm, c.trusted, false);
    CHECK(anonymous.kind == (c.expected == Kind::refused ? Kind::refused : Kind::anonymous));
  }
  CHECK(decide("https://reg.example", "https://auth.example/token", {}, false).reason.empty());
}

TEST_CASE("a public upstream cannot name a realm on a private network") {
  for (const auto* realm : {"https://127.0.0.1/token", "https://localhost/token", "https://10.0.0.1/t",
                            "https://169.254.169.254/latest/meta-data", "https://[::1]/token", "https://intranet/t"}) {
    CAPTURE(realm);
    CHECK(decide("https://reg.example", realm).kind == Kind::refused);
    CHECK(decide("https://10.0.0.5", realm).kind != Kind::refused);
  }
  CHECK(decide("https://reg.example", "https://10.0.0.1/t", {"10.0.0.1"}).kind == Kind::with_credentials);
}

TEST_CASE("addresses are held to be public where a public upstream names another host") {
  CHECK(decide("https://reg.example", "https://auth.example/t").public_addresses_only);
  CHECK_FALSE(decide("https://reg.example", "https://reg.example/t").public_addresses_only);
  CHECK_FALSE(decide("https://reg.example", "https://auth.example/t", {"auth.example"}).public_addresses_only);
  CHECK_FALSE(decide("https://10.0.0.5", "https://auth.example/t").public_addresses_only);
}

}  // namespace
}  // namespace paddock

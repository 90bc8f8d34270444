#include "proxy/ingress/certificate_authority.h"

#include <catch2/catch.hpp>

#include "tests/support/tls_certificates.h"

namespace paddock {
namespace {

using std::chrono::days;
using std::chrono::hours;

const WallTime now = SystemClock().wall();

CertificateAuthority authority_of(const CertificateAndKey& pair, WallTime at = now) {
  return CertificateAuthority::from_pem(pair, at).value();
}

TEST_CASE("what a new CA signs can be served, and is renewed before its time is over") {
  const auto pair = CertificateAuthority::create({.name = "test"}, now).value();
  const auto authority = authority_of(pair);
  CHECK(authority.ends() == now + days(3650));
  CHECK(authority.fingerprint().size() == 32 * 3 - 1);
  for (const std::string host : {"registry.baidubce.com", "127.0.0.1", "::1",
                                 "a.very.long.name.of.a.registry.that.is."
                                 "longer.than.a.common.name.may.be.example"}) {
    CAPTURE(host);
    const auto leaf = authority.sign(host, now);
    REQUIRE(leaf);
    CHECK(leaf->renew > now + days(1));
    CHECK(leaf->renew < now + days(14));
    CHECK(make_tls_server_for(host, leaf->pair));
  }
}

TEST_CASE("two certificates for one host are not the same, nor are their keys") {
  const auto authority = authority_of(CertificateAuthority::create({.name = "test"}, now).value());
  const auto one = authority.sign("a.example", now).value();
  const auto two = authority.sign("a.example", now).value();
  CHECK(one.pair.key != two.pair.key);
  CHECK(one.pair.certificate != two.pair.certificate);
}

TEST_CASE("a name that would say more than a name is not signed") {
  const auto authority = authority_of(CertificateAuthority::create({.name = "test"}, now).value());
  for (const std::string host :
       {"", "a.example,DNS:b.example", "A.example", "a example", "*.example", "a\n.example", "a.example;email:x"}) {
    CAPTURE(host);
    CHECK(authority.sign(host, now).error().code == ErrorCode::invalid_argument);
  }
  CHECK_FALSE(CertificateAuthority::create({.name = "test", .only = {"a.example,permitted;DNS:b"}}, now));
  CHECK_FALSE(CertificateAuthority::create({.name = "test", .only = {"127.0.0.1"}}, now));
}

TEST_CASE("a CA that may speak for some hosts alone signs for no other, whatever kind of name it has") {
  const auto pair = CertificateAuthority::create({.name = "test", .only = {"baidubce.com"}}, now).value();
  const auto authority = authority_of(pair);
  CHECK(authority.sign("baidubce.com", now));
  CHECK(authority.sign("registry.baidubce.com", now));
  for (const std::string host : {"docker.io", "evilbaidubce.com", "127.0.0.1", "::1"}) {
    CAPTURE(host);
    const auto refused = authority.sign(host, now);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().context.contains("subtree violation"));
  }
}

TEST_CASE("nothing is signed beyond the CA's own time, and an old CA is refused with what to do") {
  const auto pair = CertificateAuthority::create({.name = "test", .life = days(3)}, now).value();
  const auto authority = authority_of(pair);
  CHECK(authority.sign("a.example", now)->renew <= now + days(3));
  CHECK_FALSE(authority.sign("a.example", now + days(3)));
  const auto old = CertificateAuthority::from_pem(pair, now + days(3));
  REQUIRE_FALSE(old);
  CHECK(old.error().context.contains("paddock ca init"));
  const auto young = CertificateAuthority::from_pem(pair, now - days(3));
  REQUIRE_FALSE(young);
  CHECK(young.error().context.contains("clock"));
}

TEST_CASE("what is no CA with its key is refused") {
  const auto pair = CertificateAuthority::create({.name = "test"}, now).value();
  const auto other = CertificateAuthority::create({.name = "test"}, now).value();
  const auto leaf = authority_of(pair).sign("a.example", now)->pair;
  struct Case {
    CertificateAndKey pair;
    std::string says;
  };
  const auto c = GENERATE_COPY(values<Case>({{{"", ""}, "certificate is not PEM"},
                                             {{"nonsense", pair.key}, "certificate is not PEM"},
                                             {{pair.certificate, ""}, "key is not PEM"},
                                             {{pair.certificate, pair.certificate}, "key is not PEM"},
                                             {{pair.certificate, other.key}, "does not belong"},
                                             {leaf, "is not a CA's"}}));
  const auto made = CertificateAuthority::from_pem(c.pair, now);
  REQUIRE_FALSE(made);
  CHECK(made.error().code == ErrorCode::invalid_argument);
  CHECK(made.error().context.contains(c.says));
}

}  // namespace
}  // namespace paddock

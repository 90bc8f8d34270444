#include "proxy/ingress/connect_proxy.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch.hpp>

#include "tests/support/manual_clock.h"

namespace paddock {
namespace {

class Fixture {
 public:
  Fixture() {
    proxy.take({.rules = ConnectRules({"registry.baidubce.com", "docker.io"}, {"auth.docker.io", "*.bcebos.com"}),
                .authority = authority()});
  }
  ~Fixture() { pool.join(); }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  std::shared_ptr<const CertificateAuthority> authority() {
    const auto pair = CertificateAuthority::create({.name = "test"}, clock.wall()).value();
    return std::make_shared<const CertificateAuthority>(CertificateAuthority::from_pem(pair, clock.wall()).value());
  }
  ConnectAnswer answer(const std::string& target, const std::string& listener = "CONNECT",
                       const std::string& connect_host = "") {
    Request request;
    request.method = Method::connect;
    request.path = target;
    request.listener = listener;
    request.connect_host = connect_host;
    const auto url = Url::parse_authority(target).value();
    asio::io_context loop;
    auto future = asio::co_spawn(loop, proxy.answer(request, url), asio::use_future);
    loop.run();
    return future.get();
  }
  std::shared_ptr<const TlsServerContext> certificate(const std::string& target) {
    return std::get<EndHere>(answer(target)).tls;
  }
  int status(const ConnectAnswer& answer) { return std::get<Response>(answer).status; }

  ManualClock clock;
  BlockingPool pool{1};
  ConnectProxy proxy{pool, clock};
};

TEST_CASE("a certificate is made once for each host, and again before its time is over") {
  Fixture fixture;
  const auto first = fixture.certificate("registry.baidubce.com:443");
  CHECK(fixture.certificate("registry.baidubce.com:443") == first);
  CHECK(fixture.certificate("registry-1.docker.io:443") != first);
  fixture.clock.advance(std::chrono::days(8));
  CHECK(fixture.certificate("registry.baidubce.com:443") == first);
  fixture.clock.advance(std::chrono::days(2));
  CHECK(fixture.certificate("registry.baidubce.com:443") != first);
}

TEST_CASE("another CA makes other certificates") {
  Fixture fixture;
  const auto first = fixture.certificate("registry.baidubce.com:443");
  fixture.proxy.take({.rules = ConnectRules({"registry.baidubce.com"}, {}), .authority = fixture.authority()});
  CHECK(fixture.certificate("registry.baidubce.com:443") != first);
  CHECK(fixture.status(fixture.answer("auth.docker.io:443")) == 403);
}

TEST_CASE("other hosts are tunnels or refused") {
  Fixture fixture;
  CHECK_FALSE(std::get<OpenTunnel>(fixture.answer("auth.docker.io:443")).public_addresses_only);
  CHECK(std::get<OpenTunnel>(fixture.answer("bj.bcebos.com:443")).public_addresses_only);
  CHECK(fixture.status(fixture.answer("evil.example:443")) == 403);
}

TEST_CASE("CONNECT is for the proxy's address alone, and not for within another") {
  Fixture fixture;
  CHECK(fixture.status(fixture.answer("registry.baidubce.com:443", "")) == 405);
  CHECK(fixture.status(fixture.answer("registry.baidubce.com:443", "docker.io")) == 405);
  CHECK(fixture.status(fixture.answer("auth.docker.io:443", "CONNECT", "registry.baidubce.com")) == 405);
}

TEST_CASE("a CA whose time has ended says so to the client that needs it") {
  Fixture fixture;
  fixture.clock.advance(std::chrono::days(4000));
  CHECK(fixture.status(fixture.answer("registry.baidubce.com:443")) == 503);
}

TEST_CASE("what comes through a CONNECT is for its host") {
  Fixture fixture;
  struct Case {
    std::string listener, connect_host, host;
    int status;  // 0: let through
  };
  const auto c = GENERATE(values<Case>({{"CONNECT", "registry.baidubce.com", "registry.baidubce.com", 0},
                                        {"CONNECT", "registry.baidubce.com", "registry.baidubce.com:443", 0},
                                        {"CONNECT", "registry.baidubce.com", "REGISTRY.baidubce.com", 0},
                                        {"CONNECT", "registry.baidubce.com", "docker.io", 421},
                                        {"CONNECT", "registry.baidubce.com", "", 421},
                                        {"CONNECT", "registry.baidubce.com", "a b", 421},
                                        {"CONNECT", "", "registry.baidubce.com", 0},
                                        {"CONNECT", "", "evil.example", 403},
                                        {"CONNECT", "", "127.0.0.1:3128", 403},
                                        {"", "", "evil.example", 0}}));
  CAPTURE(c.connect_host, c.host);
  Request request;
  request.listener = c.listener;
  request.connect_host = c.connect_host;
  request.headers.add("Host", c.host);
  const auto refusal = fixture.proxy.refusal(request);
  CHECK((refusal ? refusal->status : 0) == c.status);
}

}  // namespace
}  // namespace paddock

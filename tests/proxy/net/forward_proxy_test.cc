// The client through a forward proxy.
#include <catch2/catch.hpp>
#include <thread>

#include "proxy/net/tls.h"
#include "tests/proxy/net/server_fixture.h"
#include "tests/support/tls_certificates.h"

namespace paddock {
namespace {

// Takes one connection, notes its first request's header, and after saying `answer` is a pipe to `target`.
class TinyProxy {
 public:
  TinyProxy(std::string answer, std::string target)
      : thread_([this, answer = std::move(answer), target = std::move(target)] { serve(answer, target); }) {}
  ~TinyProxy() { thread_.join(); }
  TinyProxy(const TinyProxy&) = delete;
  TinyProxy& operator=(const TinyProxy&) = delete;

  [[nodiscard]] Url url(const std::string& userinfo = "") const {
    return Url::parse("http://" + userinfo + "127.0.0.1:" + std::to_string(listener_.port())).value();
  }
  std::string finish() {  // once the client has closed: what it asked the proxy
    return await(seen_.get_future());
  }

 private:
  void serve(const std::string& answer, const std::string& target) {
    auto client = listener_.accept();
    const auto request = client.read_until("\r\n\r\n");
    client.send(answer);
    if (!target.empty()) pipe(client, target);
    seen_.set_value(request);
  }
  static void pipe(RawSocket& client, const std::string& target) {
    auto server = RawSocket::connect(target);
    std::thread back([&] {
      for (auto bytes = server.read_some(); !bytes.empty(); bytes = server.read_some()) client.send(bytes);
      client.finish_sending();
    });
    for (auto bytes = client.read_some(); !bytes.empty(); bytes = client.read_some()) server.send(bytes);
    server.finish_sending();
    back.join();
  }

  RawListener listener_;
  std::promise<std::string> seen_;
  std::thread thread_;
};

constexpr auto established = "HTTP/1.1 200 Connection established\r\n\r\n";

TEST_CASE("https goes through CONNECT, with the certificate of the far side checked") {
  TestCa ca;
  const auto files = ca.issue_local();
  ServerFixture fixture(echo);
  fixture.serve(make_tls_server(files.certificate, files.key).value());
  TinyProxy proxy(established, fixture.address());
  ClientRequest request{.url = fixture.url("/a", true), .headers = {{"Authorization", "secret"}}};
  request.proxy = proxy.url("user:pass@");
  request.tls = make_tls_client(ca.file()).value();
  const auto answer = fixture.ask(request);
  REQUIRE(answer.has_value());
  CHECK(answer->body == "GET /a ");
  fixture.client.close_idle();
  const auto asked = proxy.finish();
  CHECK(asked.starts_with("CONNECT " + fixture.address() + " HTTP/1.1\r\n"));
  CHECK(asked.contains("\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n"));
  CHECK_FALSE(asked.contains("secret"));
}

TEST_CASE("a certificate that the proxy made up is refused") {
  TestCa ca;
  TestCa stranger;
  const auto files = stranger.issue_local();
  ServerFixture fixture(echo);
  fixture.serve(make_tls_server(files.certificate, files.key).value());
  TinyProxy proxy(established, fixture.address());
  ClientRequest request{.url = fixture.url("/a", true)};
  request.proxy = proxy.url();
  request.tls = make_tls_client(ca.file()).value();
  CHECK(fixture.ask(request).error().code == ErrorCode::unavailable);
  proxy.finish();
}

TEST_CASE("plain http is asked of the proxy in absolute form") {
  ServerFixture fixture(echo);
  fixture.serve();
  TinyProxy proxy("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "");
  ClientRequest request{.url = Url::parse("http://registry.example/v2/").value()};
  request.proxy = proxy.url();
  CHECK(fixture.ask(request).value().body == "hi");
  CHECK(proxy.finish().starts_with("GET http://registry.example/v2/ HTTP/1.1\r\nHost: registry.example\r\n"));
}

TEST_CASE("a proxy that will not is an error") {
  struct Case {
    std::string answer;
    ErrorCode code;
  };
  const auto c = GENERATE(values<Case>({
      {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", ErrorCode::denied},
      {"HTTP/1.1 502 Bad Gateway\r\n\r\n", ErrorCode::unavailable},
      {"nonsense\r\n\r\n", ErrorCode::protocol},
      {std::string(established) + "unasked", ErrorCode::protocol},
      {std::string(20'000, 'x'), ErrorCode::protocol},
      {"HTTP/1.1 200", ErrorCode::unavailable},
  }));
  CAPTURE(c.answer.substr(0, 60));
  ServerFixture fixture(echo);
  TinyProxy proxy(c.answer, "");
  ClientRequest request{.url = Url::parse("https://registry.example/").value()};
  request.proxy = proxy.url();
  request.tls = make_tls_client(std::nullopt).value();
  const auto answer = fixture.ask(request);
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == c.code);
  proxy.finish();
}

TEST_CASE("a proxy spoken to in TLS is not offered") {
  ServerFixture fixture(echo);
  ClientRequest request{.url = Url::parse("http://registry.example/").value()};
  request.proxy = Url::parse("https://proxy.example").value();
  CHECK(fixture.ask(request).error().code == ErrorCode::unsupported);
}

}  // namespace
}  // namespace paddock

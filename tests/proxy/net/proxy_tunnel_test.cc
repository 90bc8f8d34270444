#include "proxy/net/proxy_tunnel.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

TEST_CASE("a CONNECT names host and port and carries the proxy's credentials") {
  const auto url = Url::parse("https://registry.example/v2/").value();
  CHECK(connect_request(url, Url::parse("http://proxy:3128").value()) ==
        "CONNECT registry.example:443 HTTP/1.1\r\nHost: registry.example:443\r\n\r\n");
  CHECK(connect_request(url, Url::parse("http://user:pass@proxy:3128").value()) ==
        "CONNECT registry.example:443 HTTP/1.1\r\nHost: registry.example:443\r\n"
        "Proxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n");
  CHECK(connect_request(Url::parse("https://[::1]:5000/").value(), url).starts_with("CONNECT [::1]:5000 HTTP/1.1\r\n"));
}

TEST_CASE("without userinfo there is no authorization") {
  CHECK(proxy_authorization(Url::parse("http://proxy").value()).empty());
  CHECK(proxy_authorization(Url::parse("http://u@proxy").value()) == "Basic dTo=");
}

TEST_CASE("a proxy's answer to CONNECT is judged by its status") {
  CHECK(judge_connect_answer("HTTP/1.1 200 Connection established\r\n\r\n").has_value());
  CHECK(judge_connect_answer("HTTP/1.0 200 OK\r\nVia: x\r\n\r\n").has_value());
  struct Case {
    std::string answer;
    ErrorCode code;
  };
  const auto c = GENERATE(values<Case>({
      {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", ErrorCode::denied},
      {"HTTP/1.1 403 Forbidden\r\n\r\n", ErrorCode::denied},
      {"HTTP/1.1 502 Bad Gateway\r\n\r\n", ErrorCode::unavailable},
      {"HTTP/1.1 301 Moved\r\n\r\n", ErrorCode::unavailable},
      {"HTTP/1.1 2x0 OK\r\n\r\n", ErrorCode::protocol},
      {"SSH-2.0-OpenSSH_9.2\r\n\r\n", ErrorCode::protocol},
      {"\r\n\r\n", ErrorCode::protocol},
      {"", ErrorCode::protocol},
  }));
  CAPTURE(c.answer);
  const auto verdict = judge_connect_answer(c.answer);
  REQUIRE_FALSE(verdict.has_value());
  CHECK(verdict.error().code == c.code);
  CHECK(verdict.error().blame == Blame::upstream);
}

}  // namespace
}  // namespace paddock

#include "proxy/upstream/proxy_environment.h"

#include <catch2/catch.hpp>
#include <map>

namespace paddock {
namespace {

using Variables = std::map<std::string, std::string>;

Result<ProxyEnvironment> read(const Variables& variables) {
  return ProxyEnvironment::read([&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

// Where a request goes: the proxy's origin, or "direct".
std::string route(const Variables& variables, std::string_view url) {
  const auto proxy = read(variables).value().proxy_for(Url::parse(url).value());
  return proxy ? proxy->origin() : "direct";
}

TEST_CASE("the proxy follows the scheme of the upstream") {
  const Variables both{{"https_proxy", "http://s:1"}, {"http_proxy", "http://p:2"}};
  CHECK(route(both, "https://r.example/v2/") == "http://s:1");
  CHECK(route(both, "http://r.example/v2/") == "http://p:2");
  CHECK(route({}, "https://r.example/") == "direct");
  CHECK(route({{"http_proxy", "http://p:2"}}, "https://r.example/") == "direct");
}

TEST_CASE("upper case counts for HTTPS_PROXY and NO_PROXY, lower case comes first, HTTP_PROXY is not believed") {
  CHECK(route({{"HTTPS_PROXY", "http://s:1"}}, "https://r.example/") == "http://s:1");
  CHECK(route({{"HTTPS_PROXY", "http://s:1"}, {"https_proxy", "http://l:1"}}, "https://r.example/") == "http://l:1");
  CHECK(route({{"HTTP_PROXY", "http://cgi:1"}}, "http://r.example/") == "direct");
  CHECK(route({{"HTTPS_PROXY", "http://s:1"}, {"NO_PROXY", "r.example"}}, "https://r.example/") == "direct");
  CHECK(route({{"HTTPS_PROXY", "http://s:1"}, {"NO_PROXY", "r.example"}, {"no_proxy", ""}}, "https://r.example/") ==
        "http://s:1");
  CHECK(route({{"HTTPS_PROXY", ""}}, "https://r.example/") == "direct");
}

TEST_CASE("a proxy that is spoken to over TLS is refused, and the message says what to write") {
  for (const auto* name : {"https_proxy", "HTTPS_PROXY", "http_proxy"}) {
    const auto refused = read({{name, "https://me:secret@proxy.lan:3128"}});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::invalid_argument);
    CHECK(refused.error().context.starts_with(name));
    CHECK(refused.error().context.find("http://") != std::string::npos);
    CHECK(refused.error().context.find("secret") == std::string::npos);
  }
}

TEST_CASE("a proxy may be written without a scheme and with credentials") {
  CHECK(route({{"https_proxy", "proxy.lan:3128"}}, "https://r.example/") == "http://proxy.lan:3128");
  const auto proxies = read({{"https_proxy", "http://me:p%40ss@proxy.lan:3128"}});
  const auto proxy = proxies->proxy_for(Url::parse("https://r.example/").value());
  REQUIRE(proxy);
  CHECK(proxy->user == "me");
  CHECK(proxy->password == "p@ss");
}

TEST_CASE("a proxy that cannot be used stops the start and keeps its password to itself") {
  for (const auto* value : {"socks5://me:secret@p:1", "http://", "http://me:secret@p:99999"}) {
    CAPTURE(value);
    const auto proxies = read({{"HTTPS_PROXY", value}});
    REQUIRE_FALSE(proxies);
    CHECK(proxies.error().code == ErrorCode::invalid_argument);
    CHECK(proxies.error().context.find("HTTPS_PROXY") != std::string::npos);
    CHECK(proxies.error().context.find("secret") == std::string::npos);
  }
}

TEST_CASE("loopback never goes through the proxy") {
  const Variables both{{"https_proxy", "http://s:1"}, {"http_proxy", "http://p:2"}};
  for (const auto* url : {"http://localhost/", "http://127.0.0.1:5000/", "https://127.3.2.1/", "http://[::1]:5000/"}) {
    CAPTURE(url);
    CHECK(route(both, url) == "direct");
  }
}

TEST_CASE("NO_PROXY is a list with commas or spaces") {
  const Variables v{{"https_proxy", "http://s:1"}, {"no_proxy", " a.example, .b.example  c.example:8443,,10.0.0.0/8"}};
  CHECK(route(v, "https://a.example/") == "direct");
  CHECK(route(v, "https://x.b.example/") == "direct");
  CHECK(route(v, "https://c.example:8443/") == "direct");
  CHECK(route(v, "https://c.example/") == "http://s:1");
  CHECK(route(v, "https://10.2.3.4/") == "direct");
  CHECK(route(v, "https://d.example/") == "http://s:1");
}

TEST_CASE("the entries of NO_PROXY") {
  struct Case {
    const char* entry;
    const char* host;
    std::uint16_t port;
    bool expected;
  };
  const Case cases[] = {
      {"*", "anything", 1, true},
      {"example.com", "example.com", 443, true},
      {"example.com", "EXAMPLE.com", 443, true},
      {"Example.COM", "www.example.com", 443, true},
      {"example.com", "notexample.com", 443, false},
      {"example.com", "example.com.evil", 443, false},
      {".example.com", "www.example.com", 443, true},
      {".example.com", "example.com", 443, false},
      {"*.example.com", "www.example.com", 443, true},
      {"example.com:443", "example.com", 443, true},
      {"example.com:443", "example.com", 8443, false},
      {"example.com:x", "example.com", 443, false},
      {"10.0.0.1", "10.0.0.1", 80, true},
      {"10.0.0.1", "10.0.0.10", 80, false},
      {"10.0.0.1:80", "10.0.0.1", 80, true},
      {"10.0.0.1:81", "10.0.0.1", 80, false},
      {"10.0.0.0/8", "10.255.0.1", 80, true},
      {"10.0.0.0/8", "11.0.0.1", 80, false},
      {"10.0.0.0/33", "10.0.0.1", 80, false},
      {"10.0.0.0/8", "ten.example", 80, false},
      {"0.0.0.0/0", "8.8.8.8", 80, true},
      {"192.168.1.77/24", "192.168.1.5", 80, true},
      {"fd00::/8", "fd12::1", 80, true},
      {"fd00::/8", "fe00::1", 80, false},
      {"fd00::/8", "10.0.0.1", 80, false},
      {"::1", "::1", 80, true},
      {"[fd00::1]", "fd00::1", 80, true},
      {"[fd00::1]:443", "fd00::1", 443, true},
      {"[fd00::1]:443", "fd00::1", 80, false},
      {"0.1", "10.0.0.1", 80, false},
      {"", "example.com", 80, false},
      {":80", "example.com", 80, false},
      {"[", "example.com", 80, false},
  };
  for (const auto& c : cases) {
    CAPTURE(c.entry, c.host, c.port);
    CHECK(matches_no_proxy(c.entry, c.host, c.port) == c.expected);
  }
}

}  // namespace
}  // namespace paddock

#include "config/validate.h"

#include <catch2/catch.hpp>
#include <functional>
#include <string>

using paddock::config::Config;
using paddock::config::validate;

TEST_CASE("values set by a program are checked like those of a file") {
  Config config;
  CHECK(validate(config));
  config.upstreams[0].endpoints = {"not an url"};
  config.storage.max_size = {0, 0};
  const auto result = validate(config);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == paddock::ErrorCode::invalid_argument);
  CHECK(result.error().context.find("upstreams[0].endpoints[0]: 'not an url'") != std::string::npos);
  CHECK(result.error().context.find("storage.max_size: is 0") != std::string::npos);
}

TEST_CASE("an admin address beyond loopback needs a token") {
  Config config;
  config.admin.listen = GENERATE("0.0.0.0:5001", "[::]:5001", "10.0.0.1:5001");
  CHECK_FALSE(validate(config));
  config.admin.token_file = "token";
  CHECK(validate(config));
}

TEST_CASE("a user name that Basic authentication cannot carry is refused") {
  Config config;
  config.upstreams[0].username = "robot:puller";
  config.upstreams[0].password_file = "p";
  const auto result = validate(config);
  REQUIRE_FALSE(result);
  CHECK(result.error().context.find("upstreams[0].username: holds a ':'") != std::string::npos);
}

TEST_CASE("two endpoints of an upstream have different hosts or ports") {
  struct Case {
    std::string first, second;
    bool same;
  };
  const auto c = GENERATE(values<Case>({
      {"https://a.example", "https://a.example/", true},
      {"https://a.example", "https://A.example:443", true},
      {"https://a.example:443", "http://a.example:80", true},
      {"http://[::1]:5000", "https://[::1]:5000", true},
      {"https://a.example", "https://a.example:444", false},
      {"https://a.example", "https://b.example", false},
      {"http://[::1]", "http://[::2]", false},
  }));
  Config config;
  config.upstreams[0].endpoints = {"https://other.example", c.first, c.second};
  const auto result = validate(config);
  CHECK(result.has_value() == !c.same);
  if (!c.same) return;
  REQUIRE_FALSE(result);
  CHECK(result.error().context.find("upstreams[0].endpoints[2]: has the host and port of upstreams[0].endpoints[1]") !=
        std::string::npos);
}

TEST_CASE("different upstreams may have the same endpoint") {
  Config config;
  config.upstreams[1].endpoints = config.upstreams[0].endpoints;
  CHECK(validate(config));
}

TEST_CASE("mirrors are other upstreams of the same configuration") {
  Config config;
  config.upstreams[0].mirrors = {"docker.io"};
  CHECK(validate(config));
  config.upstreams[0].mirrors = {"registry.baidubce.com", "nowhere.example"};
  const auto result = validate(config);
  REQUIRE_FALSE(result);
  CHECK(result.error().context.find("upstreams[0].mirrors[0]: is the upstream itself") != std::string::npos);
  CHECK(result.error().context.find("upstreams[0].mirrors[1]: 'nowhere.example' is not") != std::string::npos);
}

TEST_CASE("a mirror is given once") {
  Config config;
  config.upstreams[0].mirrors = {"docker.io", "docker.io"};
  const auto result = validate(config);
  REQUIRE_FALSE(result);
  CHECK(result.error().context.find("upstreams[0].mirrors[1]: 'docker.io' is given twice") != std::string::npos);
}

TEST_CASE("limits of fills have limits") {
  struct Case {
    std::function<void(Config&)> change;
    std::string key;
  };
  const auto c = GENERATE(values<Case>({
      {[](Config& x) { x.server.auth_anonymous_pull = false; }, "server.auth.anonymous_pull"},
      {[](Config& x) { x.fills.at_once = 0; }, "fills.at_once"},
      {[](Config& x) { x.fills.at_once = 1025; }, "fills.at_once"},
      {[](Config& x) { x.fills.on_abandon = "stop"; }, "fills.on_abandon"},
      {[](Config& x) { x.fills.on_abandon = ""; }, "fills.on_abandon"},
      {[](Config& x) { x.server.tls_kernel = "on"; }, "server.tls.kernel"},
      {[](Config& x) { x.server.tls_kernel = ""; }, "server.tls.kernel"},
      {[](Config& x) { x.upstreams[0].max_connections = 1025; }, "upstreams[0].max_connections"},
      {[](Config& x) { x.upstreams[0].connections = 0; }, "upstreams[0].connections"},
  }));
  Config config;
  c.change(config);
  const auto result = validate(config);
  REQUIRE_FALSE(result);
  CHECK(result.error().context.find(c.key) != std::string::npos);
}

TEST_CASE("addresses with port 0 never collide") {
  Config config;
  config.server.listen = {"127.0.0.1:0", "127.0.0.1:0"};
  config.admin.listen = "127.0.0.1:0";
  CHECK(validate(config));
}

TEST_CASE("passwords that protect nothing, or that anybody can read on the way, are worth a line") {
  Config config;
  CHECK(paddock::config::doubts(config).empty());
  config.server.auth_htpasswd = "f";
  REQUIRE(paddock::config::doubts(config).size() == 1);
  CHECK(paddock::config::doubts(config)[0].contains("anonymous_pull: false"));
  config.server.auth_anonymous_pull = false;
  CHECK(paddock::config::doubts(config).empty());
  config.server.listen.emplace_back("0.0.0.0:5000");
  REQUIRE(paddock::config::doubts(config).size() == 1);
  CHECK(paddock::config::doubts(config)[0].contains("server.tls"));
  config.server.tls_certificate = config.server.tls_key = "f";
  CHECK(paddock::config::doubts(config).empty());
}

TEST_CASE("each address has one meaning") {
  Config config;
  config.upstreams[0].listen = {"127.0.0.1:5000"};
  CHECK(validate(config).error().context.contains(
      "upstreams[0].listen: '127.0.0.1:5000' is the same address as server.listen"));
  config.upstreams[0].listen = {"127.0.0.1:5002"};
  CHECK(validate(config));
  config.upstreams[1].listen = {"127.0.0.1:5002"};
  CHECK(validate(config).error().context.contains("is the same address as upstreams[0].listen"));
}

TEST_CASE("the proxy needs a CA, and answers upstreams alone") {
  Config config;
  config.connect_proxy.listen = "127.0.0.1:3128";
  CHECK(validate(config).error().context.contains("paddock ca init"));
  config.connect_proxy.ca_certificate = config.connect_proxy.ca_key = "f";
  CHECK(validate(config));
  config.connect_proxy.hosts = {"registry.baidubce.com", "docker.io", "registry-1.docker.io"};
  config.connect_proxy.tunnel = {"auth.docker.io", "*.bcebos.com", "*", "*:8443", "harbor.lan:443"};
  CHECK(validate(config));
  config.connect_proxy.hosts = {"quay.io"};
  CHECK(validate(config).error().context.contains("'quay.io' is not the name of an upstream here"));
  config.connect_proxy.hosts = {};
  const std::string wrong = GENERATE("**", "*x.y", "a/b", "*.*", "*:0", "*:x", "http://a", "A.b");
  config.connect_proxy.tunnel = {wrong};
  CAPTURE(wrong);
  CHECK_FALSE(validate(config));
}

TEST_CASE("hosts are resolved to addresses, not to names") {
  Config config;
  config.resolve = {{"registry.baidubce.com", {"198.51.100.7", "2001:db8::7"}}};
  CHECK(validate(config));
  config.resolve = {{"registry.baidubce.com", {"other.example"}}};
  CHECK(validate(config).error().context.contains("'other.example' is not an IP address"));
  config.resolve = {{"registry.baidubce.com", std::vector<std::string>(9, "198.51.100.7")}};
  CHECK(validate(config).error().context.contains("more than 8 addresses"));
  config.resolve = {{"registry.baidubce.com", {}}};
  CHECK(validate(config).error().context.contains("give an IP address"));
  config.resolve = {{"registry.baidubce.com:443", {"198.51.100.7"}}};
  CHECK(validate(config).error().context.contains("leave it out"));
  config.resolve = {{"Registry", {"198.51.100.7"}}};
  CHECK_FALSE(validate(config));
}

TEST_CASE("a proxy that lets much through, or hears passwords in the clear, is worth a line") {
  Config config;
  config.connect_proxy = {"0.0.0.0:3128", "ca.crt", "ca.key", {}, {"*"}};
  REQUIRE(paddock::config::doubts(config).size() == 1);
  CHECK(paddock::config::doubts(config)[0].starts_with("ingress.connect_proxy.tunnel"));
  config.connect_proxy.tunnel = {"harbor.lan"};
  CHECK(paddock::config::doubts(config).empty());
  config.connect_proxy.tunnel = {"*"};
  config.server.auth_htpasswd = "f";
  config.server.auth_anonymous_pull = false;
  REQUIRE(paddock::config::doubts(config).size() == 1);
  CHECK(paddock::config::doubts(config)[0].contains("in the clear"));
  config.connect_proxy.listen = "127.0.0.1:3128";
  CHECK(paddock::config::doubts(config).empty());
}

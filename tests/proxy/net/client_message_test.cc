#include "proxy/net/client_message.h"

#include <catch2/catch.hpp>

#include "proxy/net/header_rules.h"

namespace paddock {
namespace {

ClientRequest request_for(const std::string& url) { return {.url = Url::parse(url).value()}; }

TEST_CASE("a request is written in origin form with Host and User-Agent") {
  auto request = request_for("https://registry.example:8443/v2/a/tags/list?n=1");
  request.headers.add("Accept", "x/y");
  CHECK(render_request(request, "paddock/1") ==
        "GET /v2/a/tags/list?n=1 HTTP/1.1\r\nHost: registry.example:8443\r\nUser-Agent: paddock/1\r\n"
        "Accept: x/y\r\n\r\n");
}

TEST_CASE("through a proxy plain http is asked for in absolute form, https is not") {
  auto request = request_for("http://registry.example/v2/");
  request.proxy = Url::parse("http://user:pass@proxy:3128").value();
  const auto plain = render_request(request, "p").value();
  CHECK(plain.starts_with("GET http://registry.example/v2/ HTTP/1.1\r\nHost: registry.example\r\n"));
  CHECK(plain.contains("\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n"));
  request.url.tls = true;
  const auto tunnelled = render_request(request, "p").value();
  CHECK(tunnelled.starts_with("GET /v2/ HTTP/1.1\r\n"));
  CHECK_FALSE(tunnelled.contains("Proxy-Authorization"));
}

TEST_CASE("a request's own User-Agent wins") {
  auto request = request_for("http://a/");
  request.headers.add("user-agent", "mine");
  const auto text = render_request(request, "paddock").value();
  CHECK(text.contains("user-agent: mine\r\n"));
  CHECK_FALSE(text.contains("paddock"));
}

TEST_CASE("a request that would break out of its header is not sent") {
  auto request = request_for("http://a/");
  SECTION("by a header's value") { request.headers.add("X", "a\r\nEvil: 1"); }
  SECTION("by a header's name") { request.headers.add("X: 1\r\nEvil", "a"); }
  SECTION("by a NUL") { request.headers.add("X", std::string("a\0b", 3)); }
  SECTION("by the target") { request.url.target = "/a HTTP/1.1\r\nEvil: 1\r\n\r\n"; }
  SECTION("by a target that is no path") { request.url.target = "a"; }
  SECTION("by a method that has no name") { request.method = Method::other; }
  const auto text = render_request(request, "p");
  REQUIRE_FALSE(text.has_value());
  CHECK(text.error().code == ErrorCode::invalid_argument);
}

TEST_CASE("a body goes with what may have one, and with its length") {
  ClientRequest request;
  request.url = Url::parse("http://host/path").value();
  request.body = "{\"a\":1}";
  CHECK_FALSE(render_request(request, "p")->contains("{"));
  request.method = Method::post;
  const auto text = render_request(request, "p").value();
  CHECK(text.contains("Content-Length: 7\r\n"));
  CHECK(text.ends_with("\r\n\r\n{\"a\":1}"));
}

TEST_CASE("method names go both ways") {
  for (const auto method : {Method::get, Method::head, Method::post, Method::put, Method::patch, Method::del}) {
    CHECK(method_from(method_name(method)) == method);
  }
  CHECK(method_from("get") == Method::other);
  CHECK(method_from("BREW") == Method::other);
}

TEST_CASE("only requests that change nothing are repeated") {
  CHECK(repeatable(Method::get));
  CHECK(repeatable(Method::head));
  CHECK_FALSE(repeatable(Method::post));
  CHECK_FALSE(repeatable(Method::del));
}

TEST_CASE("header names are tokens and values have no control characters") {
  CHECK(is_token("X-Paddock_Cache.1"));
  for (const auto* name : {"", "a b", "a:", "a\r", "\xC3\xA9", "a("}) CHECK_FALSE(is_token(name));
  CHECK(is_field_value("a\tb \xC3\xA9"));
  CHECK(is_field_value(""));
  for (const auto* value : {"a\rb", "a\nb", "\x01", "\x7F"}) CHECK_FALSE(is_field_value(value));
}

}  // namespace
}  // namespace paddock

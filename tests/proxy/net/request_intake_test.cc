#include "proxy/net/request_intake.h"

#include <boost/asio/error.hpp>
#include <boost/beast/http/error.hpp>
#include <catch2/catch.hpp>

namespace paddock {
namespace {

namespace http = boost::beast::http;

RequestHead head_for(std::string_view target, std::initializer_list<Headers::Field> fields = {{"Host", "h"}}) {
  return {.method = "GET", .target = std::string(target), .headers = fields};
}

TEST_CASE("a request is taken as it came") {
  const auto taken =
      take_request(head_for("/v2/a%2Fb/?n=1&last=x?y", {{"Host", "h"}, {"Accept", "a"}, {"accept", "b"}}));
  REQUIRE(taken.has_value());
  CHECK(taken->method == Method::get);
  CHECK(taken->method_name == "GET");
  CHECK(taken->path == "/v2/a%2Fb/");
  CHECK(taken->query == "n=1&last=x?y");
  CHECK(taken->headers.all("Accept") == std::vector<std::string_view>{"a", "b"});
}

TEST_CASE("methods beyond the known ones come through by name") {
  auto head = head_for("/x");
  head.method = "BREW";
  const auto taken = take_request(std::move(head));
  REQUIRE(taken.has_value());
  CHECK(taken->method == Method::other);
  CHECK(taken->method_name == "BREW");
}

TEST_CASE("an absolute target's host wins over the header") {
  const auto taken = take_request(head_for("http://other:81/x?y", {{"Host", "h"}}));
  REQUIRE(taken.has_value());
  CHECK(taken->path == "/x");
  CHECK(taken->query == "y");
  CHECK(taken->headers.all("host") == std::vector<std::string_view>{"other:81"});
}

TEST_CASE("a request needs exactly one sound Host") {
  CHECK_FALSE(take_request(head_for("/", {})).has_value());
  CHECK_FALSE(take_request(head_for("/", {{"Host", "a"}, {"Host", "a"}})).has_value());
  CHECK_FALSE(take_request(head_for("/", {{"Host", "a/b"}})).has_value());
  CHECK_FALSE(take_request(head_for("/", {{"Host", "u@a"}})).has_value());
  CHECK_FALSE(take_request(head_for("/", {{"Host", "a b"}})).has_value());
  auto old = head_for("/", {});
  old.version = 10;
  CHECK(take_request(RequestHead(old)).has_value());
}

TEST_CASE("targets that are no path are refused") {
  const auto* const target = GENERATE("", "x", "x/y", "*", "h:443", "ftp://a/", "/a#b", "/\xC3\xA9");
  CAPTURE(target);
  const auto taken = take_request(head_for(target));
  REQUIRE_FALSE(taken.has_value());
  CHECK(taken.error().status == 400);
}

TEST_CASE("OPTIONS may ask about the whole server, CONNECT names a host and a port") {
  auto options = head_for("*");
  options.method = "OPTIONS";
  CHECK(take_request(RequestHead(options)).has_value());
  auto connect = head_for("h:443");
  connect.method = "CONNECT";
  REQUIRE(take_request(RequestHead(connect)).has_value());
  CHECK(take_request(RequestHead(connect))->path == "h:443");
  connect.target = "h";
  CHECK(take_request(RequestHead(connect)).error().status == 400);
}

TEST_CASE("too many fields are refused") {
  auto head = head_for("/");
  for (int i = 0; i < 200; ++i) head.headers.add("X-" + std::to_string(i), "1");
  const auto taken = take_request(std::move(head));
  REQUIRE_FALSE(taken.has_value());
  CHECK(taken.error().status == 431);
}

TEST_CASE("only plain chunking is taken, and only in HTTP/1.1") {
  CHECK(take_request(head_for("/", {{"Host", "h"}, {"Transfer-Encoding", "Chunked"}})).has_value());
  CHECK_FALSE(take_request(head_for("/", {{"Host", "h"}, {"Transfer-Encoding", "gzip, chunked"}})).has_value());
  CHECK_FALSE(take_request(head_for("/", {{"Host", "h"}, {"Transfer-Encoding", "identity"}})).has_value());
  CHECK_FALSE(
      take_request(head_for("/", {{"Host", "h"}, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "gzip"}}))
          .has_value());
  auto old = head_for("/", {{"Host", "h"}, {"Transfer-Encoding", "chunked"}});
  old.version = 10;
  CHECK_FALSE(take_request(RequestHead(old)).has_value());
}

TEST_CASE("parser errors get their status, lost clients get nothing") {
  CHECK(refusal_for(http::error::header_limit)->status == 431);
  CHECK(refusal_for(http::error::buffer_overflow)->status == 431);
  CHECK(refusal_for(http::error::body_limit)->status == 413);
  CHECK(refusal_for(http::error::bad_version, "GET / HTTP/2.0\r")->status == 505);
  CHECK(refusal_for(http::error::bad_method)->status == 400);
  CHECK(refusal_for(http::error::bad_content_length)->status == 400);
  CHECK_FALSE(refusal_for(http::error::end_of_stream).has_value());
  CHECK_FALSE(refusal_for(http::error::partial_message).has_value());
  CHECK_FALSE(refusal_for(boost::asio::error::connection_reset).has_value());
  CHECK_FALSE(refusal_for({}).has_value());
}

TEST_CASE("only a well-formed line of another version is told about versions") {
  for (const std::string_view line : {"GET / HTTP/2.0\r", "PRI * HTTP/2.0\r", "GET / HTTP/0.9\r", "GET / HTTP/3.1\r"}) {
    CAPTURE(line);
    CHECK(refusal_for(http::error::bad_version, line)->status == 505);
  }
  for (const std::string_view line : {"GET / HTTP/1.1", "GET / HTTP/2.0", "GET / HTTP/1.x\r", "G ET / HTTP/2.0\r",
                                      "GET / HTTP/1.1\r", "GET / http/2.0\r", "GET / HTTP/10.1\r", "GET /\r", ""}) {
    CAPTURE(line);
    CHECK(refusal_for(http::error::bad_version, line)->status == 400);
  }
}

TEST_CASE("the first line of anything can be logged, without its query") {
  CHECK(first_line("GET / HTTP/1.1\r\nHost: h") == "GET / HTTP/1.1\r");
  CHECK(first_line(std::string(1000, 'x')).size() == 256);
  const auto request = request_for_log("GET /v2/?token=secret HTTP/2.0\r");
  CHECK(request.method_name == "GET");
  CHECK(request.path == "/v2/");
  CHECK(request_for_log("hello there\r").path == "there");
  CHECK(request_for_log("hello").method_name == "hello");
  CHECK(request_for_log("").method_name.empty());
  const auto refused = request_for_log(head_for("/v2/x?token=secret"));
  CHECK(refused.method_name == "GET");
  auto head = head_for("/v2/x", {});
  head.method = "HEAD";
  CHECK(request_for_log(head).method == Method::head);
  CHECK(refused.path == "/v2/x");
}

TEST_CASE("what is refused can still be logged") {
  auto head = head_for("/v2/a", {{"Host", "a/b"}});
  REQUIRE_FALSE(take_request(std::move(head)).has_value());
  CHECK(request_for_log(head).path == "/v2/a");  // NOLINT(bugprone-use-after-move): as promised
}

TEST_CASE("a connection is kept unless its client says otherwise, an old client's if it asks for that") {
  CHECK(keeps_alive(11, {{"Host", "h"}}));
  CHECK(keeps_alive(11, {{"Connection", "upgrade"}, {"Proxy-Connection", "close"}}));
  CHECK_FALSE(keeps_alive(11, {{"Connection", "Upgrade, Close"}}));
  CHECK_FALSE(keeps_alive(11, {{"Connection", "keep-alive"}, {"Connection", "close"}}));
  CHECK_FALSE(keeps_alive(10, {{"Host", "h"}}));
  CHECK(keeps_alive(10, {{"connection", "Keep-Alive"}}));
  CHECK_FALSE(keeps_alive(10, {{"Proxy-Connection", "keep-alive"}}));
  CHECK_FALSE(keeps_alive(10, {{"Connection", "keep-alive, close"}}));
}

TEST_CASE("expectations are 100-continue or unknown") {
  CHECK(expectation_of(11, {{"Host", "h"}}) == Expectation::none);
  CHECK(expectation_of(11, {{"Expect", "100-Continue"}}) == Expectation::go_on);
  CHECK(expectation_of(11, {{"Expect", "200-ok"}}) == Expectation::unknown);
  CHECK(expectation_of(10, {{"Expect", "100-continue"}}) == Expectation::none);
}

}  // namespace
}  // namespace paddock

// What strangers send, byte for byte, to a real server.
#include <catch2/catch.hpp>

#include "tests/proxy/net/server_fixture.h"

namespace paddock {
namespace {

struct Malformed {
  std::string name;
  std::string bytes;
  int status;
};

Malformed malformed(std::string name, std::string bytes, int status = 400) {
  return {std::move(name), std::move(bytes), status};
}

// Lines of 64 bytes, so that reads of 4096 end where lines do: no piece is long, nor does it end in the middle.
std::string short_lines(std::size_t count) {
  std::string text = "GET /" + std::string(64 - 16, 'x') + " HTTP/1.1\r\n";
  for (std::size_t i = 0; i < count; ++i) text += "X: " + std::string(64 - 5, 'x') + "\r\n";
  return text;
}

std::vector<Malformed> malformed_requests() {
  const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n";
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  return {
      malformed("not HTTP", "hello there\r\n\r\n"),
      malformed("TLS to a plain port", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11)),
      malformed("no target", "GET HTTP/1.1\r\nHost: h\r\n\r\n"),
      malformed("no version", "GET /\r\nHost: h\r\n\r\n"),
      malformed("a method with a space", "G ET / HTTP/1.1\r\nHost: h\r\n\r\n"),
      malformed("an odd version", "GET / HTTP/1.x\r\nHost: h\r\n\r\n"),
      malformed("HTTP/2", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
      malformed("HTTP/0.9 with a number", "GET / HTTP/0.9\r\nHost: h\r\n\r\n", 505),
      malformed("bare line feeds", "GET / HTTP/1.1\nHost: h\n\n"),
      malformed("one bare line feed", "GET / HTTP/1.1\nHost: h\r\n\r\n"),
      malformed("HTTP/2 known beforehand", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
      malformed("a relative target", "GET v2 HTTP/1.1\r\nHost: h\r\n\r\n"),
      malformed("a raw byte in the target", "GET /\xff HTTP/1.1\r\nHost: h\r\n\r\n"),
      malformed("no Host", "GET / HTTP/1.1\r\n\r\n"),
      malformed("two Hosts", get + "Host: i\r\n\r\n"),
      malformed("a header without colon", get + "Broken\r\n\r\n"),
      malformed("a space before the colon", get + "X : y\r\n\r\n"),
      malformed("an empty header name", get + ": y\r\n\r\n"),
      malformed("a NUL in a value", get + std::string("X: a\0b\r\n\r\n", 10)),
      malformed("a bare CR in a value", get + "X: a\rb\r\n\r\n"),
      malformed("a length that is no number", post + "Content-Length: x\r\n\r\n"),
      malformed("a negative length", post + "Content-Length: -1\r\n\r\n"),
      malformed("an endless length", post + "Content-Length: 99999999999999999999999\r\n\r\n"),
      malformed("two lengths", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
      malformed("length and chunks", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      malformed("chunks and length", post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
      malformed("an unknown coding", post + "Transfer-Encoding: gzip\r\n\r\n"),
      malformed("two codings", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
      malformed("chunked twice", post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
      malformed("a chunk size that is no number", post + "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"),
      malformed("a chunk longer than it says", post + "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n"),
      malformed("a body over the limit", post + "Content-Length: 65537\r\n\r\n", 413),
      malformed("a header over the limit", get + "X: " + std::string(20'000, 'x') + "\r\n\r\n", 431),
      malformed("a header over the limit in short lines", short_lines(10'000), 431),
      malformed("a target over the limit", "GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n", 431),
      malformed("an endless first line", "GET /" + std::string(200'000, 'x'), 431),
      malformed("an unknown expectation", post + "Expect: tea\r\nContent-Length: 1\r\n\r\nx", 417),
      malformed("a tunnel", "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", 405),
  };
}

TEST_CASE("malformed requests are refused, closed, observed, and never reach the handler") {
  std::atomic<int> handled{0};
  ServerFixture fixture([&handled](const Request&) -> Task<Response> {
    ++handled;
    co_return Response{};
  });
  fixture.serve();
  std::size_t count = 0;
  for (const auto& [name, bytes, status] : malformed_requests()) {
    CAPTURE(name);
    auto client = fixture.raw();
    client.send(bytes);
    client.finish_sending();
    const auto answer = client.read_all();
    CHECK(answer.starts_with("HTTP/1.1 " + std::to_string(status) + " "));
    CHECK(answer.contains("\r\nConnection: close\r\n"));
    CHECK(answer.contains(R"({"errors":[{"code":")"));
    CHECK(fixture.seen(++count).status == status);
  }
  CHECK(handled == 0);
}

TEST_CASE("the log gets the method and path of what was refused") {
  ServerFixture fixture(echo);
  fixture.serve();
  const std::vector<std::array<std::string, 3>> refused{
      {"hello there\r\n\r\n", "hello", "there"},
      {"GET /v2/a?secret=1 HTTP/2.0\r\n\r\n", "GET", "/v2/a"},
      {"GET /b HTTP/1.1\nHost: h\n\n", "GET", "/b"},
      {"GET /c HTTP/1.1\r\nHost: h\r\nBroken\r\n\r\n", "GET", "/c"},
      {"PUT /d?secret=1 HTTP/1.1\r\n\r\n", "PUT", "/d"},
      {"GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n", "GET", "/" + std::string(251, 'x')}};
  std::size_t count = 0;
  for (const auto& [bytes, method, path] : refused) {
    CAPTURE(bytes);
    auto client = fixture.raw();
    client.send(bytes);
    client.finish_sending();
    client.read_all();
    const auto seen = fixture.seen(++count);
    CHECK(seen.method == method);
    CHECK(seen.path == path);
  }
}

TEST_CASE("requests that break off are nobody's error") {
  ServerFixture fixture(echo);
  fixture.serve();
  for (const std::string bytes :
       {"", "G", "GET / HTTP/1.1\r\nHost: h\r\n", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
    CAPTURE(bytes);
    auto client = fixture.raw();
    client.send(bytes);
    client.finish_sending();
    CHECK(client.read_all().empty());
  }
  auto gone = fixture.raw();
  gone.send("GET / HT");
  gone.reset();
  CHECK(fixture.get("/still-here").value().status == 200);
}

TEST_CASE("headers full of oddities that are allowed are let through") {
  ServerFixture fixture(echo);
  fixture.serve();
  auto client = fixture.raw();
  client.send("GET /a HTTP/1.1\r\nhOsT:h\r\nX:\r\nX: \t v \t\r\nAccept: \xC3\xA9\r\n\r\n");
  CHECK(client.read_response().starts_with("HTTP/1.1 200 "));
  client.send("GET http://other/b?c HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto answer = client.read_response();
  CHECK(answer.contains("X-Host: other\r\n"));
  CHECK(answer.ends_with("GET /b "));
}

}  // namespace
}  // namespace paddock

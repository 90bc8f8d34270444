#include "proxy/net/response_frame.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

const std::chrono::system_clock::time_point epoch_plus{std::chrono::seconds(784111777)};

ResponseFrame frame(const Response& response, bool head = false, bool keep_alive = true) {
  return frame_response(response, {.head = head, .keep_alive = keep_alive, .now = epoch_plus});
}

TEST_CASE("a response's header is complete") {
  Response response;
  response.headers.add("X-Paddock-Cache", "hit");
  response.body = "hello";
  const auto framed = frame(response);
  CHECK(framed.header ==
        "HTTP/1.1 200 OK\r\nX-Paddock-Cache: hit\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        "Content-Length: 5\r\nConnection: keep-alive\r\n\r\n");
  CHECK(framed.body_length == 5);
}

TEST_CASE("a connection that will close says so") {
  CHECK(frame({}, false, false).header.contains("\r\nConnection: close\r\n"));
}

TEST_CASE("a HEAD announces what a GET would send and sends nothing") {
  Response response;
  SECTION("a text") { response.body = "hello"; }
  SECTION("a shared text") { response.body = std::make_shared<const std::string>("hello"); }
  SECTION("a stream") { response.body = BodyStream{.length = 5, .next = {}}; }
  SECTION("a length of the handler's own") { response.headers.add("Content-Length", "5"); }
  const auto framed = frame(response, true);
  CHECK(framed.header.contains("\r\nContent-Length: 5\r\n"));
  CHECK(framed.body_length == 0);
}

TEST_CASE("a HEAD's own length has to be a number") {
  Response response;
  response.headers.add("Content-Length", "5, 6");
  CHECK(frame(response, true).header.contains("\r\nContent-Length: 0\r\n"));
}

TEST_CASE("answers that have no body have no length either") {
  Response response;
  response.status = GENERATE(204, 304);
  response.body = "not to be sent";
  const auto framed = frame(response);
  CHECK_FALSE(framed.header.contains("Content-Length"));
  CHECK(framed.body_length == 0);
}

TEST_CASE("framing is the session's, whatever a handler says") {
  Response response;
  response.headers = {{"content-LENGTH", "77777"}, {"Transfer-Encoding", "chunked"}, {"Connection", "upgrade"}};
  response.body = "hello";
  const auto header = frame(response).header;
  CHECK(header.contains("Content-Length: 5"));
  CHECK_FALSE(header.contains("77777"));
  CHECK_FALSE(header.contains("chunked"));
  CHECK_FALSE(header.contains("upgrade"));
}

TEST_CASE("a header that would split the response is left out") {
  Response response;
  response.headers = {{"Location", "/a\r\nSet-Cookie: evil=1"}, {"X\r\nY", "1"}, {"Good", "yes"}};
  const auto header = frame(response).header;
  CHECK_FALSE(header.contains("evil"));
  CHECK_FALSE(header.contains("\r\nY"));
  CHECK(header.contains("Good: yes"));
}

TEST_CASE("a body without an end is ended by the connection") {
  Response response;
  response.body = BodyStream{BodyStream::endless, nullptr};
  const auto framed = frame(response);
  CHECK_FALSE(framed.header.contains("Content-Length"));
  CHECK(framed.header.contains("Connection: close"));
  CHECK_FALSE(framed.keep_alive);
  CHECK(framed.body_length > 0);
  response.body = std::string("x");
  CHECK(frame(response).keep_alive);
}

TEST_CASE("a null shared body is an empty one") {
  Response response;
  response.body = std::shared_ptr<const std::string>();
  CHECK(frame(response).header.contains("Content-Length: 0"));
  CHECK(body_text(response).empty());
}

TEST_CASE("an early error is the specification's JSON") {
  const auto response = plain_error(431, "UNSUPPORTED", "too large");
  CHECK(response.status == 431);
  CHECK(body_text(response) == R"({"errors":[{"code":"UNSUPPORTED","message":"too large"}]})");
  CHECK(response.headers.get("Content-Type") == "application/json");
  CHECK(response.log_note == "too large");
}

}  // namespace
}  // namespace paddock

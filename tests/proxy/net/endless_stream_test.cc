// Bodies that end when the server says so, and with them the connection.
#include <catch2/catch.hpp>

#include "tests/proxy/net/server_fixture.h"

namespace paddock {
namespace {

Task<Result<BodyPiece>> piece(std::shared_ptr<int> left) {
  if (*left == 0) co_return std::make_shared<const std::string>();
  co_return std::make_shared<const std::string>("event " + std::to_string((*left)--) + "\n");
}

Task<Response> events(int count) {
  Response response;
  response.body = BodyStream{BodyStream::endless, [left = std::make_shared<int>(count)] { return piece(left); }};
  co_return response;
}

TEST_CASE("a stream without a length comes whole, and its connection is not used again") {
  ServerFixture fixture([](const Request&) { return events(3); });
  fixture.serve();
  for (int i = 0; i < 2; ++i) {
    const auto answer = fixture.ask({.url = fixture.url("/events")}).value();
    CHECK(answer.body == "event 3\nevent 2\nevent 1\n");
    CHECK_FALSE(answer.content_length);
    CHECK_FALSE(answer.headers.get("Content-Length"));
  }
}

TEST_CASE("on HEAD there is nothing of it") {
  ServerFixture fixture([](const Request&) { return events(3); });
  fixture.serve();
  CHECK(fixture.ask({.method = Method::head, .url = fixture.url("/events")}).value().body.empty());
}

TEST_CASE("the body of a request reaches the handler") {
  ServerFixture fixture([](const Request& request) -> Task<Response> {
    Response response;
    response.body = request.method_name + " " + request.body;
    co_return response;
  });
  fixture.serve();
  CHECK(fixture.ask({.method = Method::post, .url = fixture.url("/"), .body = "{\"a\": 1}"}).value().body ==
        "POST {\"a\": 1}");
  CHECK(fixture.ask({.method = Method::del, .url = fixture.url("/")}).value().body == "DELETE ");
}

}  // namespace
}  // namespace paddock

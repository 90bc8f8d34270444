#include "proxy/admin/pin_json.h"

#include <catch2/catch.hpp>

#include "tests/proxy/admin/api_fixture.h"

namespace paddock {
namespace {

Request to_pins(Method method, std::string body = "", std::string rest = "") {
  Request request;
  request.method = method;
  request.path = "/api/v1/pins" + rest;
  request.body = std::move(body);
  request.headers.add("Content-Type", "application/json");
  return request;
}

TEST_CASE("an order to pin says what, and for how long unless for ever") {
  const auto order = parse_pin_order(R"({"image": "a/b:1", "seconds": 60})").value();
  CHECK(order.image == "a/b:1");
  CHECK(order.time == std::chrono::seconds(60));
  CHECK_FALSE(parse_pin_order(R"({"image": "a"})")->time);
}

TEST_CASE("an order to pin that makes no sense is refused") {
  for (const auto* body : {"", "{}", "[]", "{\"image\": 1}", "{\"image\": \"\"}", "{\"image\": \"a\", \"seconds\": -1}",
                           "{\"image\": \"a\", \"seconds\": 99999999999999}", "{\"image\": \"a\", \"x\": 1}"}) {
    CAPTURE(body);
    const auto order = parse_pin_order(body);
    REQUIRE_FALSE(order);
    CHECK(order.error().code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("pins are shown by the image's full name") {
  auto pin = test::ApiFixture::sample_pin();
  CHECK(to_json_report(pin)["image"] == "registry.baidubce.com/paddlepaddle/paddle:2.6.2");
  CHECK(to_json_report(pin)["until"] == "2023-11-14T22:14:20Z");
  pin.reference = pin.manifest.to_string();
  pin.until.reset();
  CHECK(to_json_report(pin)["image"] == "registry.baidubce.com/paddlepaddle/paddle@" + pin.reference);
  CHECK(to_json_report(pin)["until"].is_null());
}

TEST_CASE("images are pinned and unpinned over the API") {
  test::ApiFixture api;
  CHECK(api.json(api.get("/api/v1/pins"))["pins"].size() == 1);
  CHECK(api.ask(to_pins(Method::post, R"({"image": "a/b:1", "seconds": 60})")).status == 200);
  CHECK(api.last_pin.image == "a/b:1");
  CHECK(api.ask(to_pins(Method::post, "{")).status == 400);
  CHECK(api.ask(to_pins(Method::del, "", "/a%2Fb:1")).status == 200);
  CHECK(api.last_reference == "a/b:1");
  api.error = Error{ErrorCode::not_found, Blame::client, "not pinned"};
  CHECK(api.ask(to_pins(Method::del, "", "/a/b")).status == 404);
  CHECK(api.ask(to_pins(Method::del)).status == 405);
  CHECK(api.ask(to_pins(Method::del, "", "/" + std::string(1025, 'a'))).status == 400);
}

TEST_CASE("what a form could send pins nothing") {
  test::ApiFixture api;
  auto request = to_pins(Method::post, R"({"image": "a"})");
  request.headers.set("Content-Type", "text/plain");
  CHECK(api.ask(request).status == 415);
  CHECK(api.last_pin.image.empty());
}

}  // namespace
}  // namespace paddock

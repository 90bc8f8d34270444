#include "proxy/admin/warm_api.h"

#include <catch2/catch.hpp>

#include "tests/proxy/admin/api_fixture.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;

Request post(std::string body, std::string type = "application/json") {
  Request request;
  request.method = Method::post;
  request.path = "/api/v1/warm";
  request.body = std::move(body);
  if (!type.empty()) request.headers.add("Content-Type", std::move(type));
  return request;
}

Request with_method(Method method, std::string path) {
  Request request;
  request.method = method;
  request.path = std::move(path);
  return request;
}

TEST_CASE("a warm-up is accepted, with where to follow it") {
  test::ApiFixture api;
  const auto response = api.ask(post(R"({"images": ["a/b:1"], "pin_seconds": 60})"));
  CHECK(response.status == 202);
  CHECK(api.json(response)["job"] == "6748a1f0");
  CHECK(api.json(response)["joined"] == true);
  CHECK(response.headers.get("Location") == "/api/v1/jobs/6748a1f0");
  CHECK(api.last_warm.images == std::vector<std::string>{"a/b:1"});
  CHECK(api.last_warm.pin == std::chrono::seconds(60));
}

TEST_CASE("a dry run answers with the plan and starts nothing") {
  test::ApiFixture api;
  const auto response = api.ask(post(R"({"images": ["a/b:1"], "dry_run": true})"));
  CHECK(response.status == 200);
  CHECK(api.json(response)["missing_bytes"] == 3000);
  CHECK(api.last_warm.images.empty());
}

TEST_CASE("what a form of a web page could send is refused before it is read") {
  test::ApiFixture api;
  const auto type = GENERATE(values<std::string>(
      {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx"}));
  const auto response = api.ask(post(R"({"images": ["a/b:1"]})", type));
  CHECK(response.status == 415);
  CHECK_THAT(api.text(response), Contains("application/json"));
  CHECK(api.last_warm.images.empty());
  CHECK(api.ask(post(R"({"images": ["a"]})", "Application/JSON; charset=utf-8")).status == 202);
}

TEST_CASE("a body that is not understood is the client's error, in the API's own form") {
  test::ApiFixture api;
  const auto response = api.ask(post("{"));
  CHECK(response.status == 400);
  CHECK(api.json(response)["error"]["code"] == "invalid argument");
}

TEST_CASE("the token is asked for whatever the method") {
  test::ApiFixture api("secret");
  CHECK(api.ask(post(R"({"images": ["a"]})")).status == 401);
  CHECK(api.ask(with_method(Method::del, "/api/v1/jobs/1")).status == 401);
  CHECK(api.get("/api/v1/events").status == 401);
  auto request = post(R"({"images": ["a"]})");
  request.headers.add("Authorization", "Bearer secret");
  CHECK(api.ask(request).status == 202);
}

TEST_CASE("jobs are listed, shown and cancelled") {
  test::ApiFixture api;
  CHECK(api.json(api.get("/api/v1/jobs"))["jobs"].size() == 1);
  CHECK(api.json(api.get("/api/v1/jobs/6748a1f0"))["images"].size() == 2);
  CHECK(api.get("/api/v1/jobs/0-0").status == 404);
  CHECK(api.ask(with_method(Method::del, "/api/v1/jobs/6748a1f0")).status == 200);
  CHECK(api.last_cancelled == "6748a1f0");
  CHECK(api.ask(with_method(Method::del, "/api/v1/jobs/0-0")).status == 404);
}

TEST_CASE("each path says which methods it takes") {
  test::ApiFixture api;
  const auto [method, path, allowed] =
      GENERATE(table<Method, std::string, std::string>({{Method::get, "/api/v1/warm", "POST"},
                                                        {Method::post, "/api/v1/jobs", "GET, HEAD"},
                                                        {Method::post, "/api/v1/jobs/1", "GET, HEAD, DELETE"},
                                                        {Method::put, "/api/v1/jobs/1", "GET, HEAD, DELETE"},
                                                        {Method::del, "/api/v1/warm", "POST"},
                                                        {Method::post, "/api/v1/status", "GET, HEAD"},
                                                        {Method::other, "/api/v1/warm", "POST"}}));
  const auto response = api.ask(with_method(method, path));
  CHECK(response.status == 405);
  CHECK(response.headers.get("Allow") == allowed);
}

TEST_CASE("events come as a stream that does not end by itself") {
  test::ApiFixture api;
  auto response = api.get("/api/v1/events");
  CHECK(response.headers.get("Content-Type") == "text/event-stream");
  auto& stream = std::get<BodyStream>(response.body);
  CHECK(stream.length == BodyStream::endless);
  api.events.publish("job", "{}");
  const auto piece = run_task(stream.next());
  REQUIRE(piece);
  CHECK(*std::get<std::shared_ptr<const std::string>>(*piece) == "event: job\ndata: {}\n\n");
  api.events.close();
  CHECK(std::get<std::shared_ptr<const std::string>>(run_task(stream.next()).value())->empty());
  CHECK(api.get("/api/v1/events").status == 503);
}

}  // namespace
}  // namespace paddock

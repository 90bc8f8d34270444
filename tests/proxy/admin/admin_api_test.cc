#include "proxy/admin/admin_api.h"

#include <catch2/catch.hpp>

#include "tests/proxy/admin/api_fixture.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::ApiFixture;

TEST_CASE("a live process is healthy even when it is not ready") {
  ApiFixture api;
  api.not_ready = {"recovering"};
  const auto response = api.get("/healthz");
  CHECK(response.status == 200);
  CHECK(api.text(response) == "ok\n");
}

TEST_CASE("readiness is 200 when ready, else 503 with the reasons") {
  ApiFixture api;
  CHECK(api.get("/readyz").status == 200);
  CHECK(api.json(api.get("/readyz"))["ready"] == true);
  api.not_ready = {"recovering", "draining"};
  const auto response = api.get("/readyz");
  CHECK(response.status == 503);
  CHECK(api.json(response)["ready"] == false);
  CHECK(api.json(response)["reasons"] == nlohmann::json{"recovering", "draining"});
}

TEST_CASE("metrics are text in Prometheus' format") {
  ApiFixture api;
  const auto response = api.get("/metrics");
  CHECK(response.status == 200);
  CHECK(response.headers.get("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(api.text(response) == "paddock_connections 1\n");
}

TEST_CASE("status, images and fills are JSON") {
  ApiFixture api;
  for (const auto* path : {"/api/v1/status", "/api/v1/images", "/api/v1/fills", "/api/v1/images/a:1"}) {
    const auto response = api.get(path);
    CHECK(response.status == 200);
    CHECK(response.headers.get("Content-Type") == "application/json");
    CHECK(response.headers.get("Cache-Control") == "no-store");
    CHECK(response.route == "admin");
    CHECK(api.json(response).is_object());
  }
  CHECK(api.json(api.get("/api/v1/status"))["version"] == "1.2.3");
  CHECK(api.json(api.get("/api/v1/fills"))["fills"][0]["state"] == "streaming");
  CHECK(api.json(api.get("/api/v1/images"))["images"][0]["tag"] == "2.6.2");
  CHECK(api.json(api.get("/api/v1/images"))["next"] == "registry.baidubce.com/paddlepaddle/paddle:2.6.2");
}

TEST_CASE("the page at / is HTML that may run nothing") {
  ApiFixture api;
  const auto response = api.get("/");
  CHECK(response.status == 200);
  CHECK(response.headers.get("Content-Type") == "text/html; charset=utf-8");
  CHECK_THAT(std::string(response.headers.get("Content-Security-Policy").value()), Contains("default-src 'none'"));
  CHECK_THAT(api.text(response), Contains("paddock 1.2.3"));
}

TEST_CASE("an image's reference may be percent-encoded or plain") {
  ApiFixture api;
  const std::string reference = "registry.baidubce.com/paddlepaddle/paddle:2.6.2";
  CHECK(api.get("/api/v1/images/" + reference).status == 200);
  CHECK(api.last_reference == reference);
  api.last_reference.clear();
  CHECK(api.get("/api/v1/images/registry.baidubce.com%2Fpaddlepaddle%2Fpaddle%3A2.6.2").status == 200);
  CHECK(api.last_reference == reference);
}

TEST_CASE("a reference that cannot be decoded or is too long does not reach the catalog") {
  ApiFixture api;
  for (const auto& path : {std::string("a%zz"), std::string("a%"), std::string("a%00b"), std::string(2000, 'a')}) {
    const auto response = api.get("/api/v1/images/" + path);
    CHECK(response.status == 400);
    CHECK(api.json(response)["error"]["code"] == "invalid argument");
  }
  CHECK(api.last_reference.empty());
}

TEST_CASE("errors become their status with a JSON reason") {
  ApiFixture api;
  const std::vector<std::pair<ErrorCode, int>> cases{{ErrorCode::not_found, 404},
                                                     {ErrorCode::invalid_argument, 400},
                                                     {ErrorCode::io, 500},
                                                     {ErrorCode::corrupt, 500},
                                                     {ErrorCode::unavailable, 503}};
  for (const auto& [code, status] : cases) {
    api.error = Error{code, Blame::us, "why it failed"};
    for (const auto* path : {"/api/v1/images", "/api/v1/images/a:1"}) {
      const auto response = api.get(path);
      CHECK(response.status == status);
      CHECK(api.json(response)["error"]["message"] == "why it failed");
      CHECK(response.log_note == "why it failed");
    }
  }
}

TEST_CASE("a report that throws is a 500, not a crash") {
  ApiFixture api;
  api.broken = true;
  CHECK(api.get("/api/v1/status").status == 500);
  CHECK(api.get("/").status == 500);
  api.broken = false;
  CHECK(api.get("/api/v1/status").status == 200);
}

TEST_CASE("what runs on a driver is asked with the driver, page by page") {
  ApiFixture api;
  const auto response = api.get("/api/v1/compat", "driver=470.82.01&limit=7&after=a/b:c");
  CHECK(response.status == 200);
  const auto json = api.json(response);
  CHECK(json["driver"] == "470.82.01");
  CHECK(json["cuda"] == "11.4");
  CHECK(json["images"][0]["answer"] == "runs_with_limits");
  CHECK(json["images"][0]["least_driver"] == "450.80.02");
  CHECK(json["images"][1]["answer"].is_null());
  CHECK(json["next"] == "registry.baidubce.com/paddlepaddle/paddle:old");
  CHECK(api.last_query.limit == 7);
  CHECK(api.last_query.after->tag == "c");
}

TEST_CASE("without a driver, or with one that is none, it is refused") {
  ApiFixture api;
  for (const auto* query : {"", "driver=", "driver=new", "driver=470.82.01&limit=0", "driver=1.2.3.4.5.6.7"}) {
    INFO(query);
    CHECK(api.get("/api/v1/compat", query).status == 400);
  }
  CHECK_THAT(api.text(api.get("/api/v1/compat")), Contains("driver: '' is not a version"));
  api.error = Error{ErrorCode::unavailable, Blame::us, "recovering"};
  CHECK(api.get("/api/v1/compat", "driver=470").status == 503);
}

TEST_CASE("error messages lose the secrets of URLs") {
  ApiFixture api;
  api.error = Error{ErrorCode::io, Blame::us, "https://u:pa55@host/x?sig=s3cret failed"};
  CHECK_THAT(api.text(api.get("/api/v1/images")), !Contains("pa55") && !Contains("s3cret"));
}

TEST_CASE("unknown paths are 404 in JSON") {
  ApiFixture api;
  for (const auto* path : {"/nothing", "/api", "/api/v1", "/api/v1/", "/api/v1/statusx", "/api/v1/status/", "//",
                           "/healthz/", "/HEALTHZ", "", "/v2/", "/../etc/passwd", "/api/v1/images%2Fa"}) {
    const auto response = api.get(path);
    CHECK(response.status == 404);
    CHECK(api.json(response)["error"]["code"] == "not found");
  }
}

TEST_CASE("only GET and HEAD are answered") {
  ApiFixture api;
  Request request;
  for (const auto method : {Method::post, Method::put, Method::patch, Method::del, Method::other}) {
    request.method = method;
    for (const auto* path : {"/api/v1/status", "/healthz", "/nothing"}) {
      request.path = path;
      const auto response = api.ask(request);
      CHECK(response.status == 405);
      CHECK(response.headers.get("Allow") == "GET, HEAD");
      CHECK(api.json(response).contains("error"));
    }
  }
  request.method = Method::head;
  request.path = "/healthz";
  CHECK(api.ask(request).status == 200);
}

TEST_CASE("with a token everything but the health checks wants it") {
  ApiFixture api("s3cret");
  CHECK(api.get("/healthz").status == 200);
  CHECK(api.get("/readyz").status == 200);
  for (const auto* path :
       {"/", "/metrics", "/api/v1/status", "/api/v1/images", "/api/v1/images/a:1", "/api/v1/fills", "/nothing"}) {
    for (const auto* header : {"", "Bearer wrong", "Bearer s3cre", "Bearer s3crett", "Bearer ", "Basic s3cret",
                               "s3cret", "Bearer  s3cret"}) {
      const auto response = api.get(path, "", header);
      CHECK(response.status == 401);
      CHECK(response.headers.get("WWW-Authenticate").has_value());
      CHECK_THAT(api.text(response), !Contains("s3cret"));
    }
    CHECK(api.get(path, "", "Bearer s3cret").status != 401);
  }
  CHECK(api.last_reference == "a:1");
}

TEST_CASE("a token that was changed holds at once, and the one before no longer") {
  ApiFixture api("s3cret");
  CHECK(api.api.set_token("an0ther"));
  CHECK_FALSE(api.api.set_token("an0ther"));
  CHECK(api.get("/metrics", "", "Bearer an0ther").status == 200);
  CHECK(api.get("/metrics", "", "Bearer s3cret").status == 401);
}

TEST_CASE("the token is not accepted from the query") {
  ApiFixture api("s3cret");
  CHECK(api.get("/api/v1/status", "token=s3cret&access_token=s3cret").status == 401);
}

TEST_CASE("a bearer token matches only itself, whatever the scheme's case") {
  CHECK(bearer_matches("Bearer abc", "abc"));
  CHECK(bearer_matches("bearer abc", "abc"));
  CHECK(bearer_matches("BEARER abc", "abc"));
  CHECK_FALSE(bearer_matches("Bearer ABC", "abc"));
  CHECK_FALSE(bearer_matches("Bearer abcabc", "abc"));
  CHECK_FALSE(bearer_matches("Bearer ab", "abc"));
  CHECK_FALSE(bearer_matches("Bearer abd", "abc"));
  CHECK_FALSE(bearer_matches("Bearer", "abc"));
  CHECK_FALSE(bearer_matches("Bearer ", ""));
  CHECK_FALSE(bearer_matches("", "abc"));
}

TEST_CASE("paging parameters reach the catalog") {
  ApiFixture api;
  CHECK(api.get("/api/v1/images", "limit=7&after=docker.io%2Flibrary%2Fdebian%3A12").status == 200);
  CHECK(api.last_query.limit == 7);
  REQUIRE(api.last_query.after.has_value());
  CHECK(api.last_query.after == ImageCursor{{"docker.io", "library/debian"}, "12"});
  CHECK(api.get("/api/v1/images", "after=localhost%3A5000%2Fa%2Fb%3A1").status == 200);
  CHECK(api.last_query.limit == 100);
  CHECK(api.last_query.after == ImageCursor{{"localhost:5000", "a/b"}, "1"});
}

TEST_CASE("bad paging parameters are the client's mistake") {
  ApiFixture api;
  for (const auto* query : {"limit=0", "limit=1001", "limit=-1", "limit=", "limit=ten", "limit=5x",
                            "limit=99999999999999999999", "after=", "after=x", "after=/a:1", "after=up/UPPER:1",
                            "after=up/a", "after=up:1/a", "after=up/a:bad%20tag", "after=up/a%00b:1"}) {
    INFO(query);
    CHECK(api.get("/api/v1/images", query).status == 400);
  }
}

}  // namespace
}  // namespace paddock

#include "proxy/admin/warm_json.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/proxy/admin/sample_warm.h"

using namespace paddock;
using namespace std::chrono_literals;

TEST_CASE("an order is read with all that may be in it") {
  const auto order = parse_warm_order(
      R"({"images": ["a/b:1", "c"], "platforms": ["linux/arm64"], "pin_seconds": 60, "dry_run": true})");
  REQUIRE(order);
  CHECK(order->request.images == std::vector<std::string>{"a/b:1", "c"});
  CHECK(order->request.platforms == std::vector<std::string>{"linux/arm64"});
  CHECK(order->request.pin == 60s);
  CHECK(order->dry_run);
  CHECK(parse_warm_order(R"({"rule": "nightly"})")->request.rule == "nightly");
  CHECK(parse_warm_order(R"({"ours_only": true})")->request.ours_only);
  CHECK_FALSE(parse_warm_order("{}")->dry_run);
  CHECK(parse_warm_order("{}")->request.platforms.empty());
}

TEST_CASE("an order that is not understood names what is wrong") {
  const auto [body, word] = GENERATE(table<std::string, std::string>({{"", "body"},
                                                                      {"[]", "object"},
                                                                      {"{\"images\": \"a\"}", "images"},
                                                                      {"{\"images\": [1]}", "images"},
                                                                      {"{\"platforms\": {}}", "platforms"},
                                                                      {"{\"rule\": 1}", "rule"},
                                                                      {"{\"pin_seconds\": -1}", "pin_seconds"},
                                                                      {"{\"pin_seconds\": \"30d\"}", "pin_seconds"},
                                                                      {"{\"pin_seconds\": 1.5}", "pin_seconds"},
                                                                      {"{\"dry_run\": 1}", "dry_run"},
                                                                      {"{\"image\": []}", "image"},
                                                                      {R"({"images": ["a"], "rule": "b"})", "either"},
                                                                      {"{\"rule\": \"a\", \"rule\": \"b\"}", "rule"},
                                                                      {"{\"images\": [[[[[[]]]]]]}", "body"}}));
  CAPTURE(body);
  const auto order = parse_warm_order(body);
  REQUIRE_FALSE(order);
  CHECK(order.error().code == ErrorCode::invalid_argument);
  CHECK(order.error().context.contains(word));
}

TEST_CASE("a job is shown with its images and how far they are") {
  const auto json = to_json_report(test::sample_job());
  CHECK(json["job"] == "6748a1f0");
  CHECK(json["state"] == "filling");
  CHECK(json["percent"] == 25.0);
  CHECK(json["eta_seconds"] == 30);
  CHECK(json["finished"].is_null());
  REQUIRE(json["images"].size() == 2);
  CHECK(json["images"][0]["bytes_per_second"] == 100);
  CHECK(json["images"][1]["nearest"] == nlohmann::json({"2.6.1", "2.6.0"}));
  CHECK(json["images"][1]["name"].is_null());
}

TEST_CASE("a list of jobs leaves out their images, a plan says what is missing") {
  const auto jobs = to_json_report(std::vector{test::sample_job()});
  CHECK(jobs["jobs"][0]["image_count"] == 2);
  CHECK_FALSE(jobs["jobs"][0].contains("images"));
  const auto plan = to_json_report(test::sample_plan());
  CHECK(plan["missing_bytes"] == 3000);
  CHECK(plan["fits"] == false);
  CHECK(plan["remedy"] == "raise storage.max_size");
}

TEST_CASE("an event is one line, whatever its texts are") {
  auto job = test::sample_job();
  job.error = "two\nlines \xff";
  const auto text = to_event(job);
  CHECK_FALSE(text.contains('\n'));
  CHECK(nlohmann::json::accept(text));
}

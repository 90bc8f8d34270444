#include "proxy/cli/job_view.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "proxy/admin/warm_json.h"
#include "tests/proxy/admin/sample_warm.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using Json = nlohmann::ordered_json;

// As it comes from the server.
Json sample() { return Json::parse(to_json_report(test::sample_job()).dump()); }

TEST_CASE("one line says how far a job is") {
  const auto json = sample();
  CHECK(progress_line(JsonView(json)) == "25%, 1000 B of 3.9 KiB, 100 B/s, 30s left; 0 of 2 images complete");
}

TEST_CASE("what has no figures yet says what it does") {
  auto json = sample();
  json["state"] = "queued";
  CHECK_THAT(progress_line(JsonView(json)), Contains("waits"));
  json["state"] = "resolving";
  CHECK_THAT(progress_line(JsonView(json)), Contains("2 images"));
}

TEST_CASE("bars are as wide as the terminal at most, whatever the names are") {
  auto json = sample();
  json["images"][0]["name"] = std::string(300, 'n') + ":tag";
  for (std::size_t width = 1; width < 200; ++width) {
    for (const auto& line : progress_bars(JsonView(json), width, 12)) {
      CAPTURE(width, line);
      CHECK(line.size() <= width);
    }
  }
}

TEST_CASE("images on their way have a bar each, at most so many, and the last is of the whole") {
  auto json = sample();
  const auto lines = progress_bars(JsonView(json), 120, 12);
  REQUIRE(lines.size() == 2);
  CHECK_THAT(lines[0], Contains("paddle:2.6.2 [") && Contains("25%"));
  CHECK_THAT(lines[1], Catch::Matchers::StartsWith("0 of 2 images ["));
  for (int i = 0; i < 30; ++i) json["images"].push_back(json["images"][0]);
  CHECK(progress_bars(JsonView(json), 120, 12).size() == 12);
}

TEST_CASE("images that could not be had are told with what there is instead") {
  const auto json = sample();
  CHECK(failures(JsonView(json)) ==
        std::vector<std::string>{"paddlepaddle/paddle:2.6.9: no such tag; nearest: 2.6.1, 2.6.0"});
}

TEST_CASE("a plan says what is to be fetched, and what to do where it does not fit") {
  const auto json = to_json_report(test::sample_plan());
  const auto text = describe_plan(JsonView(json));
  CHECK_THAT(text, Contains("linux/amd64") && Contains("not made for linux/arm64") &&
                       Contains("2.9 KiB to be fetched") && Contains("it does not fit: raise storage.max_size"));
}

TEST_CASE("jobs are listed, and none are none") {
  const auto json = to_json_report(std::vector{test::sample_job()});
  CHECK_THAT(describe_jobs(JsonView(json)), Contains("6748a1f0  filling  2       25% of 3.9 KiB"));
  const Json none = {{"jobs", Json::array()}};
  CHECK(describe_jobs(JsonView(none)) == "there are no warm-ups\n");
}

TEST_CASE("answers that make no sense and hostile text are shown without harm") {
  for (const auto& json :
       {Json::object(), Json({{"images", 1}, {"state", 2}}), Json({{"images", {1, "x", Json::object()}}})}) {
    const JsonView view(json);
    CHECK_FALSE(is_over(view));
    CHECK_FALSE(is_complete(view));
    CHECK_FALSE(progress_line(view).empty());
    CHECK_FALSE(progress_bars(view, 80, 5).empty());
    CHECK_NOTHROW(describe_job(view));
    CHECK_NOTHROW(describe_plan(view));
    CHECK_NOTHROW(describe_jobs(view));
  }
  auto json = sample();
  json["images"][1]["error"] = "\x1b[2J";
  CHECK_FALSE(failures(JsonView(json)).at(0).contains('\x1b'));
}

}  // namespace
}  // namespace paddock

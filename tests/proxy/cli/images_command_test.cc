#include <atomic>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "proxy/admin/image_list.h"
#include "proxy/admin/report_json.h"
#include "tests/proxy/admin/image_builder.h"
#include "tests/proxy/cli/admin_server.h"
#include "tests/proxy/cli/command_line.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::AdminServer;
using test::ApiFixture;

// The API over a real catalog in memory.
struct CatalogServer {
  MemoryCatalog catalog;
  BlockingPool pool{1};
  AdminApi api{pool,
               {.not_ready = {},
                .status = {},
                .images = [this](const ImageQuery& query) { return list_images(catalog, query); },
                .image = {},
                .fills = {},
                .metrics = {}},
               ""};
  AdminServer server{[this](const Request& request) { return api.handle(request); }, &pool};
};

TEST_CASE("images lists what is cached as a table") {
  CatalogServer cache;
  const test::ImageBuilder builder{cache.catalog};
  builder.put_tag("2.6.2", builder.put_image({"config", true, 7}, {{std::string(2042, 'x')}}));
  builder.put_tag("half", builder.put_image({"more"}, {{"gone", false}}));
  const auto outcome = test::paddock({"images", "--server", cache.server.url()});
  CHECK(outcome.err.empty());
  CHECK(outcome.status == 0);
  std::istringstream lines(outcome.out);
  std::string header, whole, half, rest;
  std::getline(lines, header);
  std::getline(lines, whole);
  std::getline(lines, half);
  CHECK_FALSE(std::getline(lines, rest));
  CHECK_THAT(header, Catch::Matchers::StartsWith("IMAGE ") && Contains("DIGEST") && Contains("LAST USED"));
  CHECK_THAT(whole, Contains("registry.baidubce.com/paddlepaddle/paddle:2.6.2  ") && Contains("  2.0 KiB  ") &&
                        Contains("  yes  ") && Contains("2023-11-14T22:13:27Z"));
  CHECK_THAT(half, Contains("paddle:half") && Contains("  8 B ") && Contains("  50%  "));
}

TEST_CASE("images follows the pages to the end") {
  CatalogServer cache;
  const test::ImageBuilder builder{cache.catalog};
  const auto digest = builder.put_tagged("first", "layer");
  for (int i = 0; i < 501; ++i) builder.put_tag("tag" + std::to_string(i), digest);
  const auto outcome = test::paddock({"images", "--json", "--server", cache.server.url()});
  REQUIRE(outcome.status == 0);
  const auto images = nlohmann::json::parse(outcome.out);
  CHECK(images.size() == 502);
  std::set<std::string> names;
  for (const auto& image : images) names.insert(image["name"].get<std::string>());
  CHECK(names.size() == 502);
}

TEST_CASE("an empty cache says so, in JSON as an empty array") {
  CatalogServer cache;
  CHECK(test::paddock({"images", "--server", cache.server.url()}).out == "nothing is cached yet\n");
  CHECK(test::paddock({"images", "--json", "--server", cache.server.url()}).out == "[]\n");
}

TEST_CASE("of an index the stored platforms are shown, and that it is there in part") {
  ApiFixture api;
  auto image = test::sample_image();
  image.stored = image.total;
  image.platforms.push_back({.name = "linux/arm64", .digest = Digest::of("other")});
  const AdminServer server(test::fixed_handler(200, to_text(to_json_report(ImagePage{{image}, false}))));
  const auto outcome = test::paddock({"images", "--server", server.url()});
  CHECK_THAT(outcome.out, Contains("  linux/amd64  ") && Contains("  in part  ") && !Contains("arm64"));
}

TEST_CASE("with a driver images says which run, and why") {
  ApiFixture api;
  const AdminServer server(test::fixed_handler(200, [] {
    auto page = test::sample_compat(test::sample_host());
    page.next.clear();
    return to_text(to_json_report(page));
  }()));
  const auto outcome = test::paddock({"images", "--driver", "470.82.01", "--server", server.url()});
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.out, Contains("LEAST DRIVER") && Contains("  11.8 (tag)  runs with limits  450.80.02  ") &&
                              Contains("minor-version") && Contains("paddle:old") && Contains("not known"));
  const auto json = test::paddock({"images", "--driver", "470.82.01", "--json", "--server", server.url()});
  CHECK(nlohmann::json::parse(json.out).at(0)["answer"] == "runs_with_limits");
}

TEST_CASE("the driver is asked for, page after page") {
  ApiFixture api;
  const AdminServer server([&](const Request& request) {
    const bool first = request.query.find("after=") == std::string::npos;
    return request.parameter("driver") == "470.82.01" && request.path == "/api/v1/compat"
               ? test::answer_with(200, first ? R"({"images": [{}], "next": "a/b:c"})" : R"({"images": [{}]})")
               : test::answer_with(400, "{}");
  });
  const auto outcome = test::paddock({"images", "--driver", "470.82.01", "--json", "--server", server.url()});
  CHECK(nlohmann::json::parse(outcome.out).size() == 2);
}

TEST_CASE("a server whose pages are empty but never end is given up") {
  std::atomic<int> asked{0};
  const AdminServer server([&](const Request&) {
    ++asked;
    return test::answer_with(200, R"({"images": [], "next": "a/b:c"})");
  });
  const auto outcome = test::paddock({"images", "--server", server.url()});
  CHECK(outcome.status == 1);
  CHECK(test::is_one_line(outcome.err));
  CHECK(asked == 1);
}

TEST_CASE("a list of another shape is an error, not an empty cache") {
  const AdminServer server(test::fixed_handler(200, R"({"pictures": []})"));
  const auto outcome = test::paddock({"images", "--server", server.url()});
  CHECK(outcome.status == 1);
  CHECK(test::is_one_line(outcome.err));
}

}  // namespace
}  // namespace paddock

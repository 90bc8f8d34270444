// deploy/docs/openapi.yaml and the handler name the same paths.
#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "proxy/admin/report_json.h"
#include "proxy/admin/warm_json.h"
#include "tests/proxy/admin/api_fixture.h"

namespace paddock {
namespace {

std::string document(const std::string& name) {
  std::ifstream in(std::string(PADDOCK_SOURCE_DIR) + "/deploy/docs/" + name);
  REQUIRE(in);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// The keys below `paths:`, which are the lines indented by two that begin with a slash.
std::set<std::string> documented_paths() {
  std::set<std::string> paths;
  std::istringstream in(document("openapi.yaml"));
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("  /") && line.ends_with(":")) paths.insert(line.substr(2, line.size() - 3));
  }
  return paths;
}

std::string concrete(std::string path) {
  if (path.ends_with("{id}")) return path.replace(path.size() - 4, 4, test::sample_job().id);
  const auto parameter = path.find("{ref}");
  return parameter == std::string::npos ? path : path.replace(parameter, 5, "paddlepaddle/paddle:2.6.2");
}

TEST_CASE("the OpenAPI file names exactly the paths that are answered") {
  const auto answered = AdminApi::paths();
  CHECK(documented_paths() == std::set<std::string>(answered.begin(), answered.end()));
}

TEST_CASE("every documented path is answered") {
  test::ApiFixture api;
  const auto paths = documented_paths();
  REQUIRE_FALSE(paths.empty());
  for (const auto& path : paths) {
    INFO(path);
    const auto status = api.get(concrete(path), path == "/api/v1/compat" ? "driver=535.104.05" : "").status;
    const bool changes = path == "/api/v1/warm" || path == "/api/v1/pins/{ref}";  // POST, DELETE
    CHECK(status == (changes ? 405 : 200));
  }
}

TEST_CASE("the API's description names every path") {
  const auto text = document("api.md");
  for (const auto& path : AdminApi::paths()) CHECK_THAT(text, Catch::Matchers::Contains("`" + path + "`"));
}

void check_documented(const nlohmann::ordered_json& json, const std::string& schema) {
  for (const auto& [name, value] : json.items()) {
    INFO(name);
    if (json.is_object()) CHECK_THAT(schema, Catch::Matchers::Contains(" " + name + ":"));
    if (value.is_structured()) check_documented(value, schema);
  }
}

TEST_CASE("every member of the reports is documented") {
  const auto schema = document("openapi.yaml");
  const test::ApiFixture api;
  for (const auto& report :
       {to_json_report(test::sample_status()), to_json_report(test::sample_image()),
        to_json_report(test::sample_fill()), to_json_report(ImagePage{{test::sample_image()}, true}),
        to_json_report(test::sample_compat(test::sample_host())), to_json_report(test::sample_job()),
        to_json_report(test::sample_plan()), to_json_report(std::vector{test::sample_job()}),
        to_json_report(WarmTicket{"1", true}), to_json_report(std::vector{test::ApiFixture::sample_pin()})}) {
    check_documented(report, schema);
  }
}

}  // namespace
}  // namespace paddock

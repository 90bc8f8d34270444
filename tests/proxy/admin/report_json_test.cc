#include "proxy/admin/report_json.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/proxy/admin/sample_reports.h"

namespace paddock {
namespace {

TEST_CASE("the status report has its parts") {
  const auto json = to_json_report(test::sample_status());
  CHECK(json["version"] == "1.2.3");
  CHECK(json["ready"] == true);
  CHECK(json["started"] == "2023-11-14T22:13:20Z");
  CHECK(json["uptime_seconds"] == 90);
  CHECK(json["listen"].size() == 2);
  CHECK(json["store"]["stored_bytes"] == 3 << 20);
  CHECK(json["store"]["max_size_bytes"] == 10 << 20);
  CHECK(json["store"]["evicted_bytes"] == 7);
  CHECK(json["fills"]["running"] == 2);
  CHECK(json["fills"]["not_kept"] == 5);
  CHECK(json["fills"]["suspended"] == 6);
  CHECK(json["fills"]["waiting"] == 1);
  CHECK(json["traffic"]["hit_ratio"] == 0.75);
  CHECK(json["connections"] == 9);
  CHECK(json["recovery"]["rebuilt"] == true);
  CHECK(json["recovery"]["blobs"] == 12);
  CHECK(json["recovery"]["milliseconds"] == 40);
}

TEST_CASE("who encrypts, and why not the kernel, or nothing where there is no TLS") {
  auto status = test::sample_status();
  CHECK(to_json_report(status)["tls"] == nlohmann::ordered_json{{"encrypted_by", "openssl"},
                                                                {"why_not_kernel", "the kernel has none"},
                                                                {"connections", {{"kernel", 3}, {"openssl", 1}}}});
  status.tls = TlsReport{.kernel = true};
  CHECK(to_json_report(status)["tls"]["encrypted_by"] == "kernel");
  CHECK(to_json_report(status)["tls"]["why_not_kernel"].is_null());
  status.tls.reset();
  CHECK(to_json_report(status)["tls"].is_null());
}

TEST_CASE("a server that is recovering says why and has no recovery report yet") {
  auto status = test::sample_status();
  status.not_ready = {"recovering"};
  status.recovery.reset();
  const auto json = to_json_report(status);
  CHECK(json["ready"] == false);
  CHECK(json["not_ready"] == nlohmann::json{"recovering"});
  CHECK(json["recovery"].is_null());
}

TEST_CASE("an upstream that was not tried is neither reachable nor unreachable") {
  const auto upstreams = to_json_report(test::sample_status())["upstreams"];
  REQUIRE(upstreams.size() == 3);
  CHECK(upstreams[0]["reachable"] == true);
  CHECK(upstreams[0]["default"] == true);
  CHECK(upstreams[1]["reachable"] == false);
  CHECK(upstreams[1]["last_error"] == "connect timed out");
  CHECK(upstreams[2]["reachable"].is_null());
}

TEST_CASE("each endpoint of an upstream has its state, and a rate only when one is known") {
  const auto upstreams = to_json_report(test::sample_status())["upstreams"];
  const auto& health = upstreams[0]["health"];
  REQUIRE(health.size() == 2);
  CHECK(health[0] ==
        nlohmann::ordered_json{
            {"endpoint", "registry.baidubce.com"}, {"state", "ok"}, {"transfers", 3}, {"bytes_per_second", 5 << 20}});
  CHECK(health[1]["state"] == "slow");
  CHECK(upstreams[1]["health"][0]["state"] == "resting");
  CHECK(upstreams[1]["health"][0]["bytes_per_second"].is_null());
  CHECK(upstreams[2]["health"] == nlohmann::json::array());
}

TEST_CASE("an upstream's limits are there, and which of them hold now") {
  auto status = test::sample_status();
  CHECK(to_json_report(status)["upstreams"][0]["limits"] ==
        nlohmann::ordered_json{
            {"connections", 32}, {"max_connections", 32}, {"bandwidth", 1000}, {"reached", {"connections"}}});
  CHECK(to_json_report(status)["upstreams"][1]["limits"]["reached"] == nlohmann::json::array());
  status.upstreams[0].limits.connections = 31;
  status.upstreams[0].limits.bandwidth_reached = true;
  CHECK(to_json_report(status)["upstreams"][0]["limits"]["reached"] == nlohmann::json{"bandwidth"});
}

TEST_CASE("an image has its names, sizes, times, platforms and pins") {
  const auto json = to_json_report(test::sample_image());
  CHECK(json["name"] == "registry.baidubce.com/paddlepaddle/paddle:2.6.2");
  CHECK(json["upstream"] == "registry.baidubce.com");
  CHECK(json["repository"] == "paddlepaddle/paddle");
  CHECK(json["tag"] == "2.6.2");
  CHECK(json["digest"] == Digest::of("manifest").to_string());
  CHECK(json["total_bytes"] == 100);
  CHECK(json["stored_bytes"] == 60);
  CHECK(json["complete"] == false);
  CHECK(json["last_used"] == "2023-11-14T22:13:25Z");
  CHECK(json["validated"].is_null());
  REQUIRE(json["platforms"].size() == 1);
  CHECK(json["platforms"][0]["platform"] == "linux/amd64");
  REQUIRE(json["pins"].size() == 2);
  CHECK(json["pins"][0]["until"] == "2023-11-14T22:15:00Z");
  CHECK(json["pins"][1]["until"].is_null());
}

TEST_CASE("an image without a tag has null for it") { CHECK(to_json_report(test::sample_image(""))["tag"].is_null()); }

TEST_CASE("a fill whose size is not known has null for it") {
  auto fill = test::sample_fill();
  CHECK(to_json_report(fill)["size_bytes"] == 4096);
  CHECK(to_json_report(fill)["bytes_per_second"] == 512);
  fill.size.reset();
  CHECK(to_json_report(fill)["size_bytes"].is_null());
}

TEST_CASE("a page names where the next begins, the last does not") {
  ImagePage page{{test::sample_image("a"), test::sample_image("b")}, true};
  CHECK(to_json_report(page)["next"] == "registry.baidubce.com/paddlepaddle/paddle:b");
  page.more = false;
  CHECK_FALSE(to_json_report(page).contains("next"));
  CHECK(to_json_report(ImagePage{})["images"] == nlohmann::json::array());
  CHECK(to_json_report(std::vector<FillReport>())["fills"] == nlohmann::json::array());
}

TEST_CASE("text that is not UTF-8 does not break the answer") {
  auto status = test::sample_status();
  status.upstreams[0].last_error = "\xff\xfe";
  CHECK(nlohmann::json::accept(to_text(to_json_report(status))));
}

}  // namespace
}  // namespace paddock

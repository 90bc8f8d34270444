#include "proxy/admin/access_line.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/proxy/admin/exchange_builder.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::ExchangeBuilder;

nlohmann::json parsed(const Exchange& exchange) { return nlohmann::json::parse("{" + access_json(exchange) + "}"); }

TEST_CASE("an access line says who asked for what and how it went") {
  const ExchangeBuilder exchange;
  CHECK(access_text(exchange.get()) ==
        "id=42 peer=192.0.2.7:51234 \"GET /v2/paddlepaddle/paddle/manifests/2.6.2\" 200 bytes=100 cache=hit "
        "upstream=registry.baidubce.com first_byte_ms=1.5 ms=2.5 agent=\"containerd/1.6.20\"");
}

TEST_CASE("the JSON access line has the same fields") {
  const ExchangeBuilder exchange;
  const auto line = parsed(exchange.get());
  CHECK(line["id"] == "42");
  CHECK(line["peer"] == "192.0.2.7:51234");
  CHECK(line["method"] == "GET");
  CHECK(line["path"] == "/v2/paddlepaddle/paddle/manifests/2.6.2");
  CHECK(line["status"] == 200);
  CHECK(line["bytes"] == 100);
  CHECK(line["cache"] == "hit");
  CHECK(line["upstream"] == "registry.baidubce.com");
  CHECK(line["first_byte_ms"] == 1.5);
  CHECK(line["ms"] == 2.5);
  CHECK(line["agent"] == "containerd/1.6.20");
  CHECK(line["aborted"] == false);
}

TEST_CASE("of the query only ns is logged") {
  ExchangeBuilder exchange;
  exchange.request.query = "ns=registry.baidubce.com&token=s3cret-token&sig=abcdef";
  exchange.request.headers.add("Authorization", "Bearer s3cret-token");
  exchange.request.headers.add("Cookie", "s3cret-token");
  const auto text = access_text(exchange.get());
  CHECK_THAT(text, Contains("?ns=registry.baidubce.com\""));
  CHECK_THAT(text, !Contains("s3cret") && !Contains("abcdef"));
  CHECK(parsed(exchange.get())["ns"] == "registry.baidubce.com");
  CHECK_THAT(access_json(exchange.get()), !Contains("s3cret") && !Contains("abcdef"));
}

TEST_CASE("the note loses the secrets of URLs and tells of an abort") {
  ExchangeBuilder exchange;
  exchange.response.log_note = "GET https://user:pa55@bos.example/blob?authorization=s1gned: connection reset";
  exchange.abort_reason = "upstream stalled";
  const auto text = access_text(exchange.get());
  CHECK_THAT(text, Contains("note=\"GET https://") && Contains("bos.example/blob") && Contains("aborted: upstream"));
  CHECK_THAT(text, !Contains("pa55") && !Contains("s1gned"));
  const auto json = parsed(exchange.get());
  CHECK(json["aborted"] == true);
  CHECK(json["abort_reason"] == "upstream stalled");
  CHECK_THAT(json["note"].get<std::string>(), Contains("bos.example/blob") && !Contains("pa55") && !Contains("s1gned"));
}

TEST_CASE("hostile requests make one harmless line in either format") {
  const std::vector<std::string> hostile{"/v2/\n2026 error forged", std::string("/a\0b", 4),
                                         "/\x1b]0;title\x07",       "/\"} , {\"level\":\"fake\"",
                                         "/\xff\xfe\x80",           std::string(100'000, '\\')};
  for (const auto& text : hostile) {
    ExchangeBuilder exchange;
    exchange.request.path = text;
    exchange.request.method_name = text;
    exchange.request.id = text;
    exchange.request.query = "ns=" + text;
    exchange.request.headers.set("User-Agent", text);
    exchange.response.log_note = text;
    for (const auto& line : {access_text(exchange.get()), access_json(exchange.get())}) {
      CHECK(std::ranges::all_of(line, [](unsigned char c) { return c >= 0x20 && c < 0x7f; }));
      CHECK(line.size() < 12'000);
    }
    CHECK_NOTHROW(parsed(exchange.get()));
    CHECK(parsed(exchange.get()).value("level", "none") == "none");
  }
}

TEST_CASE("our failures are warnings, probes of the admin side are debug") {
  ExchangeBuilder exchange;
  CHECK(access_level(exchange.route("blob", 404, "bypass", 1).get()) == spdlog::level::info);
  CHECK(access_level(exchange.route("blob", 502, "bypass", 1).get()) == spdlog::level::warn);
  CHECK(access_level(exchange.route("admin", 200, "", 1).get()) == spdlog::level::debug);
  CHECK(access_level(exchange.route("admin", 401, "", 1).get()) == spdlog::level::info);
  CHECK(access_level(exchange.route("admin", 503, "", 1).get()) == spdlog::level::warn);
}

}  // namespace
}  // namespace paddock

#include "proxy/admin/log.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sstream>
#include <thread>
#include <vector>

#include "tests/proxy/admin/exchange_builder.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::ExchangeBuilder;

// The log goes into memory while this lives, nowhere afterwards.
class Capture {
 public:
  Capture(std::string level, LogFormat format) {
    REQUIRE(set_up_log({std::move(level), format}, std::make_shared<spdlog::sinks::ostream_sink_mt>(out_)));
  }
  ~Capture() { set_up_log({"off", LogFormat::text}).value(); }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  [[nodiscard]] std::vector<std::string> lines() const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!flush_log()) REQUIRE(std::chrono::steady_clock::now() < until);
    std::vector<std::string> all;
    std::istringstream in(out_.str());
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
  }

 private:
  std::ostringstream out_;
};

TEST_CASE("a text line has the time in UTC, the level and the message") {
  const Capture log("info", LogFormat::text);
  spdlog::warn("disk {} is slow", 3);
  REQUIRE(log.lines().size() == 1);
  CHECK(
      std::regex_match(log.lines()[0], std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning disk 3 is slow)")));
}

TEST_CASE("a JSON line is an object with time, level and message") {
  const Capture log("info", LogFormat::json);
  spdlog::error("cannot read \"x\"");
  REQUIRE(log.lines().size() == 1);
  const auto line = nlohmann::json::parse(log.lines()[0]);
  CHECK(line.size() == 3);
  CHECK(line["level"] == "error");
  CHECK(line["message"] == "cannot read \"x\"");
  CHECK(std::regex_match(line["time"].get<std::string>(), std::regex(R"(\d{4}-.*T.*Z)")));
}

TEST_CASE("whatever is in a message, it stays one line without secrets") {
  for (const auto format : {LogFormat::text, LogFormat::json}) {
    const Capture log("info", format);
    spdlog::info("first\nsecond \x1b[31m {}", "https://me:pa55@host/path?token=s3cret");
    REQUIRE(log.lines().size() == 1);
    CHECK_THAT(log.lines()[0], Contains("first") && Contains("second") && Contains("host/path"));
    CHECK_THAT(log.lines()[0], !Contains("pa55") && !Contains("s3cret") && !Contains("\x1b"));
    if (format == LogFormat::json) CHECK(nlohmann::json::accept(log.lines()[0]));
  }
}

TEST_CASE("broken UTF-8 in a message still makes valid JSON") {
  const Capture log("info", LogFormat::json);
  spdlog::info("{}", "\xff\xfe\x80 tail");
  REQUIRE(log.lines().size() == 1);
  CHECK_THAT(nlohmann::json::parse(log.lines()[0])["message"].get<std::string>(), Contains("tail"));
}

TEST_CASE("the level can be changed while running and applies to the access log too") {
  const Capture log("warn", LogFormat::text);
  const ExchangeBuilder exchange;
  spdlog::info("unheard");
  access_log(exchange.get());
  CHECK(log.lines().empty());
  REQUIRE(set_log_level("info"));
  spdlog::info("heard");
  access_log(exchange.get());
  REQUIRE(log.lines().size() == 2);
  CHECK_THAT(log.lines()[0], Contains("heard"));
  CHECK_THAT(log.lines()[1], Contains("GET /v2/paddlepaddle/paddle/manifests/2.6.2"));
}

TEST_CASE("an unknown level or format is refused and changes nothing") {
  const Capture log("warn", LogFormat::text);
  const auto refused = set_log_level("loud\n");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::invalid_argument);
  CHECK_THAT(refused.error().context, Contains("loud") && Contains("trace, debug, info") && !Contains("\n"));
  spdlog::warn("still heard");
  spdlog::info("still unheard");
  CHECK(log.lines().size() == 1);
  CHECK_FALSE(set_up_log({"", LogFormat::text}));
  CHECK_FALSE(parse_log_format("xml"));
  CHECK(parse_log_format("json").value() == LogFormat::json);
  CHECK(parse_log_format("text").value() == LogFormat::text);
}

TEST_CASE("every named level is understood") {
  const Capture log("off", LogFormat::text);
  for (const auto* level : {"trace", "debug", "info", "warn", "warning", "error", "critical", "off"}) {
    CHECK(set_log_level(level));
  }
  spdlog::critical("off is off");
  CHECK(log.lines().empty());
}

TEST_CASE("an access line in JSON carries the request's fields beside time, level and message") {
  const Capture log("info", LogFormat::json);
  ExchangeBuilder exchange;
  exchange.request.path = "/v2/\n\"},{\"level\":\"forged\"";
  access_log(exchange.route("blob", 502, "bypass", 7).get());
  REQUIRE(log.lines().size() == 1);
  const auto line = nlohmann::json::parse(log.lines()[0]);
  CHECK(line["message"] == "request");
  CHECK(line["level"] == "warning");
  CHECK(line["path"] == exchange.request.path);
  CHECK(line["status"] == 502);
  CHECK(line["bytes"] == 7);
}

// Takes nothing until it is released.
class StuckSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void release() { gate_.set_value(); }
  std::vector<std::string> taken;

 private:
  void sink_it_(const spdlog::details::log_msg& msg) override {
    open_.wait();
    taken.emplace_back(msg.payload.data(), msg.payload.size());
  }
  void flush_() override {}
  std::promise<void> gate_;
  const std::shared_future<void> open_ = gate_.get_future().share();
};

TEST_CASE("nobody waits for who reads the log: what is too much is lost, oldest first, and counted") {
  const auto sink = std::make_shared<StuckSink>();
  REQUIRE(set_up_log({"info", LogFormat::text}, sink));
  constexpr int lines = 10'000;
  for (int i = 0; i < lines; ++i) spdlog::info("{}", i);
  CHECK_FALSE(flush_log());  // comes back although nothing can be written
  const auto lost = lost_log_lines();
  CHECK(lost > lines / 2);
  sink->release();
  set_up_log({"off", LogFormat::text}).value();  // ends the thread that wrote to the sink
  REQUIRE(sink->taken.size() > 1000);
  CHECK(sink->taken.back() == std::to_string(lines - 1));
  CHECK(sink->taken.size() <= lines - (lost - 1));  // the request to flush took the place of a line too
}

TEST_CASE("lines of several threads do not mix") {
  const Capture log("info", LogFormat::json);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        const ExchangeBuilder exchange;
        for (int i = 0; i < 100; ++i) {
          access_log(exchange.get());
          spdlog::info("message {}", i);
          set_log_level("info").value();
        }
      });
    }
  }
  const auto lines = log.lines();
  CHECK(lines.size() == 800);
  CHECK(std::ranges::all_of(lines, [](const auto& line) { return nlohmann::json::accept(line); }));
}

}  // namespace
}  // namespace paddock

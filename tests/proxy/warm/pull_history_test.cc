#include "proxy/warm/pull_history.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <thread>

#include "tests/support/fault_file_system.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_file_system.h"

using namespace paddock;
using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::weeks;

namespace {

using Names = std::vector<std::string>;

const RepositoryKey paddle{"up.example", "paddlepaddle/paddle"};
const RepositoryKey other{"up.example", "other"};

Names names(const std::vector<PulledTags>& pulled) {
  Names all;
  for (const auto& [repository, tags] : pulled) {
    for (const auto& tag : tags) all.push_back(repository.repository + ":" + tag);
  }
  return all;
}

struct HistoryFixture {
  HistoryFixture() { fs.create_directories("/jobs").value(); }

  PullHistory make(std::size_t most = 100) {
    return {fs, "/jobs/pulls.json", clock, {.most_tags = most, .offset = [this](WallTime) { return offset; }}};
  }
  PullHistory& begin(days kept = days(28)) {
    auto& made = *histories.emplace_back(std::make_unique<PullHistory>(
        fs, "/jobs/pulls.json", clock, PullHistory::Options{.offset = [this](WallTime) { return offset; }}));
    made.keep(kept);
    return made;
  }
  // At this hour of the calendar, as the clock stands.
  [[nodiscard]] LocalHour now() const {
    return local_hour(clock.wall(), [this](WallTime) { return offset; });
  }

  bool written() { return read_file(fs, "/jobs/pulls.json", 1 << 20).has_value(); }

  std::chrono::seconds offset{0};
  ManualClock clock;
  MemoryFileSystem disk;
  FaultFileSystem fs{disk};
  std::vector<std::unique_ptr<PullHistory>> histories;
};

}  // namespace

TEST_CASE_METHOD(HistoryFixture,
                 "what is asked for at the same hour of the same weekday is usual from the second week on") {
  auto& history = begin();
  const auto hour = now();
  history.record(paddle, "2.6.2");
  CHECK(history.usual(hour + weeks(1), days(28)).empty());
  clock.advance(days(7));
  history.record(paddle, "2.6.2");
  clock.advance(1h);
  history.record(paddle, "3.0.0");
  CHECK(names(history.usual(hour + weeks(2), days(28))) == Names{"paddlepaddle/paddle:2.6.2"});
  CHECK(history.usual(hour + weeks(2) + 1h, days(28)).empty());
  CHECK(history.usual(hour + weeks(2) - days(1), days(28)).empty());
}

TEST_CASE_METHOD(HistoryFixture, "usual is what was asked for in half of the weeks") {
  auto& history = begin(days(56));
  const auto hour = now();
  for (int week = 0; week < 8; ++week) {
    if (week < 3) history.record(paddle, "three times");
    if (week % 2 == 0) history.record(paddle, "four times");
    clock.advance(days(7));
  }
  CHECK(names(history.usual(hour + weeks(8), days(56))) == Names{"paddlepaddle/paddle:four times"});
}

TEST_CASE_METHOD(HistoryFixture, "with a week's memory once is usual") {
  auto& history = begin(days(7));
  const auto hour = now();
  history.record(paddle, "a");
  CHECK(names(history.usual(hour + weeks(1), days(7))) == Names{"paddlepaddle/paddle:a"});
}

TEST_CASE_METHOD(HistoryFixture, "hours are those of the local calendar") {
  offset = 5h + 30min;
  auto& history = begin(days(7));
  const auto hour = now();  // 03:43
  clock.advance(20min);     // 04:03; in Greenwich the hour is the same
  history.record(paddle, "a");
  CHECK(history.usual(hour + weeks(1), days(7)).empty());
  CHECK_FALSE(history.usual(hour + 1h + weeks(1), days(7)).empty());
}

TEST_CASE("an hour of the local calendar") {
  const auto time = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 27)) + 23h + 45min;
  const auto hour = local_hour(time, [](WallTime) { return 5h + 30min; });
  CHECK(hour == std::chrono::local_days(std::chrono::year(2026) / 11 / 28) + 5h);
  CHECK(local_hour(time, [](WallTime) { return -24h; }) ==
        std::chrono::local_days(std::chrono::year(2026) / 11 / 26) + 23h);
}

TEST_CASE_METHOD(HistoryFixture, "all that was asked for of late, each once") {
  auto& history = begin();
  history.record(other, "1");
  clock.advance(days(10));
  for (int i = 0; i < 5; ++i) history.record(paddle, "b");
  history.record(paddle, "a");
  CHECK(names(history.pulled(days(7))) == Names{"paddlepaddle/paddle:a", "paddlepaddle/paddle:b"});
  CHECK(names(history.pulled(days(14))) == Names{"other:1", "paddlepaddle/paddle:a", "paddlepaddle/paddle:b"});
}

TEST_CASE_METHOD(HistoryFixture, "nothing is noted unless somebody wants it") {
  auto& history = begin(days(0));
  history.record(paddle, "a");
  CHECK(history.pulled(days(7)).empty());
  CHECK(history.save());
  CHECK_FALSE(written());
}

TEST_CASE_METHOD(HistoryFixture, "who goes through all tags once displaces none that is asked for again and again") {
  auto history = make(3);
  history.keep(days(28));
  history.record(other, "old");
  clock.advance(days(7));
  for (int hour = 0; hour < 2; ++hour) {
    history.record(paddle, "often");
    clock.advance(1h);
  }
  clock.advance(days(7));
  for (const auto* tag : {"a", "b", "c"}) {
    history.record(paddle, tag);
    clock.advance(days(7));
  }
  CHECK(names(history.pulled(days(90))) ==
        Names{"paddlepaddle/paddle:b", "paddlepaddle/paddle:c", "paddlepaddle/paddle:often"});
}

TEST_CASE_METHOD(HistoryFixture, "it survives a restart, without what is too old") {
  auto& before = begin();
  before.record(other, "old");
  clock.advance(days(35));
  const auto hour = now();
  before.record(paddle, "a");
  clock.advance(days(7));
  before.record(paddle, "a");
  REQUIRE(before.save());

  auto& after = begin();
  REQUIRE(after.load());
  CHECK(names(after.pulled(days(365))) == Names{"paddlepaddle/paddle:a"});
  CHECK_FALSE(after.usual(hour + weeks(2), days(28)).empty());
}

TEST_CASE_METHOD(HistoryFixture, "it is written only when there is something new, and again after a failure") {
  auto& history = begin();
  history.record(paddle, "a");
  fs.fail_all(FaultFileSystem::Op::rename, ErrorCode::no_space);
  CHECK_FALSE(history.save());
  fs.clear();
  REQUIRE(history.save());
  CHECK(written());
  fs.fail_all(FaultFileSystem::Op::rename, ErrorCode::no_space);
  history.record(paddle, "a");  // the same hour
  CHECK(history.save());
}

TEST_CASE_METHOD(HistoryFixture, "a clock that is wrong for a while takes nothing away") {
  auto& history = begin();
  const auto hour = now();
  history.record(paddle, "a");
  clock.advance(-days(4000));
  history.record(paddle, "a");
  history.record(paddle, "b");
  REQUIRE(history.save());
  clock.advance(days(4007));
  CHECK(history.usual(hour + weeks(1), days(7)).size() == 1);
  CHECK(names(history.pulled(days(28))) == Names{"paddlepaddle/paddle:a"});
  history.record(paddle, "c");
  clock.advance(-days(7));
  CHECK(names(history.pulled(days(28))) == Names{"paddlepaddle/paddle:a"});  // not what is to come
}

TEST_CASE_METHOD(HistoryFixture, "a file that makes no sense is an error, and nothing is taken from it") {
  const std::string none(168, '0'), full(168, '1');
  const auto tag = [](const std::string& weeks) {
    return R"({"tags": [{"upstream": "u", "repository": "r", "tag": "t", "weeks": )" + weeks + "}]}";
  };
  const auto text = GENERATE_COPY(
      std::string(), std::string("nonsense"), std::string("[]"), std::string("{}"), std::string(R"({"tags": {}})"),
      std::string(R"({"tags": [1]})"), std::string(R"({"tags": [{}]})"), tag("{}"), tag("[]"), tag(R"({"1": 1})"),
      tag(R"({"1": ")" + none + "\"}"), tag(R"({"1": ")" + full + "1\"}"), tag(R"({"1": ")" + full.substr(1) + "2\"}"),
      tag(R"({"x": ")" + full + "\"}"), tag(R"({"99999999999999999999": ")" + full + "\"}"),
      std::string(R"({"tags": [{"upstream": "u", "repository": "r", "tag": 1, "weeks": {"1": ")" + full + "\"}}]}"));
  write_file_durably(fs, "/jobs/pulls.json", text).value();
  auto& history = begin();
  const auto loaded = history.load();
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code == ErrorCode::corrupt);
  CHECK(loaded.error().context.contains("/jobs/pulls.json"));
  CHECK(history.pulled(days(100'000)).empty());
  CHECK(read_file(fs, "/jobs/pulls.json.damaged", 1 << 20) == text);
  history.record(paddle, "a");
  CHECK(history.save());
  CHECK(written());
}

TEST_CASE_METHOD(HistoryFixture, "a file that cannot be read is left alone") {
  auto& before = begin();
  before.record(paddle, "a");
  REQUIRE(before.save());
  fs.fail_path("/jobs/pulls.json", ErrorCode::io);
  auto& history = begin();
  CHECK(history.load().error().code == ErrorCode::io);
  fs.clear();
  history.record(paddle, "b");
  CHECK(history.save());
  auto& after = begin();
  REQUIRE(after.load());
  CHECK(names(after.pulled(days(28))) == Names{"paddlepaddle/paddle:a"});
}

TEST_CASE_METHOD(HistoryFixture, "many ask at once while it is written") {
  auto& history = begin();
  std::atomic<bool> done{false}, failed{false};
  std::thread writer([&] {
    while (!done) failed = failed || !history.save();
  });
  std::vector<std::thread> clients;
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back([&history, client] {
      for (int i = 0; i < 200; ++i) history.record(paddle, std::to_string(client) + "-" + std::to_string(i));
    });
  }
  for (auto& client : clients) client.join();
  done = true;
  writer.join();
  CHECK_FALSE(failed);
  CHECK(names(history.pulled(days(7))).size() == 800);
}

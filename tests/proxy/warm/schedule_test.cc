#include "proxy/warm/schedule.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using paddock::Schedule;
using paddock::schedule_jitter;
using paddock::UtcOffset;
using paddock::WallTime;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

namespace {

std::chrono::seconds utc(WallTime) { return 0s; }

WallTime at(int year, unsigned month, unsigned day, int hour = 0, int minute = 0, int second = 0) {
  return sys_days(std::chrono::year(year) / month / day) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         seconds(second);
}

// "2026-03-29 02:30", of an instant as it is in UTC.
std::string shown(WallTime time) {
  const std::time_t instant = time.time_since_epoch().count();
  std::tm broken{};
  ::gmtime_r(&instant, &broken);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &broken)};
}

Schedule schedule(std::string_view text) {
  auto parsed = Schedule::parse(text);
  INFO(text << (parsed ? "" : ": " + parsed.error().context));
  REQUIRE(parsed);
  return *parsed;
}

std::string next_of(std::string_view text, WallTime after) { return shown(schedule(text).next(after, 0s, utc)); }

// Berlin in 2026: two hours ahead of UTC from 29 March 01:00 UTC to 25 October 01:00 UTC, else one.
std::chrono::seconds berlin(WallTime time) {
  return time >= at(2026, 3, 29, 1) && time < at(2026, 10, 25, 1) ? 2h : 1h;
}

// In UTC, all that is due within a span.
std::vector<std::string> due(std::string_view text, WallTime from, WallTime to, const UtcOffset& offset) {
  std::vector<std::string> times;
  const Schedule parsed = schedule(text);
  for (WallTime time = parsed.next(from - 1s, 0s, offset); time < to; time = parsed.next(time, 0s, offset)) {
    times.push_back(shown(time).substr(11));
    REQUIRE(times.size() < 200);
  }
  return times;
}

using Times = std::vector<std::string>;

}  // namespace

TEST_CASE("the next time is the first that fits after the given one") {
  const WallTime now = at(2026, 11, 27, 4, 40, 9);  // a Friday
  CHECK(next_of("* * * * *", now) == "2026-11-27 04:41");
  CHECK(next_of("*/10 * * * *", now) == "2026-11-27 04:50");
  CHECK(next_of("0 */6 * * *", now) == "2026-11-27 06:00");
  CHECK(next_of("30 2 * * *", now) == "2026-11-28 02:30");
  CHECK(next_of("40 4 * * *", now) == "2026-11-28 04:40");
  CHECK(next_of("41 4 * * *", now) == "2026-11-27 04:41");
  CHECK(next_of("0 3 * * mon", now) == "2026-11-30 03:00");
  CHECK(next_of("0 3 1 * *", now) == "2026-12-01 03:00");
  CHECK(next_of("0 3 1 jan *", now) == "2027-01-01 03:00");
  CHECK(next_of("15,45 8-10 * * mon-fri", now) == "2026-11-27 08:15");
  CHECK(next_of("5-59/20 * * * *", now) == "2026-11-27 04:45");
  CHECK(next_of("0 0 29 2 *", now) == "2028-02-29 00:00");
  CHECK(next_of("59 23 31 12 *", now) == "2026-12-31 23:59");
}

TEST_CASE("a time that is due now is not the next one") {
  CHECK(next_of("0 4 * * *", at(2026, 1, 1, 4)) == "2026-01-02 04:00");
  CHECK(next_of("0 4 * * *", at(2026, 1, 1, 3, 59, 59)) == "2026-01-01 04:00");
  CHECK(next_of("* * * * *", at(2026, 1, 1)) == "2026-01-01 00:01");
}

TEST_CASE("days of month and of week: either if both are given, both if one begins with a star") {
  const WallTime now = at(2026, 11, 1);  // a Sunday
  CHECK(next_of("0 1 13 * fri", now) == "2026-11-06 01:00");
  CHECK(next_of("0 1 2 * fri", now) == "2026-11-02 01:00");
  CHECK(next_of("0 1 */2 * fri", now) == "2026-11-13 01:00");  // the first odd day that is a Friday
  CHECK(next_of("0 1 13 * *", now) == "2026-11-13 01:00");
}

TEST_CASE("Sunday is 0, 7 and sun, in ranges at either end") {
  const WallTime saturday = at(2026, 11, 28, 12);
  for (const char* const text : {"0 0 * * 0", "0 0 * * 7", "0 0 * * sun", "0 0 * * SUN", "0 0 * * sun-mon",
                                 "0 0 * * 6-7", "0 0 * * sat-sun", "0 0 * * 5-0"}) {
    CAPTURE(text);
    CHECK(next_of(text, saturday) == "2026-11-29 00:00");
  }
  CHECK(next_of("0 0 * * 1-6", saturday) == "2026-11-30 00:00");
}

TEST_CASE("names and shorthands, in any case") {
  const WallTime now = at(2026, 11, 27, 4, 40);
  CHECK(next_of("0 0 1 Jan,MAR-may *", now) == "2027-01-01 00:00");
  CHECK(next_of("@hourly", now) == "2026-11-27 05:00");
  CHECK(next_of("@daily", now) == "2026-11-28 00:00");
  CHECK(next_of("@midnight", now) == "2026-11-28 00:00");
  CHECK(next_of("@weekly", now) == "2026-11-29 00:00");
  CHECK(next_of("@monthly", now) == "2026-12-01 00:00");
  CHECK(next_of("@yearly", now) == "2027-01-01 00:00");
  CHECK(next_of("@Annually", now) == "2027-01-01 00:00");
  CHECK(schedule("@daily").text() == "@daily");
  CHECK(next_of("  0\t4 * * *  ", now) == "2026-11-28 04:00");
}

TEST_CASE("a rare day is found however far away") {
  CHECK(next_of("0 0 29 2 */7", at(2096, 3, 1)) == "2128-02-29 00:00");  // a Sunday
  CHECK(next_of("0 0 29 2 *", at(2096, 3, 1)) == "2104-02-29 00:00");
}

TEST_CASE("when clocks go forward, what is left out is due at the end of the gap") {
  const WallTime from = at(2026, 3, 28, 23), to = at(2026, 3, 29, 5);  // midnight to 7:00 in Berlin
  CHECK(due("30 2 * * *", from, to, berlin) == Times{"01:00"});        // 3:00, as 2:30 does not exist
  CHECK(due("0,30 2 * * *", from, to, berlin) == Times{"01:00"});
  CHECK(due("0 2,3 * * *", from, to, berlin) == Times{"01:00"});
  CHECK(due("30 1-3 * * *", from, to, berlin) == Times{"00:30", "01:00", "01:30"});
  CHECK(due("0 4 * * *", from, to, berlin) == Times{"02:00"});
  CHECK(due("30 * * * *", from, to, berlin) == Times{"23:30", "00:30", "01:30", "02:30", "03:30", "04:30"});
}

TEST_CASE("when clocks go back, what is repeated is due the first time only, but for schedules of every hour") {
  const WallTime from = at(2026, 10, 24, 22), to = at(2026, 10, 25, 4);  // midnight to 5:00 in Berlin
  CHECK(due("30 2 * * *", from, to, berlin) == Times{"00:30"});
  CHECK(due("0,30 2 * * *", from, to, berlin) == Times{"00:00", "00:30"});
  CHECK(due("0 3 * * *", from, to, berlin) == Times{"02:00"});
  CHECK(due("0 1-3 * * *", from, to, berlin) == Times{"23:00", "00:00", "02:00"});
  CHECK(due("0 * * * *", from, to, berlin) == Times{"22:00", "23:00", "00:00", "01:00", "02:00", "03:00"});
  CHECK(due("*/30 * * * *", at(2026, 10, 25), at(2026, 10, 25, 2), berlin) ==
        Times{"00:00", "00:30", "01:00", "01:30"});
}

TEST_CASE("a day may lose its midnight, or be left out whole") {
  // Clocks that go forward at midnight, as in Cuba.
  const auto cuba = [](WallTime time) { return time < at(2026, 3, 8, 5) ? seconds(-5h) : seconds(-4h); };
  CHECK(shown(schedule("0 0 * * *").next(at(2026, 3, 8), 0s, cuba)) == "2026-03-08 05:00");
  CHECK(shown(schedule("0 0 * * *").next(at(2026, 3, 8, 5), 0s, cuba)) == "2026-03-09 04:00");
  // Samoa had no 30 December 2011.
  const auto samoa = [](WallTime time) { return time < at(2011, 12, 30, 10) ? seconds(-10h) : seconds(14h); };
  CHECK(due("0 12 * * *", at(2011, 12, 29), at(2012, 1, 1), samoa) == Times{"22:00", "10:00", "22:00", "22:00"});
}

TEST_CASE("zones far from UTC have their own days") {
  const auto kiritimati = [](WallTime) { return seconds(14h); };
  CHECK(shown(schedule("0 1 * * mon").next(at(2026, 11, 27), 0s, kiritimati)) == "2026-11-29 11:00");
  const auto baker = [](WallTime) { return seconds(-12h); };
  CHECK(shown(schedule("0 23 30 11 *").next(at(2026, 11, 27), 0s, baker)) == "2026-12-01 11:00");
  const auto nepal = [](WallTime) { return seconds(5h + 45min); };
  CHECK(shown(schedule("0 6 * * *").next(at(2026, 11, 27), 0s, nepal)) == "2026-11-27 00:15");
}

TEST_CASE("the zone of the process is what TZ says") {
  const char* const before = std::getenv("TZ");
  const std::optional<std::string> kept = before == nullptr ? std::nullopt : std::optional<std::string>(before);
  ::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
  ::tzset();
  for (WallTime time = at(2026, 1, 1); time < at(2027, 1, 1); time += 1h) {
    if (paddock::system_utc_offset(time) != berlin(time)) FAIL(shown(time));
  }
  CHECK(shown(schedule("30 2 * * *").next(at(2026, 3, 28, 23))) == "2026-03-29 01:00");
  kept ? ::setenv("TZ", kept->c_str(), 1) : ::unsetenv("TZ");
  ::tzset();
}

TEST_CASE("jitter puts every time off by the same") {
  const Schedule hourly = schedule("0 * * * *");
  CHECK(shown(hourly.next(at(2026, 1, 1, 4), 10min, utc)) == "2026-01-01 04:10");
  CHECK(shown(hourly.next(at(2026, 1, 1, 4, 10), 10min, utc)) == "2026-01-01 05:10");
  CHECK(shown(hourly.next(at(2026, 1, 1, 4), 90min, utc)) == "2026-01-01 04:30");
}

TEST_CASE("a rule's jitter depends on its name alone and is spread over the whole") {
  CHECK(schedule_jitter("nightly", 0s) == 0s);
  CHECK(schedule_jitter("nightly", -5s) == 0s);
  CHECK(schedule_jitter("", 10min) == schedule_jitter("", 10min));
  CHECK(schedule_jitter("nightly", 599s) == 458s);  // on every machine
  std::set<seconds> seen;
  for (int i = 0; i < 300; ++i) {
    const seconds jitter = schedule_jitter("rule " + std::to_string(i), 9s);
    CHECK((jitter >= 0s && jitter <= 9s));
    seen.insert(jitter);
  }
  CHECK(seen.size() == 10);
}

TEST_CASE("each time that is found fits, and none before it was left out") {
  std::mt19937 random(23);
  const auto pick = [&](std::initializer_list<const char*> words) {
    return *(words.begin() + random() % words.size());
  };
  for (int round = 0; round < 60; ++round) {
    const std::string text = std::string(pick({"*", "0", "*/7", "13,37", "50-59"})) + ' ' +
                             pick({"*", "2", "*/5", "1-3", "0,23"}) + ' ' + pick({"*", "25", "29", "*/3"}) + ' ' +
                             pick({"*", "3", "10", "3,10"}) + ' ' + pick({"*", "0", "mon-fri", "*/2"});
    CAPTURE(text);
    const Schedule parsed = schedule(text);
    const WallTime from = at(2026, 3, 1) + seconds(random() % (250 * 86'400));
    const WallTime next = parsed.next(from, 0s, berlin);
    REQUIRE(next > from);
    CHECK(next.time_since_epoch().count() % 60 == 0);
    CHECK(parsed.next(next - 1s, 0s, berlin) == next);
    const WallTime between = from + (next - from) / 2;
    CHECK(parsed.next(between, 0s, berlin) == next);
  }
}

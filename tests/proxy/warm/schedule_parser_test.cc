#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "proxy/warm/schedule.h"

using Catch::Matchers::Contains;
using namespace std::chrono_literals;
using paddock::Schedule;

TEST_CASE("an error names the column and what to write") {
  struct Case {
    std::string text, error;
  };
  const auto c = GENERATE(values<Case>({
      {"", "column 1: the minute is missing; there are five fields, as in '0 */6 * * *'"},
      {"0 4 * *", "column 8: the day of week is missing"},
      {"0 0 4 * * *", "column 11: there is a sixth field; five are minute, hour,"},
      {"60 * * * *", "column 1: '60' is no minute, which is 0-59"},
      {"0 24 * * *", "column 3: '24' is no hour, which is 0-23"},
      {"0 0 0 * *", "column 5: '0' is no day of month, which is 1-31"},
      {"0 0 32 * *", "column 5: '32' is no day of month"},
      {"0 0 1 13 *", "column 7: '13' is no month, which is 1-12 or jan-dec"},
      {"0 0 1 janu *", "column 7: 'janu' is no month"},
      {"0 0 * * 8", "column 9: '8' is no day of week, which is 0-7 or sun-sat"},
      {"0 0 * * mon,,tue", "column 13: '' is no day of week"},
      {"1,2,x * * * *", "column 5: 'x' is no minute"},
      {"5-x * * * *", "column 3: 'x' is no minute"},
      {"-5 * * * *", "column 1: '' is no minute"},
      {"1-2-3 * * * *", "column 3: '2-3' is no minute"},
      {"+5 * * * *", "column 1: '+5' is no minute"},
      {"** * * * *", "column 1: '**' is no minute"},
      {"*5 * * * *", "column 1: '*5' is no minute"},
      {"? * * * *", "column 1: '?' is no minute"},
      {"99999999999 * * * *", "column 1: '99999999999' is no minute"},
      {"0 17-9 * * *", "column 3: the range runs backwards; write it as two, separated by a comma"},
      {"0 17-0 * * *", "column 3: the range runs backwards"},
      {"*/0 * * * *", "column 3: a step is a number from 1, not '0'"},
      {"*/ * * * *", "column 3: a step is a number from 1, not ''"},
      {"*/5/5 * * * *", "column 3: a step is a number from 1, not '5/5'"},
      {"*/90 * * * *", "column 3: a step of 90 is larger than the whole of the field, minute 0-59"},
      {"5/15 * * * *", "column 1: a step needs a range: write '5-59/15'"},
      {"0 0 31 2 *", "column 5: it never comes: no month that is named has such a day"},
      {"0 0 30-31 feb *", "column 5: it never comes"},
      {"0 0 31 2,4,6,9,11 *", "column 5: it never comes"},
      {"0 0 31 2 */2", "column 5: it never comes"},
      {"@reboot", "column 1: '@reboot' is not known; there are @hourly, @daily, @weekly, @monthly and @yearly"},
      {"@daily 5", "column 1: '@daily 5' is not known"},
      {"every day", "column 10: the day of month is missing"},
  }));
  CAPTURE(c.text);
  const auto parsed = Schedule::parse(c.text);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == paddock::ErrorCode::invalid_argument);
  CHECK(parsed.error().blame == paddock::Blame::client);
  CHECK_THAT(parsed.error().context, Contains("schedule: " + c.error));
}

TEST_CASE("what comes once in years is allowed") {
  CHECK(Schedule::parse("0 0 29 2 *"));
  CHECK(Schedule::parse("0 0 31 1,2 *"));
  CHECK(Schedule::parse("0 0 31 2 mon"));  // on Mondays in February
}

TEST_CASE("a text has a greatest length") {
  CHECK(Schedule::parse("0 0 * * *" + std::string(247, ' ')));
  const auto parsed = Schedule::parse("0 0 * * *" + std::string(248, ' '));
  REQUIRE_FALSE(parsed);
  CHECK_THAT(parsed.error().context, Contains("longer than 256 bytes"));
}

TEST_CASE("an error shows hostile text shortened and without control characters") {
  const auto parsed = Schedule::parse("\x1b[31m" + std::string(200, 'x'));
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().context.find('\x1b') == std::string::npos);
  CHECK(parsed.error().context.size() < 250);
}

TEST_CASE("whatever is written is refused, or comes within fifty years") {
  std::mt19937 random(29);
  static constexpr std::string_view letters = "0123456789**,-/  jansumo@\xff";
  const auto utc = [](paddock::WallTime) { return 0s; };
  const paddock::WallTime now{1'800'000'000s};
  int accepted = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string text;
    for (unsigned length = random() % 6; length > 0; --length) text += letters[random() % letters.size()];
    const auto parsed = Schedule::parse(random() % 2 == 0 ? text + " * 2 2 *" : "0 0 * " + text + " *");
    if (!parsed) continue;
    ++accepted;
    const auto next = parsed->next(now, 0s, utc);
    if (next <= now || next > now + std::chrono::days(50 * 366)) FAIL(text);
  }
  CHECK(accepted > 1'000);
}

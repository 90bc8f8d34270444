// Schedule: when a rule is due, written as in crontab: minute, hour, day of month, month, day of week.
//
//   0 */6 * * *     30 2 * * mon-fri     0 4 1,15 jan-jun *     @daily
//
// Each field is *, a number, a range or a list of these; ranges and * take a step (/2). Months and days of the week
// have names, Sunday is 0 and 7. As in cron, a day is due when its day of month or its day of week fits if both are
// given, else both must. @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually stand for what they say.
//
// Times are local times. When clocks go forward, what falls into the hour that is left out is due at its end; when they
// go back, what falls into the hour that is repeated is due once, the first time. A schedule for every hour follows the
// clock instead: due in both, and in none that is left out.
// A value; immutable, so thread-safe. Errors: invalid_argument, blames the client, names the column; also for what
// never comes (31 February).
#pragma once

#include <bitset>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "storage/clock.h"
#include "storage/error.h"

namespace paddock {

// How far local time is ahead of UTC at an instant.
using UtcOffset = std::function<std::chrono::seconds(WallTime)>;

// That of this process: TZ, or /etc/localtime.
std::chrono::seconds system_utc_offset(WallTime time);

// A share of [0, spread] that depends on the rule's name alone, so that rules with the same schedule don't start
// together and a restart changes nothing.
std::chrono::seconds schedule_jitter(std::string_view rule, std::chrono::seconds spread);

class Schedule {
 public:
  static Result<Schedule> parse(std::string_view text);

  // The first time after `after`, put off by `jitter`.
  [[nodiscard]] WallTime next(WallTime after, std::chrono::seconds jitter = {},
                              const UtcOffset& offset = system_utc_offset) const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  Schedule() = default;
  friend class ScheduleParser;
  [[nodiscard]] bool is_due_on(std::chrono::year_month_day day) const;

  std::string text_;
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;  // from 1
  std::bitset<13> months_;
  std::bitset<8> weekdays_;  // Sunday is 0
  bool any_day_ = false;     // these two: the field begins with *
  bool any_weekday_ = false;
};

}  // namespace paddock

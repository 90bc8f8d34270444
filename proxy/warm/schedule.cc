#include "proxy/warm/schedule.h"

#include <algorithm>
#include <cstdint>
#include <ctime>

namespace paddock {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;

constexpr int days_ahead = 50 * 366;  // 29 February on a given weekday is at most 40 years away

// The instants of one day's local times. A day has one change of the clocks at most.
class LocalDay {
 public:
  // `midnight` and the times asked for count as if they were UTC.
  LocalDay(WallTime midnight, const UtcOffset& offset) {
    WallTime low = midnight - hours(26);  // the day as it is in any zone lies between these
    WallTime high = midnight + hours(50);
    before_ = offset(low);
    after_ = offset(high);
    if (before_ == after_) return;
    while (high - low > seconds(1)) {
      const WallTime middle = low + (high - low) / 2;
      (offset(middle) == before_ ? low : high) = middle;
    }
    change_ = high;
  }

  // The earliest instant after `after` at which it is this time, or at which it has been left out; max() if there is
  // none.
  [[nodiscard]] WallTime due(WallTime local, WallTime after, bool every_hour) const {
    const WallTime early = local - before_;
    const WallTime late = local - after_;
    if (before_ == after_) return early > after ? early : WallTime::max();
    const bool is_early = early < change_;
    const bool is_late = late >= change_;
    if (is_early && early > after) return early;
    if (is_late && late > after && (every_hour || !is_early)) return late;
    if (!is_early && !is_late && !every_hour && change_ > after) return change_;
    return WallTime::max();
  }

 private:
  seconds before_{};
  seconds after_{};
  WallTime change_{};
};

}  // namespace

seconds system_utc_offset(WallTime time) {
  const std::time_t instant = time.time_since_epoch().count();
  std::tm local{};
  return ::localtime_r(&instant, &local) == nullptr ? seconds(0) : seconds(local.tm_gmtoff);
}

seconds schedule_jitter(std::string_view rule, seconds spread) {
  if (spread <= seconds(0)) return seconds(0);
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a: the same on every machine and in every version
  for (const char c : rule) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return seconds(hash % (static_cast<std::uint64_t>(spread.count()) + 1));
}

bool Schedule::is_due_on(std::chrono::year_month_day day) const {
  if (!months_[static_cast<unsigned>(day.month())]) return false;
  const bool day_fits = days_[static_cast<unsigned>(day.day())];
  const bool weekday_fits = weekdays_[std::chrono::weekday(sys_days(day)).c_encoding()];
  return any_day_ || any_weekday_ ? day_fits && weekday_fits : day_fits || weekday_fits;
}

WallTime Schedule::next(WallTime after, seconds jitter, const UtcOffset& offset) const {
  after -= jitter;
  const sys_days today = std::chrono::floor<days>(after + offset(after));
  for (sys_days day = today; day <= today + days(days_ahead); day += days(1)) {
    if (!is_due_on(day)) continue;
    const LocalDay local(day, offset);
    WallTime first = WallTime::max();
    for (std::size_t hour = 0; hour < hours_.size(); ++hour) {
      for (std::size_t minute = 0; hours_[hour] && minute < minutes_.size(); ++minute) {
        if (!minutes_[minute]) continue;
        first = std::min(first, local.due(day + hours(hour) + minutes(minute), after, hours_.all()));
      }
    }
    if (first != WallTime::max()) return first + jitter;
  }
  return WallTime::max();
}

}  // namespace paddock

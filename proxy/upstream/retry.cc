#include "proxy/upstream/retry.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <random>

namespace paddock {
namespace {

constexpr std::chrono::seconds longest{std::chrono::hours(24)};

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text.front() == '-' || error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::optional<unsigned> month_of(std::string_view text) {
  static constexpr std::array<std::string_view, 12> names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::ranges::find(names, text);
  if (found == names.end()) return std::nullopt;
  return static_cast<unsigned>(found - names.begin()) + 1;
}

std::optional<std::chrono::seconds> time_of_day(std::string_view text) {
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') return std::nullopt;
  const auto hour = number(text.substr(0, 2));
  const auto minute = number(text.substr(3, 2));
  const auto second = number(text.substr(6, 2));
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
}

// The words tell by their shape what they are: a month, a time, then the day of the month before the year.
std::optional<WallTime> parse_http_date(std::string_view text) {
  if (text.size() > 40) return std::nullopt;
  std::optional<unsigned> month;
  std::optional<std::chrono::seconds> time;
  std::optional<int> day, year;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(" ,-"), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (const auto m = month_of(word))
      month = m;
    else if (const auto t = time_of_day(word))
      time = t;
    else if (const auto n = number(word))
      (day ? year : day) = n;
  }
  if (!month || !time || !day || !year) return std::nullopt;
  if (*year < 100) *year += *year < 70 ? 2000 : 1900;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *year > 9999) return std::nullopt;
  return std::chrono::sys_days(date) + *time;
}

}  // namespace

bool is_retryable_status(int status) {
  return status == 408 || status == 429 ||
         (status >= 500 && status <= 599 && status != 501 && status != 505 && status != 508);
}

std::optional<std::chrono::milliseconds> retry_delay(const RetryPolicy& policy, const FailedAttempt& failed,
                                                     double random) {
  if (!failed.retryable || failed.number >= policy.attempts) return std::nullopt;
  const auto doublings = std::min<std::size_t>(failed.number - 1, 20);
  const auto ceiling = std::min<std::chrono::milliseconds>(policy.base * (1LL << doublings), policy.cap);
  auto delay = std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(ceiling.count()) * random));
  if (failed.retry_after) delay += *failed.retry_after;
  if (delay >= failed.time_left) return std::nullopt;
  return delay;
}

double jitter() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<>()(generator);
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, WallTime now) {
  if (!value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; })) {
    return std::chrono::seconds(std::min<std::int64_t>(number(value).value_or(INT32_MAX), longest.count()));
  }
  const auto date = parse_http_date(value);
  if (!date) return std::nullopt;
  return std::clamp(*date - now, std::chrono::seconds(0), longest);
}

}  // namespace paddock

// Schedule::parse.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <utility>

#include "proxy/oci/ascii.h"
#include "proxy/oci/printable.h"
#include "proxy/warm/schedule.h"

namespace paddock {
namespace {

constexpr std::size_t text_limit = 256;

struct Field {
  std::string_view name;
  unsigned first;
  unsigned last;
  std::span<const std::string_view> names{};  // of `first` and those that follow
};

constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<Field, 5> fields{{{"minute", 0, 59},
                                       {"hour", 0, 23},
                                       {"day of month", 1, 31},
                                       {"month", 1, 12, month_names},
                                       {"day of week", 0, 7, weekday_names}}};
constexpr std::size_t weekday_field = 4;
constexpr unsigned sunday = 7;  // the other name of 0

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> shorthands{{{"@hourly", "0 * * * *"},
                                                                                   {"@daily", "0 0 * * *"},
                                                                                   {"@midnight", "0 0 * * *"},
                                                                                   {"@weekly", "0 0 * * 0"},
                                                                                   {"@monthly", "0 0 1 * *"},
                                                                                   {"@yearly", "0 0 1 1 *"},
                                                                                   {"@annually", "0 0 1 1 *"}}};

std::unexpected<Error> refuse(std::string_view why) {
  return fail(ErrorCode::invalid_argument, Blame::client, "schedule: " + std::string(why));
}

std::unexpected<Error> refuse(std::size_t column, std::string_view why) {
  return refuse("column " + std::to_string(column) + ": " + std::string(why));
}

std::string range_of(const Field& field) {
  std::string text = std::to_string(field.first) + "-" + std::to_string(field.last);
  if (!field.names.empty()) text.append(" or ").append(field.names.front()).append("-").append(field.names.back());
  return text;
}

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Word {
  std::string_view text;
  std::size_t column;
};

// What is in front of the separator; the rest stays in `word`.
Word take_until(Word& word, char separator) {
  const std::size_t end = std::min(word.text.find(separator), word.text.size());
  const Word taken{word.text.substr(0, end), word.column};
  const std::size_t used = std::min(end + 1, word.text.size());
  word = {word.text.substr(used), word.column + used};
  return taken;
}

Result<unsigned> value(const Field& field, Word word) {
  const auto is_name = [&](std::string_view name) { return same_without_case(word.text, name); };
  const auto name = std::ranges::find_if(field.names, is_name);
  if (name != field.names.end()) return field.first + static_cast<unsigned>(name - field.names.begin());
  const auto found = number(word.text);
  if (found && *found >= field.first && *found <= field.last) return *found;
  return refuse(word.column,
                quote(word.text, 40) + " is no " + std::string(field.name) + ", which is " + range_of(field));
}

Result<unsigned> step(const Field& field, Word word) {
  const auto found = number(word.text);
  if (!found || *found == 0) return refuse(word.column, "a step is a number from 1, not " + quote(word.text, 40));
  if (*found <= field.last - field.first) return *found;
  return refuse(word.column, "a step of " + std::to_string(*found) + " is larger than the whole of the field, " +
                                 std::string(field.name) + " " + range_of(field));
}

struct Range {
  unsigned first;
  unsigned last;
};

Result<Range> range(const Field& field, Word word) {
  if (word.text == "*") return Range{field.first, field.last};
  const std::size_t column = word.column;
  const bool one = word.text.find('-') == std::string_view::npos;
  const auto first = value(field, take_until(word, '-'));
  if (!first) return std::unexpected(first.error());
  if (one) return Range{*first, *first};
  auto last = value(field, word);
  if (!last) return std::unexpected(last.error());
  if (*last == 0 && field.last == sunday) *last = sunday;  // sat-sun
  if (*last >= *first) return Range{*first, *last};
  return refuse(column, "the range runs backwards; write it as two, separated by a comma");
}

// *, 5, 1-5, and with a step.
Result<std::uint64_t> item(const Field& field, Word word) {
  const bool has_step = word.text.find('/') != std::string_view::npos;
  const Word front = take_until(word, '/');
  const auto span = range(field, front);
  if (!span) return std::unexpected(span.error());
  if (has_step && front.text != "*" && front.text.find('-') == std::string_view::npos) {
    const std::string usual = std::string(front.text) + "-" + std::to_string(field.last) + "/" + std::string(word.text);
    return refuse(front.column, "a step needs a range: write " + quote(usual, 40));
  }
  const auto by = has_step ? step(field, word) : Result<unsigned>(1);
  if (!by) return std::unexpected(by.error());
  std::uint64_t bits = 0;
  for (unsigned i = span->first; i <= span->last; i += *by) bits |= std::uint64_t{1} << i;
  return bits;
}

Result<std::uint64_t> list(const Field& field, Word word) {
  std::uint64_t bits = 0;
  bool more = true;
  while (more) {
    more = word.text.find(',') != std::string_view::npos;
    const auto one = item(field, take_until(word, ','));
    if (!one) return one;
    bits |= *one;
  }
  return bits;
}

Result<std::array<Word, 5>> split(std::string_view text) {
  static constexpr std::string_view blanks = " \t";
  std::array<Word, 5> words{};
  std::size_t count = 0;
  for (std::size_t at = text.find_first_not_of(blanks); at < text.size(); at = text.find_first_not_of(blanks, at)) {
    const std::size_t end = std::min(text.find_first_of(blanks, at), text.size());
    if (count == words.size()) {
      return refuse(at + 1, "there is a sixth field; five are minute, hour, day of month, month, day of week");
    }
    words[count++] = {text.substr(at, end - at), at + 1};
    at = end;
  }
  if (count == words.size()) return words;
  return refuse(text.size() + 1,
                "the " + std::string(fields[count].name) + " is missing; there are five fields, as in '0 */6 * * *'");
}

}  // namespace

class ScheduleParser {
 public:
  static Result<Schedule> parse(std::string_view text) {
    const auto words = split(text);
    if (!words) return std::unexpected(words.error());
    std::array<std::uint64_t, 5> bits{};
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const auto found = list(fields[i], (*words)[i]);
      if (!found) return std::unexpected(found.error());
      bits[i] = *found;
    }
    if ((bits[weekday_field] & 0x80U) != 0) bits[weekday_field] |= 1U;  // 7 is Sunday too
    Schedule schedule;
    schedule.minutes_ = bits[0];
    schedule.hours_ = bits[1];
    schedule.days_ = bits[2];
    schedule.months_ = bits[3];
    schedule.weekdays_ = bits[weekday_field];
    schedule.any_day_ = (*words)[2].text.starts_with('*');
    schedule.any_weekday_ = (*words)[weekday_field].text.starts_with('*');
    if (is_possible(schedule)) return schedule;
    return refuse((*words)[2].column, "it never comes: no month that is named has such a day");
  }

 private:
  static bool is_possible(const Schedule& schedule) {
    if (!schedule.any_day_ && !schedule.any_weekday_) return true;  // a day of the week comes in every month
    static constexpr std::array<unsigned, 12> lengths{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (unsigned month = 1; month <= lengths.size(); ++month) {
      for (unsigned day = 1; schedule.months_[month] && day <= lengths[month - 1]; ++day) {
        if (schedule.days_[day]) return true;
      }
    }
    return false;
  }
};

Result<Schedule> Schedule::parse(std::string_view text) {
  if (text.size() > text_limit) return refuse("it is longer than " + std::to_string(text_limit) + " bytes");
  std::string_view meant = text;
  if (text.starts_with('@')) {
    const auto* const found =
        std::ranges::find_if(shorthands, [&](const auto& pair) { return same_without_case(text, pair.first); });
    if (found == shorthands.end()) {
      return refuse(1, quote(text, 40) + " is not known; there are @hourly, @daily, @weekly, @monthly and @yearly");
    }
    meant = found->second;
  }
  auto schedule = ScheduleParser::parse(meant);
  if (schedule) schedule->text_ = text;
  return schedule;
}

}  // namespace paddock

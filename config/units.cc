#include "config/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <system_error>

#include "config/text.h"

namespace paddock::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 9> size_units{{{"B", 1},
                                          {"KiB", 1ULL << 10U},
                                          {"MiB", 1ULL << 20U},
                                          {"GiB", 1ULL << 30U},
                                          {"TiB", 1ULL << 40U},
                                          {"KB", 1000ULL},
                                          {"MB", 1000'000ULL},
                                          {"GB", 1000'000'000ULL},
                                          {"TB", 1000'000'000'000ULL}}};
constexpr std::uint64_t size_limit = std::uint64_t{1} << 60U;

// From large to small: a duration names them in this order.
constexpr std::array<Unit, 6> duration_units{
    {{"w", 604'800'000}, {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::uint64_t duration_limit = std::uint64_t{100} * 365 * 86'400'000;  // a century

std::unexpected<Error> invalid(std::string_view text, std::string_view rule) {
  return paddock::fail(ErrorCode::invalid_argument, Blame::us, cat({quote(text), " is not ", rule}));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_number_part(char c) { return is_digit(c) || c == '.'; }

std::string_view leading(std::string_view text, bool (*belongs)(char)) {
  const auto end = std::ranges::find_if_not(text, belongs);
  return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

// "5", "1.5"; neither signs nor exponents.
std::optional<double> decimal(std::string_view text) {
  if (text.empty() || !is_digit(text.front()) || !is_digit(text.back()) || text.size() > 20) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view after_blanks(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(' '), text.size()));
}

std::optional<std::uint64_t> whole(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  static constexpr std::string_view rule = "a size: write it as 512MiB, 5GiB or 5GB";
  const std::string_view digits = leading(text, is_number_part);
  const auto value = decimal(digits);
  if (!value) return invalid(text, rule);
  const std::string_view name = after_blanks(text.substr(digits.size()));
  std::uint64_t factor = 1;
  if (!name.empty()) {
    const auto* unit = std::ranges::find(size_units, name, &Unit::name);
    if (unit == size_units.end()) return invalid(text, rule);
    factor = unit->factor;
  }
  if (const auto exact = whole(digits); exact && *exact <= size_limit / factor) return *exact * factor;
  const double bytes = *value * static_cast<double>(factor);
  if (bytes > static_cast<double>(size_limit)) return invalid(text, "a size this program can count: at most 1 EiB");
  if (factor == 1) return invalid(text, rule);  // half a byte
  return static_cast<std::uint64_t>(std::llround(bytes));
}

Result<SizeLimit> parse_size_limit(std::string_view text) {
  static constexpr std::string_view rule = "a limit: write a size with its unit (200GiB) or a share of the disk (80%)";
  if (text.ends_with('%')) {
    const auto value = decimal(text.substr(0, text.size() - 1));
    if (!value) return invalid(text, rule);
    if (*value <= 0 || *value > 100) return invalid(text, "a share of the disk: it is above 0% and at most 100%");
    return SizeLimit{0, *value};
  }
  // "80" may be meant as 80% or 80GiB, hardly as 80 bytes.
  if (text != "0" && !text.empty() && is_digit(text.back())) return invalid(text, rule);
  auto bytes = parse_size(text);
  if (!bytes) return invalid(text, rule);
  return SizeLimit{*bytes, 0};
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  static constexpr std::string_view rule = "a duration: write it as 500ms, 30s, 10m, 1h30m or 30d";
  if (text == "0") return std::chrono::milliseconds{0};
  if (text.empty()) return invalid(text, rule);
  std::uint64_t total = 0;
  const auto* next = duration_units.begin();
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view digits = leading(rest, is_digit);
    rest.remove_prefix(digits.size());
    const std::string_view name = leading(rest, [](char c) { return !is_digit(c); });
    rest.remove_prefix(name.size());
    const auto count = whole(digits);
    const auto* unit = std::ranges::find(next, duration_units.end(), name, &Unit::name);
    if (digits.empty() || unit == duration_units.end()) return invalid(text, rule);
    if (!count || *count > duration_limit / unit->factor) return invalid(text, "a duration below 100 years");
    total += *count * unit->factor;
    next = unit + 1;
  }
  if (total > duration_limit) return invalid(text, "a duration below 100 years");
  return std::chrono::milliseconds{total};
}

}  // namespace paddock::config

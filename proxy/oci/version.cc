#include "proxy/oci/version.h"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include "proxy/oci/ascii.h"

namespace paddock {
namespace {

constexpr std::size_t digit_limit = 9;  // fits 32 bits, and is no hash

struct StageWord {
  std::string_view word;
  Version::Stage stage;
};

constexpr std::array<StageWord, 6> stage_words{{{"alpha", Version::Stage::alpha},
                                                {"a", Version::Stage::alpha},
                                                {"t", Version::Stage::test},
                                                {"beta", Version::Stage::beta},
                                                {"b", Version::Stage::beta},
                                                {"rc", Version::Stage::rc}}};

std::size_t leading_digits(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
}

std::optional<std::uint32_t> number(std::string_view digits) {
  std::uint32_t value = 0;
  if (digits.empty() || digits.size() > digit_limit) return std::nullopt;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

}  // namespace

std::string_view to_string(Version::Stage stage) {
  static constexpr std::array<std::string_view, 5> names{"alpha", "test", "beta", "rc", "release"};
  return names[std::to_underlying(stage)];
}

// What follows the numbers. None is taken when one of them is too long or there are too many.
std::string_view Version::take_parts(std::string_view text) {
  while (count_ < max_parts) {
    const std::size_t digits = leading_digits(text);
    const auto value = number(text.substr(0, digits));
    if (!value) {
      count_ = 0;
      return text;
    }
    parts_[count_++] = *value;
    text.remove_prefix(digits);
    if (text.size() < 2 || text.front() != '.' || !is_digit(text[1])) break;
    text.remove_prefix(1);
  }
  return text;
}

bool Version::take_stage(std::string_view text) {
  if (text.empty()) return true;
  if (text.front() == '.' || text.front() == '-' || text.front() == '_') text.remove_prefix(1);
  const std::size_t letters = static_cast<std::size_t>(std::ranges::find_if(text, is_digit) - text.begin());
  const auto same = [&](const StageWord& candidate) {
    return same_without_case(candidate.word, text.substr(0, letters));
  };
  const auto* const word = std::ranges::find_if(stage_words, same);
  const auto value = number(text.substr(letters));
  if (word == stage_words.end() || !value || leading_digits(text.substr(letters)) != text.size() - letters)
    return false;
  stage_ = word->stage;
  stage_number_ = *value;
  return true;
}

std::optional<Version> Version::parse(std::string_view text) {
  Version version;
  version.text_ = text.substr(0, 128);
  if (same_without_case(text, "latest")) {
    version.latest_ = true;
    return version;
  }
  if (text.size() > 1 && to_lower(text.front()) == 'v') text.remove_prefix(1);
  const std::string_view rest = version.take_parts(text);
  if (version.count_ == 0 || !version.take_stage(rest)) return std::nullopt;
  return version;
}

bool Version::begins_with(const Version& prefix) const {
  if (latest_ || prefix.latest_ || prefix.stage_ != Stage::release) return *this == prefix;
  return std::equal(parts_.begin(), parts_.begin() + static_cast<std::ptrdiff_t>(prefix.count_), prefix.parts_.begin());
}

std::weak_ordering operator<=>(const Version& a, const Version& b) {
  return std::tie(a.latest_, a.parts_, a.stage_, a.stage_number_) <=>
         std::tie(b.latest_, b.parts_, b.stage_, b.stage_number_);
}

}  // namespace paddock

#include "proxy/oci/byte_range.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>

namespace paddock {
namespace {

constexpr std::string_view blanks = " \t";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Digits only. What does not fit 64 bits is larger than any blob and counts as the largest number.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::numeric_limits<std::uint64_t>::max();
  if (error != std::errc{}) return std::nullopt;
  return value;
}

// What follows "bytes" and `separator`.
std::optional<std::string_view> after_unit(std::string_view text, char separator) {
  static constexpr std::string_view unit = "bytes";
  text = trimmed(text);
  const auto same = [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b); };
  if (text.size() <= unit.size() || !std::equal(unit.begin(), unit.end(), text.begin(), same)) return std::nullopt;
  text.remove_prefix(unit.size());
  if (separator == '=') text = trimmed(text);
  if (text.empty() || text.front() != separator) return std::nullopt;
  return trimmed(text.substr(1));
}

// The tag without W/ and quotes. Unquoted ones are taken too: some clients send the bare digest.
std::string_view opaque(std::string_view tag) {
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  if (tag.size() >= 2 && tag.front() == '"' && tag.back() == '"') tag = tag.substr(1, tag.size() - 2);
  return tag;
}

bool same_representation(std::string_view if_range, std::string_view etag) {
  if_range = trimmed(if_range);
  if (if_range.empty() || if_range.starts_with("W/") || etag.starts_with("W/")) return false;
  return opaque(if_range) == opaque(etag);
}

RangeDecision suffix(std::uint64_t count, std::uint64_t size) {
  if (count == 0) return {RangeDecision::Kind::unsatisfiable, {}};
  return {RangeDecision::Kind::partial, {size - std::min(count, size), size - 1}};
}

}  // namespace

RangeDecision decide_range(std::optional<std::string_view> range, std::optional<std::string_view> if_range,
                           std::string_view etag, std::uint64_t size) {
  const RangeDecision whole{};
  if (!range || (if_range && !same_representation(*if_range, etag))) return whole;
  const auto spec = after_unit(*range, '=');
  if (!spec) return whole;
  const std::size_t dash = spec->find('-');
  if (dash == std::string_view::npos) return whole;
  const std::string_view left = trimmed(spec->substr(0, dash));
  const std::string_view right = trimmed(spec->substr(dash + 1));
  const auto first = number(left);
  const auto last = number(right);
  if ((!left.empty() && !first) || (!right.empty() && !last) || (!first && !last)) return whole;
  // Nothing has no range; clients that always send one are better served with the empty whole than with 416.
  if (size == 0) return whole;
  if (!first) return suffix(*last, size);
  if (*first >= size || (last && *first > *last)) return {RangeDecision::Kind::unsatisfiable, {}};
  return {RangeDecision::Kind::partial, {*first, last ? std::min(*last, size - 1) : size - 1}};
}

std::string content_range(ByteRange range, std::uint64_t size) {
  return "bytes " + std::to_string(range.first) + '-' + std::to_string(range.last) + '/' + std::to_string(size);
}

std::string unsatisfied_content_range(std::uint64_t size) { return "bytes */" + std::to_string(size); }

std::optional<ContentRange> parse_content_range(std::string_view value) {
  const auto spec = after_unit(value, ' ');
  if (!spec) return std::nullopt;
  const std::size_t slash = spec->find('/');
  const std::size_t dash = spec->find('-');
  if (slash == std::string_view::npos || dash == std::string_view::npos || dash > slash) return std::nullopt;
  const auto first = number(spec->substr(0, dash));
  const auto last = number(spec->substr(dash + 1, slash - dash - 1));
  if (!first || !last || *first > *last || *last == std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
  ContentRange result{{*first, *last}, std::nullopt};
  const std::string_view size = spec->substr(slash + 1);
  if (size == "*") return result;
  result.size = number(size);
  if (!result.size || *last >= *result.size) return std::nullopt;
  return result;
}

bool matches_etag(std::string_view if_none_match, std::string_view etag) {
  std::string_view rest = trimmed(if_none_match);
  if (rest == "*") return true;
  while (!rest.empty()) {
    std::size_t end = 0;
    for (bool inside = false; end < rest.size() && (inside || rest[end] != ','); ++end) {
      if (rest[end] == '"') inside = !inside;
    }
    const std::string_view tag = trimmed(rest.substr(0, end));
    if (!tag.empty() && opaque(tag) == opaque(etag)) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

}  // namespace paddock

#include "config/text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace paddock::config {
namespace {

constexpr std::size_t shown = 60;

// Optimal string alignment over three rows.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replace, last[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

// The smallest code point that needs a sequence of this length; smaller ones are overlong.
constexpr std::uint32_t smallest_of(std::size_t length) {
  return length == 2 ? 0x80U : length == 3 ? 0x800U : 0x10000U;
}

// Length of the sequence at the front, 0 when it is malformed.
std::size_t sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  std::uint32_t code = lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return 0;
    code = (code << 6U) | (byte(i) & 0x3fU);
  }
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < smallest_of(length) || code > 0x10ffff || surrogate ? 0 : length;
}

}  // namespace

std::string cat(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) out += part;
  return out;
}

std::string quote(std::string_view text) {
  std::string out = "'";
  const std::size_t scheme = text.find("://");
  const std::size_t at = text.rfind('@');
  if (scheme != std::string_view::npos && at != std::string_view::npos && at > scheme) {
    out.append(text, 0, scheme + 3).append("...");
    text.remove_prefix(at);
  }
  for (const char c : text.substr(0, shown)) out += c >= 0x20 && c < 0x7f ? c : '?';
  if (text.size() > shown) out += "...";
  return out += '\'';
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string nearest(std::string_view text, const std::vector<std::string>& candidates) {
  if (text.size() > 2 * shown) return {};
  const std::string* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(2, text.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t edits = distance(text, candidate);
    // With more edits than letters kept, it is another word.
    if (edits < best_distance && edits < std::max(text.size(), candidate.size()) / 2 + 1) {
      best = &candidate;
      best_distance = edits;
    }
  }
  return best == nullptr ? std::string() : *best;
}

std::string suggestion(std::string_view text, const std::vector<std::string>& candidates) {
  const std::string found = nearest(text, candidates);
  return found.empty() ? std::string() : cat({" (did you mean '", found, "'?)"});
}

}  // namespace paddock::config

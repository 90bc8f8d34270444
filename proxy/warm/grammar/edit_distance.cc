#include "proxy/warm/grammar/edit_distance.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace paddock {

// Optimal string alignment over three rows.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), 0U);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

bool is_near(std::string_view a, std::string_view b, std::size_t edits) {
  return edits <= std::max<std::size_t>(2, a.size() / 3) && edits <= std::max(a.size(), b.size()) / 2;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.size() > 64) return {};
  std::string_view best;
  std::size_t fewest = word.size() + 1;
  // Among equals the one that begins more alike: people slip at the end.
  const auto shared = [&](std::string_view candidate) {
    return std::ranges::mismatch(word, candidate).in1 - word.begin();
  };
  for (const std::string_view candidate : candidates) {
    const std::size_t edits = edit_distance(word, candidate);
    if (!is_near(word, candidate, edits) || edits > fewest) continue;
    if (edits == fewest && shared(candidate) <= shared(best)) continue;
    best = candidate;
    fewest = edits;
  }
  return best.empty() ? std::string() : " (did you mean '" + std::string(best) + "'?)";
}

}  // namespace paddock

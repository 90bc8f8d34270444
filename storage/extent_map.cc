#include "storage/extent_map.h"

#include <algorithm>
#include <iterator>

namespace paddock {

void ExtentMap::add(Extent extent) {
  if (extent.begin >= extent.end) return;
  auto it = runs_.upper_bound(extent.begin);
  if (it != runs_.begin() && std::prev(it)->second >= extent.begin) --it;
  // `it` is the first run that touches the extent, if any does.
  while (it != runs_.end() && it->first <= extent.end) {
    extent.begin = std::min(extent.begin, it->first);
    extent.end = std::max(extent.end, it->second);
    it = runs_.erase(it);
  }
  runs_.emplace_hint(it, extent.begin, extent.end);
}

std::uint64_t ExtentMap::run_end(std::uint64_t offset) const {
  const auto after = runs_.upper_bound(offset);
  if (after == runs_.begin()) return offset;
  return std::max(offset, std::prev(after)->second);
}

Extent ExtentMap::first_gap(std::uint64_t offset, std::uint64_t limit) const {
  const std::uint64_t begin = run_end(offset);
  if (begin >= limit) return {.begin = limit, .end = limit};
  const auto next = runs_.upper_bound(begin);
  return {.begin = begin, .end = next == runs_.end() ? limit : std::min(limit, next->first)};
}

std::uint64_t ExtentMap::total() const {
  std::uint64_t sum = 0;
  for (const auto& [begin, end] : runs_) sum += end - begin;
  return sum;
}

bool ExtentMap::covers(Extent extent) const {
  return extent.begin >= extent.end || run_end(extent.begin) >= extent.end;
}

}  // namespace paddock

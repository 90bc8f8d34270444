// ExtentMap: which byte ranges of something are there. Half-open, disjoint, merged when they touch. Offsets in bytes.
// A plain value without locks.
#pragma once

#include <cstdint>
#include <map>

namespace paddock {

struct Extent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // one past the last byte
  friend bool operator==(const Extent&, const Extent&) = default;
};

class ExtentMap {
 public:
  void add(Extent extent);  // an empty extent changes nothing
  // The end of the run of present bytes that starts at `offset`; `offset` itself when that byte is absent.
  [[nodiscard]] std::uint64_t run_end(std::uint64_t offset) const;
  // The first absent range at or after `offset`, cut at `limit`; empty when all up to `limit` is there.
  [[nodiscard]] Extent first_gap(std::uint64_t offset, std::uint64_t limit) const;
  [[nodiscard]] std::uint64_t total() const;  // bytes present
  [[nodiscard]] bool covers(Extent extent) const;
  [[nodiscard]] const std::map<std::uint64_t, std::uint64_t>& runs() const { return runs_; }  // begin -> end
  void clear() { runs_.clear(); }

 private:
  std::map<std::uint64_t, std::uint64_t> runs_;
};

}  // namespace paddock

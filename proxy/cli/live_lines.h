// LiveLines: a few lines at the bottom of a terminal that are painted over again and again.
//
// For one thread, and for standard output alone: elsewhere nothing is ever live.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace paddock {

class LiveLines {
 public:
  explicit LiveLines(std::ostream& out);

  [[nodiscard]] bool live() const { return live_; }
  struct Room {
    std::size_t columns, lines;
  };
  [[nodiscard]] static Room room();  // for what is painted
  // In place of what was painted last. No line is longer than there is room for.
  void paint(const std::vector<std::string>& lines);
  void clear();

 private:
  std::ostream& out_;
  const bool live_;
  std::size_t painted_ = 0;
};

}  // namespace paddock

// LineSplitter: a stream of bytes from a stranger, cut into lines. What of a line is beyond the limit is dropped; empty
// lines are left out. '\r' ends one too, as programs paint over what they have said.
//
// For one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace paddock {

class LineSplitter {
 public:
  explicit LineSplitter(std::size_t limit) : limit_(limit) {}

  // `take` is called with each line that is whole.
  template <typename Take>
  void feed(std::string_view bytes, const Take& take) {
    while (!bytes.empty()) {
      const auto end = std::min(bytes.find_first_of("\r\n"), bytes.size());
      line_.append(bytes.substr(0, std::min(end, limit_ - line_.size())));
      if (end == bytes.size()) return;
      finish(take);
      bytes.remove_prefix(end + 1);
    }
  }
  // The last one, which nothing ended.
  template <typename Take>
  void finish(const Take& take) {
    if (!line_.empty()) take(std::string_view(line_));
    line_.clear();
  }

 private:
  std::size_t limit_;
  std::string line_;
};

}  // namespace paddock

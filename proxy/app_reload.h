// WatchedFiles: whether files were changed since what they said was taken over.
//
//   if (files.changed(now)) read -> took(now) or refused(now, why)
//
// What could not be taken is tried again each time, as it may pass (a certificate whose key is not written yet, a
// descriptor too few), and said once. `now` is fingerprint() of config_files.h, from before reading. One thread.
#pragma once

#include <string>
#include <utility>

namespace paddock {

class WatchedFiles {
 public:
  [[nodiscard]] bool changed(const std::string& now) const { return now != taken_; }
  void took(std::string now) {
    taken_ = std::move(now);
    refusal_.clear();
  }
  // Whether it is worth a word.
  [[nodiscard]] bool refused(const std::string& now, const std::string& why) {
    return std::exchange(refusal_, now + why) != now + why;
  }

 private:
  std::string taken_, refusal_;
};

}  // namespace paddock

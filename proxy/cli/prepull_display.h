// PrepullDisplay: shows a pull while it goes on: bars on a terminal, a line now and then elsewhere, nothing when
// `quiet`. For one thread.
#pragma once

#include <chrono>
#include <ostream>
#include <string>

#include "proxy/cli/live_lines.h"
#include "proxy/host/prepull/pull_progress.h"
#include "proxy/warm/rate_meter.h"

namespace paddock {

class PrepullDisplay {
 public:
  PrepullDisplay(std::ostream& out, bool quiet) : out_(out), quiet_(quiet), lines_(out) {}

  void begin(std::string image);
  void show(const PullProgress& progress);
  // Once nothing of it is to be seen any more. What stays.
  void say(const std::string& line);
  void clear() { lines_.clear(); }

 private:
  static constexpr std::chrono::seconds interval{5};  // between two lines
  static constexpr std::chrono::milliseconds frame{200};

  std::ostream& out_;
  const bool quiet_;
  LiveLines lines_;
  RateMeter rate_;
  std::string image_;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace paddock

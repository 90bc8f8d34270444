// Scheduler: has rules run at their times.
//
// Each rule is put off by a share of `spread` that depends on its name, so that they do not all begin together. What
// was due while nobody was there is run once, after the start. When each was last run is on disk: jobs/schedule.json.
// One that is still running is joined, not run twice. A rule that learns is asked at its times for what is due then,
// which may be nothing. A rule seen for the first time waits for its next time. run() works on one event loop until
// stop(). poke() and stop() are thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "proxy/warm/rules.h"
#include "storage/blocking_pool.h"
#include "storage/clock.h"
#include "storage/file_system.h"
#include "storage/notifier.h"

namespace paddock {

class Scheduler {
 public:
  struct Options {
    std::chrono::seconds spread{120};
    std::chrono::milliseconds look{30'000};  // the longest between two looks at the clock, which may be set
  };
  struct Parts {
    BlockingPool& pool;
    const Rules& rules;
    std::function<Result<WarmTicket>(WarmRequest)> submit;  // may block
    FileSystem& fs;
    std::filesystem::path file;
    const Clock& clock;
  };

  Scheduler(Parts parts, Options options) : parts_(std::move(parts)), options_(options) {}

  Task<void> run();
  void poke();  // the rules are others now
  void stop();

 private:
  struct Last {
    WallTime run;      // or first seen
    WallTime covered;  // of a rule that learns: as far ahead as it has looked
  };

  // Runs what is due; how long nothing else is.
  Task<std::chrono::milliseconds> look();
  Task<bool> run_rule(const std::string& name, const WarmRule& rule, Last& last, WallTime now);
  Task<void> load();
  Task<void> save();

  const Parts parts_;
  const Options options_;
  std::atomic<bool> stopping_{false};
  Notifier changed_;
  std::map<std::string, Last> last_;  // of run()'s loop; by the rule's name
};

}  // namespace paddock

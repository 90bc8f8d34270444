// WarmUp: all that fetches images before anybody asks, built on the cache's parts.
//
// Made once there is a store; start() then takes up what the last process left, before anybody submits anything, and
// rules run at their times; stop() comes before the fills'. Thread-safe, but for start and stop (one after the other).
// Must outlive the loops' threads.
#pragma once

#include "proxy/admin/event_hub.h"
#include "proxy/app_storage.h"
#include "proxy/fill/coordinator.h"
#include "proxy/ingress/upstream_set.h"
#include "proxy/tags/resolver.h"
#include "proxy/warm/jobs.h"
#include "proxy/warm/pull_history.h"
#include "proxy/warm/rules.h"
#include "proxy/warm/scheduler.h"

namespace paddock {

class WarmUp {
 public:
  struct Parts {
    EventLoops& loops;
    BlockingPool& pool;
    Storage& storage;
    FillCoordinator& fills;
    ManifestSource& manifests;
    TagResolver& tags;
    const CurrentUpstreams& upstreams;
    const Clock& clock;
    EventHub& events;
  };

  WarmUp(const Parts& parts, RuleSet rules);
  Result<void> start();
  // From now on these rules.
  void take(RuleSet rules);
  void stop();

  [[nodiscard]] WarmJobs& jobs() { return jobs_; }
  // A client asked for this tag, and there is one.
  void note_pull(const RepositoryKey& repository, std::string_view tag) { pulls_.record(repository, tag); }
  // Blocks. What is only in memory is on disk afterwards.
  Result<void> flush() { return pulls_.save(); }

 private:
  EventLoops& loops_;
  EventHub& events_;
  TagLists lists_;
  Planner planner_;
  JobFiles files_;
  PullHistory pulls_;
  Rules rules_;
  WarmJobs jobs_;
  Scheduler scheduler_;
};

}  // namespace paddock

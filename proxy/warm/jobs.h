// WarmJobs: has images fetched before anybody asks.
//
//   queued ──▶ resolving ──▶ filling ──▶ complete
//      │           │            │  └───▶ failed: some image could not be had; the others are there
//      │           │            │
//      └───────────┴────────────┴──────▶ cancelled
//                  └───────────────────▶ failed: there is no room for it; nothing was fetched
//
// A job first finds out what it needs (Planner), then whether that fits (fit.h), then fills at
// FillPriority::background. Who asks for what a job at work is doing joins it. Jobs are on disk before they are
// answered for (job_files.h): what the last process had not finished goes on after start(). Finished ones are kept for
// a while.
//
// Lifecycle: start() once there is a store, before the first submit(); stop() before the coordinator's; running jobs
// then die with the event loops and go on after the next start. Thread-safe; submit() and cancel() block. Must outlive
// the loops' threads.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "proxy/fill/coordinator.h"
#include "proxy/net/event_loops.h"
#include "proxy/upstream/retry.h"
#include "proxy/warm/fit.h"
#include "proxy/warm/job.h"
#include "proxy/warm/job_files.h"
#include "proxy/warm/planner.h"
#include "storage/blob_store.h"
#include "storage/blocking_pool.h"
#include "storage/clock.h"
#include "storage/manifest_store.h"
#include "storage/mutex.h"
#include "storage/space.h"

namespace paddock {

class WarmJobs {
 public:
  struct Options {
    std::size_t jobs_at_once = 2;
    std::size_t blobs_at_once = 3;    // of one job
    std::size_t resolve_at_once = 4;  // images of one job
    std::size_t waiting = 200;        // jobs in line
    std::size_t kept = 100;           // finished jobs
    // Of one image's resolution, or of one blob: an outage of some minutes.
    RetryPolicy retry{.attempts = 10, .base = std::chrono::seconds(2), .cap = std::chrono::seconds(60)};
    std::chrono::milliseconds interval{1'000};  // between two looks at what has come
  };
  // What a rule means at the moment: the images it names.
  using Expand = std::function<Task<Result<std::vector<std::string>>>(std::string rule)>;
  // Puts what a rule says into a request that names it.
  using FillIn = std::function<Result<void>(WarmRequest& request)>;
  // Called now and then, and at every change of a job's state, with the images that changed. On an event loop.
  using Observe = std::function<void(const WarmJobReport&)>;
  struct Parts {
    EventLoops& loops;
    BlockingPool& pool;
    Catalog& catalog;
    BlobStore& blobs;
    ManifestStore& manifests;
    Space& space;
    FillCoordinator& fills;
    Planner& planner;
    JobFiles& files;
    const Clock& clock;
    Expand expand{};
    FillIn fill_in{};
    Observe observe{};
  };
  struct Stats {
    std::map<WarmState, std::uint64_t> jobs;  // as many as are kept
    std::uint64_t fetched = 0;                // bytes, since the start
  };

  WarmJobs(Parts parts, Options options);
  ~WarmJobs();

  // Takes up what the last process had not finished.
  Result<void> start();
  void stop();

  // invalid_argument; rate_limited when too many wait; what keeping it failed with.
  Result<WarmTicket> submit(WarmRequest asked);
  // What it would do. Fails as a whole only for a request that makes no sense.
  Task<Result<WarmPlanReport>> plan(WarmRequest asked);
  // The newest first.
  [[nodiscard]] std::vector<WarmJobReport> jobs() const;
  [[nodiscard]] Result<WarmJobReport> job(const std::string& id) const;
  // conflict when it is over already.
  Result<void> cancel(const std::string& id);
  [[nodiscard]] Stats stats() const;

 private:
  struct Job;
  struct Item;

  // As it is carried out.
  [[nodiscard]] Result<WarmRequest> complete(WarmRequest request) const;
  Task<Result<std::vector<std::string>>> references(const WarmRequest& request, std::shared_ptr<Job> job);
  [[nodiscard]] std::shared_ptr<Job> find(const std::string& id) const;
  [[nodiscard]] std::string new_id() PADDOCK_REQUIRES(mutex_);
  // Lets the next ones in line begin.
  void advance();
  Task<void> run(std::shared_ptr<Job> job);
  Task<void> watch(std::shared_ptr<Job> job);
  // The job's end, or what it failed with as a whole.
  Task<Result<WarmState>> carry_out(std::shared_ptr<Job> job);
  Task<Result<std::vector<PlannedImage>>> resolve(const WarmRequest& request, std::shared_ptr<Job> job);
  Task<void> resolve_image(std::string reference, const WarmRequest& request, std::shared_ptr<Job> job,
                           PlannedImage& out);
  Task<Result<WarmFit>> fit(const std::vector<PlannedBlob>& blobs, std::vector<PinRecord> without = {});
  // Makes room by what the job displaces, where that is what it takes.
  Task<Result<void>> find_room(std::shared_ptr<Job> job, const std::vector<PlannedBlob>& blobs);
  Task<Result<std::vector<PinRecord>>> displaced(std::shared_ptr<Job> job);
  Task<Result<void>> unpin_displaced(std::shared_ptr<Job> job);
  Task<void> take_stock(std::shared_ptr<Job> job);
  Task<Result<void>> pin(std::shared_ptr<Job> job);
  Task<void> fetch(std::shared_ptr<Job> job, std::size_t index);
  Task<Result<void>> fetch_once(std::shared_ptr<Job> job, std::size_t index);
  void let_go(const Digest& digest);
  // How long to wait after a failed attempt; nothing: give up.
  [[nodiscard]] std::optional<std::chrono::milliseconds> delay_after(const Error& error, std::size_t attempt) const;
  Task<void> pause(std::shared_ptr<Job> job, std::chrono::milliseconds delay) const;
  Task<void> finish(std::shared_ptr<Job> job, WarmState state, std::string error);
  // Lets go of those that ended first where too many have ended. Blocks.
  void remember_end(const std::string& id);
  void tell(Job& job) const;

  const Parts parts_;
  const Options options_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> fetched_{0};
  Mutex submitting_;  // before mutex_; so that nobody joins, or is kept out by, a job that cannot be kept
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<Job>> jobs_ PADDOCK_GUARDED_BY(mutex_);  // by id, which grows with time
  std::deque<std::shared_ptr<Job>> line_ PADDOCK_GUARDED_BY(mutex_);
  std::deque<std::string> ended_ PADDOCK_GUARDED_BY(mutex_);  // ids, in the order of their ends
  std::size_t running_ PADDOCK_GUARDED_BY(mutex_) = 0;
  std::unordered_map<Digest, std::size_t> wanted_ PADDOCK_GUARDED_BY(mutex_);  // blobs, and by how many jobs
  std::uint64_t last_id_ PADDOCK_GUARDED_BY(mutex_) = 0;
};

}  // namespace paddock

// FillCoordinator: at most one fill a digest, owned here and never by a client's request. Readers come and go.
//
//   in line (FillSlots) ──▶ resumed or begun ──▶ BlobFetch ──▶ committed
//                             ▲        ▲           │   │
//                             │        └───────────┘   │ wrong bytes: from another source or endpoint; refused
//                             │                        │ for a while when they all send wrong ones
//                             └──────── suspended ◀────┘ sources gone, stopped, nobody waits: until somebody asks
//
// A fill that waits before it asks its sources again lends its place to the next in line (FillSlots). With OnAbandon
// one in which nobody reads and for which nobody waits is paused, unless it was ordered in the background too.
//
// What is in the background gives way: a client's fill finds a slot and connections beside it, and while one is at work
// those in the background keep one connection each, over which next to nothing is read.
//
// Who asks for a digest that is being filled already joins that fill, and adds where it would have got the blob itself
// (FillSources): a fill fails when none of them can be had.
//
// What has all its bytes at the start, from a process that died before the commit, is committed without an upstream.
//
// Where the upstream sends no size with a blob, HEAD is asked for it, so that readers need not wait for the whole. A
// blob on which our disk failed half-way is not tried again for a moment: its fills fail at once, and whoever wants it
// lets it pass by.
//
// Lifecycle: stop() lets no new fill begin and asks running ones to end; what is still waiting on a socket then dies
// with the event loops, and is resumed from its journal later. Thread-safe. Must outlive the loops' threads.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proxy/fill/blob_fetch.h"
#include "proxy/fill/fill.h"
#include "proxy/fill/fill_limits.h"
#include "proxy/fill/fill_slots.h"
#include "proxy/fill/fill_sources.h"
#include "proxy/net/event_loops.h"
#include "proxy/net/seldom.h"
#include "proxy/upstream/upstream.h"
#include "storage/blob_store.h"
#include "storage/blocking_pool.h"
#include "storage/clock.h"
#include "storage/mutex.h"
#include "storage/negative_cache.h"

namespace paddock {

// What is to be filled, and how much of the upstream it may take.
struct FillOrder {
  std::shared_ptr<Upstream> upstream;
  std::string repository;
  Digest digest;
  FillLimits limits{};
  FillPriority priority = FillPriority::client;
};

class FillCoordinator {
 public:
  enum class OnAbandon : std::uint8_t { finish, pause };
  struct Options {
    FetchOptions fetch{};
    std::size_t at_once = 64;
    OnAbandon on_abandon = OnAbandon::finish;
    std::chrono::seconds abandon_grace{30};  // without a reader, before it is paused
    std::chrono::seconds disk_rest{30};      // how long a blob on which our disk failed is not tried again
    std::chrono::seconds wrong_rest{60};     // how long a source that sent a blob wrong twice is not asked for it
    const Clock* clock = nullptr;            // without it the system's
    BlockingPool* commits = nullptr;         // where whole blobs are synced; without it on the same pool as the rest
  };
  struct Stats {
    std::uint64_t running = 0, completed = 0, failed = 0, verify_failures = 0, resumed = 0;
    std::uint64_t not_kept = 0;   // see is_not_kept(); not among the failed
    std::uint64_t suspended = 0;  // put aside with what they had
    std::uint64_t waiting = 0;    // in line, of the running
  };

  FillCoordinator(EventLoops& loops, BlockingPool& pool, BlobStore& store, Options options);

  // The running fill of this digest, which the order's source joins, or a new one. One whose partial has failed is
  // running until it has been put away: see Fill::failed().
  std::shared_ptr<Fill> fetch(FillOrder order);
  // Commits suspended fills of which every byte is there, one after the other, and asks nobody for anything. Who asks
  // for one meanwhile joins it. To be spawned on one of the loops; ends early when stopped.
  Task<void> commit_whole(std::vector<Digest> digests);
  // It is not wanted in the background any more: where no client came to it, it is put aside with what it has.
  void release(const Digest& digest);
  // The running fill, if there is one.
  [[nodiscard]] std::shared_ptr<Fill> find(const Digest& digest) const;
  [[nodiscard]] std::vector<FillStatus> fills() const;
  [[nodiscard]] Stats stats() const;
  // True when all fills have ended by `timeout`.
  bool stop(std::chrono::milliseconds timeout);

 private:
  struct Job;  // one fill's working state

  // The job to be run, registered; none where a fill of the digest is running, which the order joins.
  std::pair<std::shared_ptr<Fill>, std::shared_ptr<Job>> enter(FillOrder order);
  void join(Job& job, FillOrder order);
  Task<void> run(std::shared_ptr<Job> job);
  Task<Result<void>> fill(Job& job);
  // One attempt, from the start or from what is there.
  Task<Result<void>> attempt(Job& job);
  Task<Result<std::optional<BlobTransfer>>> begin(Job& job);
  Task<Result<void>> verify(Job& job);
  struct FirstAnswer;
  static Task<Result<FirstAnswer>> ask(FillSources::Source source, Digest digest, std::optional<std::uint64_t> length);
  // Asks one source after the other for the first bytes.
  Task<Result<FirstAnswer>> ask_in_turn(Job& job);
  // Sources that have just sent wrong bytes are left out; digest_mismatch when there are no others.
  Result<void> leave_out_wrong(Job& job);
  Task<void> put_away(Job& job, Error why);
  [[nodiscard]] std::optional<Error> interrupted(Job& job) const;
  // Whether wrong bytes are worth another attempt.
  bool retry_wrong(Job& job, const Error& why);
  static void cast_doubt(const Job& job);
  void settle(const Job& job, const Result<void>& outcome);
  void note_not_kept(const Job& job, const Error& error);
  void note_failure(const Job& job, const Error& error);
  [[nodiscard]] BlockingPool& sync_pool() { return options_.commits != nullptr ? *options_.commits : pool_; }

  EventLoops& loops_;
  BlockingPool& pool_;
  BlobStore& store_;
  const Options options_;
  const SystemClock system_clock_;
  const Clock& clock_;
  NegativeCache unkeepable_;  // digests
  NegativeCache wrong_;       // digests with their sources
  FillSlots slots_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> completed_{0}, failed_{0}, verify_failures_{0}, resumed_{0}, not_kept_{0}, suspended_{0};
  mutable Mutex mutex_;
  Condition ended_;
  struct Running {
    std::shared_ptr<Fill> fill;
    std::weak_ptr<Job> job;
  };
  std::unordered_map<Digest, Running> fills_ PADDOCK_GUARDED_BY(mutex_);
  Seldom not_kept_reports_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock

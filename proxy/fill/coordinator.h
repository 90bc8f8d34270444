// FillCoordinator: at most one fill a digest, owned here and never by a client's request. Readers come and go; the fill
// goes on to its end.
//
// Where the upstream sends no size with a blob, HEAD is asked for it, so that readers need not wait for the whole.
// A broken transfer is taken up again from the bytes that are there, with backoff, as long as it makes progress; the
// upstream's own retries come first (see Upstream). When the digest does not match, nothing is kept. A blob on which
// our disk failed half-way is not tried again for a moment: its fills fail at once, and whoever wants it lets it pass
// by.
//
// Lifecycle: stop() lets no new fill begin and asks running ones to end; what is still waiting on a socket then dies
// with the event loops, and its temporary file is removed at the next start. Thread-safe. Must outlive the loops'
// threads.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "proxy/fill/fill.h"
#include "proxy/net/event_loops.h"
#include "proxy/net/seldom.h"
#include "proxy/upstream/retry.h"
#include "proxy/upstream/upstream.h"
#include "storage/blob_store.h"
#include "storage/blocking_pool.h"
#include "storage/clock.h"
#include "storage/mutex.h"
#include "storage/negative_cache.h"

namespace paddock {

class FillCoordinator {
 public:
  struct Options {
    std::size_t buffer_size = std::size_t{512} * 1024;  // bytes read from the upstream at a time
    // Transfers in a row that bring nothing, and the waits between them.
    RetryPolicy retry{.attempts = 6, .base = std::chrono::milliseconds(500), .cap = std::chrono::seconds(15)};
    // Of a blob whose size the upstream does not say: an endless one must not push everything else out of the store.
    std::uint64_t unsized_limit = std::uint64_t{16} << 30U;
    std::chrono::seconds patience{120};  // the longest Retry-After that is obeyed
    std::chrono::seconds disk_rest{30};  // how long a blob on which our disk failed is not tried again
    const Clock* clock = nullptr;        // without it the system's
    BlockingPool* commits = nullptr;     // where whole blobs are synced; without it on the same pool as the rest
  };
  struct Stats {
    std::uint64_t running = 0, completed = 0, failed = 0, verify_failures = 0, resumed = 0;
    std::uint64_t not_kept = 0;  // see is_not_kept(); not among the failed
  };

  FillCoordinator(EventLoops& loops, BlockingPool& pool, BlobStore& store, Options options);

  // The running fill of this digest, or a new one from this repository of this upstream; never one that has failed.
  std::shared_ptr<Fill> fetch(std::shared_ptr<Upstream> upstream, const std::string& repository, const Digest& digest);
  // The running fill, if there is one.
  [[nodiscard]] std::shared_ptr<Fill> find(const Digest& digest) const;
  [[nodiscard]] std::vector<FillStatus> fills() const;
  [[nodiscard]] Stats stats() const;
  // True when all fills have ended by `timeout`.
  bool stop(std::chrono::milliseconds timeout);

 private:
  struct Job;  // one fill's working state

  Task<void> run(std::shared_ptr<Job> job);
  Task<Result<void>> fill(Job& job);
  Task<Result<BlobTransfer>> open_transfer(Job& job);
  Task<Result<void>> copy(Job& job, BlobTransfer& transfer);
  Task<Result<void>> back_off(Job& job, const Error& why);
  static Task<std::optional<std::uint64_t>> size_of(const Job& job, const BlobTransfer& transfer);
  void settle(const Job& job, const Result<void>& outcome);
  void note_not_kept(const Job& job, const Error& error);
  void note_failure(const Job& job, const Error& error);

  EventLoops& loops_;
  BlockingPool& pool_;
  BlobStore& store_;
  const Options options_;
  const SystemClock system_clock_;
  const Clock& clock_;
  NegativeCache unkeepable_;  // digests
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> completed_{0}, failed_{0}, verify_failures_{0}, resumed_{0}, not_kept_{0};
  mutable Mutex mutex_;
  Condition ended_;
  std::unordered_map<Digest, std::shared_ptr<Fill>> fills_ PADDOCK_GUARDED_BY(mutex_);
  Seldom not_kept_reports_ PADDOCK_GUARDED_BY(mutex_);
  std::minstd_rand random_ PADDOCK_GUARDED_BY(mutex_){std::random_device{}()};
};

}  // namespace paddock

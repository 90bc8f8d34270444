// UncachedStreams: the streams of what cannot be kept, found by digest, so that those who ask at the same time share
// one upstream transfer as far as memory allows (StreamMemory).
//
// A blob that came wrong twice in a row is refused for a while.
// Thread-safe. Must outlive the loops' threads. Errors: those of UncachedStream.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "proxy/fill/uncached_stream.h"
#include "proxy/net/event_loops.h"
#include "storage/clock.h"
#include "storage/mutex.h"
#include "storage/negative_cache.h"
#include "storage/partial_blob.h"

namespace paddock {

class UncachedStreams {
 public:
  using Reader = std::shared_ptr<UncachedStream::Reader>;
  using Deadline = std::chrono::steady_clock::time_point;
  struct Options {
    UncachedStream::Options stream{};
    StreamMemory::Limits memory{};
    std::chrono::seconds wrong_rest{60};  // how long a blob that came wrong twice is refused
    const Clock* clock = nullptr;         // without it the system's
  };

  UncachedStreams(EventLoops& loops, BlockingPool& pool, Options options);

  // A reader of the whole blob, once its size is known.
  Task<Result<Reader>> open(FillOrder order, Deadline deadline);
  // For a reader at `from` of a fill that our disk has ended: goes on at begin(); what lies before that is in the
  // partial's file. Fails with `why` when there is a gap between.
  Result<Reader> go_on(FillOrder order, const std::shared_ptr<PartialBlob>& partial, std::uint64_t from,
                       const Error& why);
  // open() would share a transfer now.
  [[nodiscard]] bool running(const Digest& digest);

  [[nodiscard]] std::uint64_t begun() const { return begun_; }  // streams
  [[nodiscard]] std::uint64_t wrong() const { return wrong_; }  // of them, those that brought wrong bytes
  [[nodiscard]] std::uint64_t memory() const { return common_.memory->used(); }

 private:
  // Of a stream that begins between `first` and `last`.
  Reader join(const Digest& digest, std::uint64_t first, std::uint64_t last) PADDOCK_REQUIRES(mutex_);
  // That one or else a new stream, which begins at `last`.
  Reader join_or_begin(FillOrder order, std::uint64_t first, UncachedStream::Start start);
  void came_wrong(const Digest& digest);

  EventLoops& loops_;
  const SystemClock system_clock_;
  const UncachedStream::Common common_;
  std::atomic<std::uint64_t> begun_{0}, wrong_{0};
  NegativeCache wrong_once_, refused_;  // digests
  Mutex mutex_;
  std::unordered_multimap<Digest, std::weak_ptr<UncachedStream>> streams_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock

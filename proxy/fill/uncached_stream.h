// UncachedStream: one upstream transfer of a blob that cannot be kept, for all who read it at the same time.
//
//   upstream ──▶ window in memory ──▶ readers, each at a place of its own
//
// It keeps a window of what has come, and waits for the slowest reader when that is full. Whoever holds the others up
// for long gets a transfer of their own, which goes on from the same window. The last `PartialBlob::hold_back` bytes
// are out only when the digest of the whole is right. A broken transfer is taken up again where it was. It ends when
// nobody reads any more.
//
// Thread-safe. Its work stays on the event loop that it was started on; readers may be on any.
// Errors: those of Upstream; digest_mismatch; protocol when the upstream says no size or another one; cancelled.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "proxy/fill/coordinator.h"
#include "proxy/fill/least_rate.h"
#include "proxy/fill/stream_memory.h"
#include "proxy/upstream/retry.h"
#include "storage/blocking_pool.h"
#include "storage/digest.h"
#include "storage/mutex.h"
#include "storage/notifier.h"

namespace paddock {

class UncachedStream : public std::enable_shared_from_this<UncachedStream> {
 public:
  using Bytes = std::shared_ptr<const std::string>;
  class Reader;

  struct Options {
    std::size_t block = std::size_t{256} << 10U;  // bytes read at a time
    std::chrono::milliseconds patience{2'000};    // how long in all somebody may hold the others up
    // Attempts in a row that bring nothing, and the waits between them.
    RetryPolicy retry{.attempts = 4, .base = std::chrono::milliseconds(250), .cap = std::chrono::seconds(5)};
    std::chrono::seconds longest_wait{20};  // the longest Retry-After that is obeyed
    LeastRate::Options least_rate{};
  };
  // What all streams share.
  struct Common {
    Options options;
    BlockingPool& pool;
    std::shared_ptr<StreamMemory> memory;
    std::function<void(const Digest&)> came_wrong{};
  };
  struct Start {
    std::uint64_t begin = 0;
    std::optional<std::uint64_t> size{};
    // Hashes what lies before `begin`; run on the pool. Without it nothing does.
    std::function<Result<Hasher>()> hash_before{};
  };

  UncachedStream(FillOrder order, Start start, Common common, StreamMemory::Grant window);

  // On a loop that outlives it.
  static void start(const asio::any_io_executor& executor, std::shared_ptr<UncachedStream> stream);
  // Null when the bytes at begin() are gone, or it has failed.
  std::shared_ptr<Reader> join();
  [[nodiscard]] std::uint64_t begin() const { return begin_; }
  // It asks the same of the same.
  [[nodiscard]] bool serves(const FillOrder& order) const;

 private:
  struct Block {
    std::uint64_t offset;
    Bytes bytes;
  };

  Task<void> run();
  Task<Result<void>> produce();
  // One transfer, from where we are to the end.
  Task<Result<void>> transfer_rest();
  Task<Result<BlobTransfer>> open_transfer();
  Result<void> set_size(std::uint64_t size);
  // Waits if that was more than the bandwidth allows.
  Task<Result<void>> take(std::string bytes, const BlobTransfer& transfer);
  // `when_wrong`: of `source`, which may have brought only a part.
  Task<Result<void>> verify(const std::string& source, Doubt when_wrong);
  // Waits until there is room for another block.
  Task<Result<void>> make_room();
  void drop_what_all_have() PADDOCK_REQUIRES(mutex_);
  [[nodiscard]] std::uint64_t least_window() const;
  [[nodiscard]] bool is_read() const;
  [[nodiscard]] bool is_full() const PADDOCK_REQUIRES(mutex_);
  [[nodiscard]] bool is_far_ahead() const PADDOCK_REQUIRES(mutex_);
  // Somebody has taken all there is.
  [[nodiscard]] bool somebody_waits() const PADDOCK_REQUIRES(mutex_);
  // Those who are furthest behind go on with a stream of their own, or fail when there is no memory for what they
  // have not read yet.
  std::shared_ptr<UncachedStream> split_off();

  const FillOrder order_;
  const std::uint64_t begin_;
  const Common common_;
  const StreamMemory::Grant window_;

  // The work's own.
  std::function<Result<Hasher>()> hash_before_;
  std::optional<Hasher> hasher_;
  std::string buffer_;
  bool brought_ = false;  // the transfer has brought something
  std::chrono::steady_clock::duration held_up_{};

  mutable Mutex mutex_;
  std::uint64_t position_ PADDOCK_GUARDED_BY(mutex_);  // of the next byte from the upstream
  std::optional<std::uint64_t> size_ PADDOCK_GUARDED_BY(mutex_);
  std::deque<Block> blocks_ PADDOCK_GUARDED_BY(mutex_);
  std::uint64_t kept_ PADDOCK_GUARDED_BY(mutex_) = 0;  // bytes in blocks_
  bool verified_ PADDOCK_GUARDED_BY(mutex_) = false;
  std::optional<Error> failure_ PADDOCK_GUARDED_BY(mutex_);
  std::map<Reader*, std::uint64_t> readers_ PADDOCK_GUARDED_BY(mutex_);  // and where they are
  Notifier changed_, room_;
};

// Belongs to one coroutine.
class UncachedStream::Reader {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  [[nodiscard]] bool served_by(const FillOrder& order) const { return stream()->serves(order); }
  // Where its first byte lies in the blob.
  [[nodiscard]] std::uint64_t begin() const { return begin_; }
  // Of the whole blob; fails when the stream does before it is known.
  Task<Result<std::uint64_t>> size(Deadline deadline);
  // What comes next; null at the end.
  Task<Result<Bytes>> next(Deadline deadline);

 private:
  friend class UncachedStream;
  Reader(std::shared_ptr<UncachedStream> stream, std::uint64_t begin) : begin_(begin), stream_(std::move(stream)) {}
  [[nodiscard]] std::shared_ptr<UncachedStream> stream() const;
  void move_to(std::shared_ptr<UncachedStream> stream);
  // Nothing: not yet, or it has been moved to another stream.
  std::optional<Result<Bytes>> take_from(UncachedStream& stream);

  const std::uint64_t begin_;
  mutable Mutex mutex_;  // after the stream's
  std::shared_ptr<UncachedStream> stream_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock

// BlobFetch: gets the missing bytes of one blob from its upstream into its PartialBlob.
//
//   one connection, a piece at a time ──▶ more connections while that pays (ConnectionScaler, ChunkPlan)
//                                     └─▶ one stream to the end, where the upstream does no ranges or says no size
//
// What readers get to next comes first. A connection that breaks gives its piece back; the last one left is tried
// again with backoff, as long as there is progress. A piece that comes too slowly is fetched a second time (Straggler).
// Hashing, notes and checkpoints of what has come go on beside it.
//
// Everything runs on the event loop that run() was called on; disk and hashing on the pools. Keep it in a shared_ptr.
// Errors: those of Upstream when it was given up; `digest_mismatch` when the upstream's answers do not fit together, so
// that what came cannot be trusted; those of PartialBlob::write; what `interrupted` says.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/fill/byte_ring.h"
#include "proxy/fill/chunk_plan.h"
#include "proxy/fill/connection_scaler.h"
#include "proxy/fill/fill_limits.h"
#include "proxy/fill/straggler.h"
#include "proxy/upstream/retry.h"
#include "proxy/upstream/upstream.h"
#include "storage/blocking_pool.h"
#include "storage/partial_blob.h"

namespace paddock {

struct FetchOptions {
  std::uint64_t chunk = std::uint64_t{8} << 20U;  // bytes
  std::size_t buffer = std::size_t{512} << 10U;   // bytes between network and disk, for each connection
  std::size_t connections = 8;
  bool ranged = true;                       // false: one stream, from the first byte on
  std::chrono::milliseconds interval{200};  // between two looks at the rates
  std::chrono::seconds checkpoint{5};       // and whenever a chunk a connection has come; syncing costs
  StragglerPolicy straggler{};
  // Attempts in a row that bring nothing, and the waits between them.
  RetryPolicy retry{.attempts = 6, .base = std::chrono::milliseconds(500), .cap = std::chrono::seconds(15)};
  std::size_t limited_attempts = 40;   // instead of retry.attempts, while the upstream says that it is asked too often
  std::chrono::seconds patience{120};  // the longest Retry-After that is obeyed
  // Of a blob whose size the upstream does not say: an endless one must not push everything else out of the store.
  std::uint64_t unsized_limit = std::uint64_t{16} << 30U;
};

class BlobFetch : public std::enable_shared_from_this<BlobFetch> {
 public:
  struct Source {
    std::shared_ptr<Upstream> upstream;
    std::string repository;
    FillLimits limits{};
  };
  // What the fill around it knows. Called on the loop.
  struct Surroundings {
    std::function<std::vector<std::uint64_t>()> readers{};       // their positions
    std::function<std::optional<Error>()> interrupted{};         // why it must end now
    std::function<void(const std::string& source)> on_source{};  // where bytes come from
    std::function<void()> on_resumed{};                          // a broken transfer is taken up again
  };
  struct Pools {
    BlockingPool& work;
    BlockingPool& sync;  // for fdatasync, which takes long
  };

  BlobFetch(Source source, std::shared_ptr<PartialBlob> partial, Surroundings around, Pools pools,
            FetchOptions options);

  // `first`, if there is one, answers a request for the first `chunk` bytes.
  Task<Result<void>> run(std::optional<BlobTransfer> first);

 private:
  using Steady = std::chrono::steady_clock;
  // One connection at work.
  struct Worker {
    ChunkPlan::Piece piece{};
    std::function<void()> abort{};  // while a transfer is open
    bool ours = false;              // we are waiting for ourselves: the disk, the bandwidth
    std::vector<std::byte> buffer{};
    Steady::time_point asked{}, last_byte{};
    std::uint64_t received = 0;         // bytes of this transfer
    bool brought = false;               // among them some that were not there
    std::shared_ptr<void> allowance{};  // of FillLimits::budget
  };
  using Workers = std::list<Worker>;

  Task<Result<void>> fetch_ranged(std::optional<BlobTransfer> first);
  // Like fetch_ranged() it looks once an interval whether it is interrupted.
  Task<Result<void>> watched_stream(std::optional<BlobTransfer> transfer);
  Task<Result<void>> fetch_stream(std::optional<BlobTransfer> transfer);
  Task<void> watch_stream();
  void spawn(ChunkPlan::Piece piece, std::optional<BlobTransfer> transfer = std::nullopt,
             std::shared_ptr<void> allowance = nullptr);
  // Whether one more connection may be opened.
  bool may_connect(std::shared_ptr<void>& allowance) const;
  Task<void> work(Workers::iterator self, std::optional<BlobTransfer> transfer);
  Task<void> fetch_pieces(Worker& worker, std::optional<BlobTransfer> transfer);
  Task<Result<void>> fetch_piece(Worker& worker, std::optional<BlobTransfer> transfer);
  // After a piece that did not come whole: does this worker go on?
  Task<bool> goes_on(const Worker& worker, const Error& error);
  Task<bool> back_off(const Error& why);
  void give_up(Error error);
  // All has come, or nothing more is wanted, and no transfer is open.
  [[nodiscard]] bool over() const;

  // Once an interval.
  void supervise();
  void take_sample();
  void add_workers();
  void double_straggler();

  std::unexpected<Error> inconsistent(const std::string& what, const std::string& source);
  Result<void> check(const BlobTransfer& transfer, std::uint64_t begin);
  // From the transfer into the file, from `begin` on to where it ends: receive() and store() work side by side.
  Task<Result<void>> copy(Worker& worker, BlobTransfer& transfer, std::uint64_t begin);
  Task<Result<void>> receive(Worker& worker, BlobTransfer& transfer, std::uint64_t skip, ByteRing& ring);
  Task<Result<void>> store(Worker& worker, BlobTransfer& transfer, std::uint64_t position, ByteRing& ring);
  Task<void> count(Worker& worker, std::size_t bytes);

  void piece_done();
  [[nodiscard]] bool checkpoint_due() const;
  Task<void> keep_books();
  Task<void> note_and_hash();
  Task<void> make_checkpoints();

  const Source source_;
  const std::shared_ptr<PartialBlob> partial_;
  const Surroundings around_;
  const Pools pools_;
  const FetchOptions options_;
  std::optional<ChunkPlan> plan_;  // none in a stream
  ConnectionScaler scaler_;
  Workers workers_;
  std::size_t most_workers_ = 0;
  std::optional<asio::steady_timer> tick_, pause_;
  std::optional<Error> failure_;          // it ends with this
  std::optional<BlobTransfer> unranged_;  // the upstream ignores ranges: this is the whole
  bool pieces_over_ = false;              // workers that still wait for an answer are of no interest any more
  bool one_stream_ = false;               // workers end, a stream follows
  bool from_start_ = false;               // the stream asks for no range
  bool backing_off_ = false, streaming_ = false;
  std::map<std::string, std::string> etags_;  // by source
  std::size_t fruitless_ = 0;                 // attempts in a row that brought nothing new
  std::size_t limited_ = 0;                   // those that were told to slow down

  std::uint64_t received_ = 0, sampled_ = 0;  // bytes from upstream; up to the last sample
  Steady::time_point sampled_at_{};
  bool steady_ = false;    // as many workers as wanted since the last sample
  double usual_rate_ = 0;  // of one connection, bytes a second

  std::uint64_t streamed_ = 0;  // bytes of a stream since piece_done()
  bool keeping_books_ = false, note_wanted_ = false, note_failed_ = false;
  bool checkpointing_ = false;
  std::uint64_t checkpointed_ = 0;  // of received_
  Steady::time_point checkpointed_at_ = Steady::now();
};

}  // namespace paddock

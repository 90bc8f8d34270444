// BlobFetch: gets the missing bytes of one blob from its sources into its PartialBlob.
//
//   one connection, a piece at a time ──▶ more connections while that pays (ConnectionScaler, ChunkPlan)
//                                     └─▶ one stream to the end, where the upstream does no ranges or says no size
//
// What readers get to next comes first. A connection that breaks, or only drips (LeastRate), gives its piece back and
// turns to the next of the FillSources. Where all have failed, the last connection left asks again with backoff, as
// long as there is progress (Attempts). A piece that comes too slowly is fetched a second time (Straggler). Hashing,
// notes and checkpoints of what has come go on beside it.
//
// Everything runs on the event loop that run() was called on; disk and hashing on the pools. Keep it in a shared_ptr.
// Errors: those of Upstream when it was given up (see FillSources::verdict); `digest_mismatch` when answers do not fit
// together, so that what came cannot be trusted; those of PartialBlob::write; what `interrupted` says.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "proxy/fill/attempts.h"
#include "proxy/fill/byte_ring.h"
#include "proxy/fill/chunk_plan.h"
#include "proxy/fill/connection_scaler.h"
#include "proxy/fill/fill_sources.h"
#include "proxy/fill/least_rate.h"
#include "proxy/fill/straggler.h"
#include "proxy/upstream/retry.h"
#include "proxy/upstream/upstream.h"
#include "storage/blocking_pool.h"
#include "storage/partial_blob.h"

namespace paddock {

struct FetchOptions {
  std::uint64_t chunk = std::uint64_t{8} << 20U;  // bytes
  // In one request, where a connection brings them in `piece_time`. Each request costs a round trip and the upstream
  // some milliseconds, and may be counted there; a piece that takes long keeps its connection from what a reader waits
  // for.
  std::uint64_t most_chunks = 8;
  std::chrono::milliseconds piece_time{1'000};
  std::size_t buffer = std::size_t{512} << 10U;  // bytes between network and disk, for each connection
  std::chrono::microseconds gather{1'000};       // see ByteRing
  std::size_t connections = 8;
  bool ranged = true;                       // false: one stream, from the first byte on
  std::chrono::milliseconds interval{200};  // between two looks at the rates
  std::chrono::seconds checkpoint{5};       // and whenever a chunk a connection is stored; syncing costs
  StragglerPolicy straggler{};
  LeastRate::Options least_rate{};                         // of each connection, or it is broken off
  std::uint64_t least_brought = std::uint64_t{64} << 10U;  // bytes; a transfer that broke before is as one without any
  // Attempts in a row that bring nothing, and the waits between them; see Attempts.
  RetryPolicy retry{.attempts = 6, .base = std::chrono::milliseconds(500), .cap = std::chrono::seconds(15)};
  std::size_t limited_attempts = 40;   // instead of retry.attempts, while the upstream says that it is asked too often
  std::chrono::seconds patience{120};  // the longest Retry-After that is obeyed
  // What is read once a `courtesy` of each connection while it gives way, so that the upstream does not break it off.
  std::size_t trickle = std::size_t{64} << 10U;  // bytes
  std::chrono::milliseconds courtesy{1'000};
  // Of a blob whose size the upstream does not say: an endless one must not push everything else out of the store.
  std::uint64_t unsized_limit = std::uint64_t{16} << 30U;
};

class BlobFetch : public std::enable_shared_from_this<BlobFetch> {
 public:
  // What the fill around it knows. Called on the loop, until run() ends.
  struct Surroundings {
    std::function<std::vector<std::uint64_t>()> readers{};  // their positions
    std::function<std::optional<Error>()> interrupted{};    // why it must end now
    // Where bytes come from; `endpoint` is BlobTransfer::source.
    std::function<void(const BlobSource& source, const std::string& endpoint)> on_source{};
    std::function<void()> on_resumed{};  // a broken transfer is taken up again
    // No connection is left, and it waits before it asks again; then false, unless run() ends
    // meanwhile.
    std::function<void(bool waits)> on_wait = [](bool) {};
    std::function<FillPriority()> priority = [] { return FillPriority::client; };
    // Clients' fills are at work and this is none: all but one connection end, and that one reads next to nothing.
    std::function<bool()> gives_way = [] { return false; };
  };
  struct Pools {
    BlockingPool& work;
    BlockingPool& sync;  // for fdatasync, which takes long
  };

  BlobFetch(std::shared_ptr<FillSources> sources, std::shared_ptr<PartialBlob> partial, Surroundings around,
            Pools pools, FetchOptions options);

  // `first`, if there is one, is the current source's answer to a request for the first `chunk` bytes.
  Task<Result<void>> run(std::optional<BlobTransfer> first);

 private:
  using Steady = std::chrono::steady_clock;
  using Source = FillSources::Source;
  // A transfer, from when it is asked for.
  struct Attempt {
    explicit Attempt(LeastRate::Options least) : pace(least) {}
    Steady::time_point asked = Steady::now(), last_byte = asked;
    Steady::duration waited{};   // for bytes of the upstream
    std::uint64_t begin = 0;     // of what it is asked for
    std::uint64_t received = 0;  // bytes
    std::uint64_t brought = 0;   // of them, those that were stored
    LeastRate pace;
    bool dripped = false;
  };
  // One connection at work.
  struct Worker {
    Source source{};
    std::shared_ptr<void> allowance{};  // of the source's FillLimits::budget
    ChunkPlan::Piece piece{};
    std::function<void()> abort{};  // while a transfer is open
    bool ours = false;              // we are waiting for ourselves: the disk, the bandwidth
    std::vector<std::byte> buffer{};
    Attempt attempt;
  };
  using Workers = std::list<Worker>;
  struct Answer {
    Source source;
    BlobTransfer transfer;
  };

  Task<Result<void>> fetch_ranged(std::optional<Answer> first);
  // Like fetch_ranged() it looks once an interval whether it is interrupted.
  Task<Result<void>> watched_stream(std::optional<Answer> answer);
  Task<Result<void>> fetch_stream(std::optional<Answer> answer);
  // What is missing from the attempt's begin on.
  Task<Result<void>> stream_once(Worker& worker, std::optional<BlobTransfer> transfer);
  Task<void> watch_stream();
  Workers::iterator add_worker(Source source);
  void spawn(ChunkPlan::Piece piece, Source source, std::optional<BlobTransfer> transfer = std::nullopt,
             std::shared_ptr<void> allowance = nullptr);
  Task<void> work(Workers::iterator self, std::optional<BlobTransfer> transfer);
  Task<void> fetch_pieces(Worker& worker, std::optional<BlobTransfer> transfer);
  Task<Result<void>> fetch_piece(Worker& worker, std::optional<BlobTransfer> transfer);
  // After a transfer that ended like this before all had come: does the worker ask again?
  Task<bool> goes_on(Worker& worker, Result<void> ended);
  Task<bool> back_off(const Worker& worker, Error why, bool ended);
  // The upstream does not get ranges right. False: this worker is done.
  bool without_ranges(const Worker& worker, const Error& error);
  // Pieces end, a stream follows.
  void stream_instead();
  // From now on from the current source.
  bool change_source(Worker& worker);
  // Whether a connection to the source may be opened beside `others`.
  bool may_connect(const BlobSource& source, std::size_t others, std::shared_ptr<void>& allowance) const;
  [[nodiscard]] std::size_t wanted_workers() const;
  [[nodiscard]] std::uint64_t piece_length() const;  // bytes
  void give_up(Error error);
  // Ends everything when `task` throws.
  Task<void> guarded(Task<void> task);
  // All has come, or nothing more is wanted, and no transfer is open.
  [[nodiscard]] bool over() const;

  // Once an interval.
  void supervise();
  void take_sample();
  void add_workers();
  // The worker whose piece comes too slowly.
  std::optional<Workers::iterator> straggler();
  void replace_straggler();

  Result<void> check(const BlobSource& source, const BlobTransfer& transfer, std::uint64_t begin);
  // From the transfer into the file, from the attempt's begin on to where it ends: receive() and store() work side by
  // side.
  Task<Result<void>> copy(Worker& worker, BlobTransfer& transfer);
  Task<Result<void>> receive(Worker& worker, BlobTransfer& transfer, std::uint64_t skip, ByteRing& ring);
  Task<Result<void>> store(Worker& worker, BlobTransfer& transfer, std::uint64_t position, ByteRing& ring);
  // Lets clients go first, for a while.
  Task<void> give_way(Worker& worker);
  // One read. Fails with timeout when the transfer only drips.
  Task<Result<std::size_t>> read(Worker& worker, BlobTransfer& transfer, std::span<std::byte> room);
  Task<void> count(Worker& worker, const BlobTransfer& transfer, std::size_t bytes);

  void record_progress();
  [[nodiscard]] bool checkpoint_due() const;
  Task<void> keep_books();
  Task<void> note_and_hash();
  Task<void> make_checkpoints();
  Task<void> sync_what_came();

  const std::shared_ptr<FillSources> sources_;
  const std::shared_ptr<PartialBlob> partial_;
  const Surroundings around_;
  const Pools pools_;
  const FetchOptions options_;
  std::optional<ChunkPlan> plan_;  // none in a stream
  ConnectionScaler scaler_;
  Workers workers_;
  std::size_t most_workers_ = 0;
  std::optional<asio::steady_timer> tick_, pause_;
  std::optional<Error> failure_;    // it ends with this
  std::optional<Answer> unranged_;  // the upstream ignores ranges: this is the whole
  bool pieces_over_ = false;        // workers that still wait for an answer are of no interest any more
  bool one_stream_ = false;         // workers end, a stream follows
  bool from_start_ = false;         // the stream asks for no range
  bool backing_off_ = false, streaming_ = false;
  std::map<std::string, std::string> etags_;  // by source and endpoint
  Attempts attempts_;

  std::uint64_t received_ = 0, sampled_ = 0;  // bytes from upstream; up to the last sample
  Steady::time_point sampled_at_{};
  bool steady_ = false;    // as many workers as wanted since the last sample
  double usual_rate_ = 0;  // of one connection, bytes a second

  std::uint64_t stored_ = 0, recorded_ = 0;  // bytes; up to the last record_progress()
  bool keeping_books_ = false, note_wanted_ = false, note_failed_ = false;
  bool checkpointing_ = false;
  std::uint64_t checkpointed_ = 0;  // of stored_
  Steady::time_point checkpointed_at_ = Steady::now();
};

}  // namespace paddock

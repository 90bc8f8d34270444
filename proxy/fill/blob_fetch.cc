#include "proxy/fill/blob_fetch.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <random>
#include <spdlog/spdlog.h>
#include <utility>

#include "proxy/fill/timer_wait.h"

namespace paddock {
namespace {

double random() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<>()(generator);
}

std::unexpected<Error> ended_early() {
  return fail(ErrorCode::unavailable, Blame::upstream, "the upstream ended the transfer early", /*retryable=*/true);
}

// Whatever an upstream does in the middle of a blob may pass. What concerns us, or all of its bytes, does not.
bool may_pass(const Error& error) {
  return error.blame == Blame::upstream && error.code != ErrorCode::digest_mismatch &&
         error.code != ErrorCode::too_large;
}

}  // namespace

BlobFetch::BlobFetch(Source source, std::shared_ptr<PartialBlob> partial, Surroundings around, Pools pools,
                     FetchOptions options)
    : source_(std::move(source)),
      partial_(std::move(partial)),
      around_(std::move(around)),
      pools_(pools),
      options_(options),
      scaler_({.limit = options.connections}) {}

Task<Result<void>> BlobFetch::run(std::optional<BlobTransfer> first) {
  const auto executor = co_await asio::this_coro::executor;
  tick_.emplace(executor);
  pause_.emplace(executor);
  from_start_ = !options_.ranged;
  const bool ranged = options_.ranged && partial_->size();
  auto done = ranged ? co_await fetch_ranged(std::move(first)) : co_await watched_stream(std::move(first));
  spdlog::debug("fetched {} bytes of {} over at most {} connections", received_, partial_->digest().to_string(),
                most_workers_);
  // Hashing ends before the verification; a checkpoint may end later, and notes nothing then.
  while (keeping_books_) {
    tick_->expires_after(options_.interval);
    co_await wait_for(*tick_);
  }
  if (done && failure_) co_return std::unexpected(*failure_);
  co_return done;
}

void BlobFetch::give_up(Error error) {
  if (failure_) return;
  failure_ = std::move(error);
  for (auto& worker : workers_) {
    if (worker.abort) worker.abort();
  }
  pause_->cancel();
}

// --- pieces ---

Task<Result<void>> BlobFetch::fetch_ranged(std::optional<BlobTransfer> first) {
  plan_.emplace(*partial_->size(), options_.chunk, partial_->extents());
  sampled_at_ = Steady::now();
  const auto readers = first ? std::vector<std::uint64_t>() : around_.readers();
  if (const auto piece = plan_->next(readers)) spawn(*piece, std::move(first));
  while (!workers_.empty() && !over()) {
    tick_->expires_after(options_.interval);
    co_await wait_for(*tick_);
    try {
      supervise();
    } catch (const std::exception& e) {
      give_up({.code = ErrorCode::io, .blame = Blame::us, .context = e.what()});
    }
  }
  pieces_over_ = true;
  if (failure_) co_return std::unexpected(*failure_);
  if (!one_stream_) co_return Result<void>{};
  plan_.reset();
  co_return co_await watched_stream(std::exchange(unranged_, std::nullopt));
}

bool BlobFetch::over() const {
  return (failure_ || one_stream_ || plan_->complete()) &&
         std::ranges::none_of(workers_, [](const Worker& worker) { return static_cast<bool>(worker.abort); });
}

void BlobFetch::spawn(ChunkPlan::Piece piece, std::optional<BlobTransfer> transfer, std::shared_ptr<void> allowance) {
  const auto worker = workers_.emplace(workers_.end());
  most_workers_ = std::max(most_workers_, workers_.size());
  worker->piece = piece;
  worker->allowance = std::move(allowance);
  // The loop's other end holds this for as long as there are workers.
  asio::co_spawn(tick_->get_executor(), work(worker, std::move(transfer)), asio::detached);
}

Task<void> BlobFetch::work(Workers::iterator self, std::optional<BlobTransfer> transfer) {
  const auto alive = shared_from_this();
  try {
    co_await fetch_pieces(*self, std::move(transfer));
  } catch (const std::exception& e) {
    give_up({.code = ErrorCode::io, .blame = Blame::us, .context = e.what()});
  }
  if (!pieces_over_) plan_->release(self->piece.ticket);
  workers_.erase(self);
  tick_->cancel();
}

// Pieces until there are none, or there are workers enough.
Task<void> BlobFetch::fetch_pieces(Worker& worker, std::optional<BlobTransfer> transfer) {
  while (!pieces_over_) {
    worker.asked = worker.last_byte = Steady::now();
    worker.received = 0;
    worker.brought = false;
    auto done = co_await fetch_piece(worker, std::exchange(transfer, std::nullopt));
    if (pieces_over_) co_return;
    const Extent rest = plan_->rest(worker.piece.ticket);
    plan_->release(worker.piece.ticket);
    if (rest.begin >= rest.end) {
      piece_done();
    } else if (!failure_ && !one_stream_) {
      const Error error = done ? ended_early().error() : done.error();
      if (!co_await goes_on(worker, error) || pieces_over_) co_return;
      around_.on_resumed();
    }
    if (failure_ || one_stream_ || workers_.size() > scaler_.target()) co_return;
    const auto next = plan_->next(around_.readers());
    if (!next) co_return;
    worker.piece = *next;
  }
}

Task<bool> BlobFetch::goes_on(const Worker& worker, const Error& error) {
  if (!may_pass(error)) {
    give_up(error);
    co_return false;
  }
  if (error.code == ErrorCode::protocol && !worker.brought) {
    one_stream_ = true;  // it does not get ranges right
    co_return false;
  }
  if (!worker.brought) scaler_.back_off();
  if (workers_.size() > 1) co_return worker.brought;
  co_return co_await back_off(error);
}

// Waits before the next attempt, or gives up.
Task<bool> BlobFetch::back_off(const Error& why) {
  if (failure_) co_return false;
  const bool limited = why.code == ErrorCode::rate_limited;
  RetryPolicy policy = options_.retry;
  if (limited) policy.attempts = options_.limited_attempts;
  const FailedAttempt failed{limited ? ++limited_ : ++fruitless_, true, why.retry_after, options_.patience};
  const auto delay = retry_delay(policy, failed, random());
  if (!delay) {
    give_up(why);
    co_return false;
  }
  spdlog::warn("fill of {} from {} broke off at byte {}: {}; next attempt in {} ms", partial_->digest().to_string(),
               source_.upstream->name(), partial_->contiguous(), why.context, delay->count());
  backing_off_ = true;
  pause_->expires_after(*delay);
  co_await wait_for(*pause_);
  backing_off_ = false;
  co_return !failure_;
}

Task<Result<void>> BlobFetch::fetch_piece(Worker& worker, std::optional<BlobTransfer> transfer) {
  const Extent extent = plan_->rest(worker.piece.ticket);
  if (!transfer) {
    auto opened = co_await source_.upstream->get_blob(source_.repository, partial_->digest(), extent.begin,
                                                      extent.end - extent.begin);
    if (!opened) co_return std::unexpected(std::move(opened).error());
    transfer = *std::move(opened);
  }
  if (pieces_over_) co_return Result<void>{};
  if (failure_) co_return std::unexpected(*failure_);
  if (transfer->offset < extent.begin || !transfer->end || *transfer->end > extent.end) {
    if (!unranged_) unranged_ = std::move(transfer);
    one_stream_ = true;
    co_return Result<void>{};
  }
  worker.abort = transfer->abort;
  auto done = co_await copy(worker, *transfer, extent.begin);
  worker.abort = nullptr;
  co_return done;
}

// --- a stream ---

Task<Result<void>> BlobFetch::watched_stream(std::optional<BlobTransfer> transfer) {
  using namespace asio::experimental::awaitable_operators;
  streaming_ = true;
  co_return co_await (fetch_stream(std::move(transfer)) && watch_stream());
}

Task<void> BlobFetch::watch_stream() {
  while (streaming_) {
    tick_->expires_after(options_.interval);
    co_await wait_for(*tick_);
    if (auto why = around_.interrupted()) give_up(*std::move(why));
  }
}

Task<Result<void>> BlobFetch::fetch_stream(std::optional<BlobTransfer> transfer) {
  const auto worker = workers_.emplace(workers_.end());
  for (bool complete = false; !complete && !failure_;) {
    worker->brought = false;
    const std::uint64_t begin = partial_->contiguous();
    Result<void> done;
    if (!transfer) {
      auto opened = co_await source_.upstream->get_blob(source_.repository, partial_->digest(), from_start_ ? 0 : begin,
                                                        std::nullopt);
      opened ? void(transfer = *std::move(opened)) : void(done = std::unexpected(std::move(opened).error()));
    }
    if (done) {
      worker->abort = transfer->abort;
      done = co_await copy(*worker, *transfer, begin);
      worker->abort = nullptr;
    }
    transfer.reset();  // closes a broken one before the next is opened
    const auto size = partial_->size();
    complete = done && (!size || partial_->contiguous() == *size);
    if (complete || failure_) break;
    const Error error = done ? ended_early().error() : done.error();
    if (error.code == ErrorCode::protocol && !from_start_ && begin > 0) {
      from_start_ = true;  // it does not get ranges right
    } else if (!may_pass(error) || error.code == ErrorCode::protocol) {
      give_up(error);
    } else if (co_await back_off(error)) {
      around_.on_resumed();
    }
  }
  workers_.erase(worker);
  streaming_ = false;
  tick_->cancel();
  if (failure_) co_return std::unexpected(*failure_);
  co_return Result<void>{};
}

}  // namespace paddock

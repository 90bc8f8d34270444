#include "proxy/fill/blob_fetch.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <spdlog/spdlog.h>
#include <utility>

#include "proxy/fill/timer_wait.h"
#include "proxy/fill/transfer_errors.h"

namespace paddock {
namespace {

// Whatever an upstream does in the middle of a blob may pass. What concerns us, or all of its bytes, does not.
bool may_pass(const Error& error) {
  return error.blame == Blame::upstream && error.code != ErrorCode::digest_mismatch &&
         error.code != ErrorCode::too_large;
}

}  // namespace

BlobFetch::BlobFetch(std::shared_ptr<FillSources> sources, std::shared_ptr<PartialBlob> partial, Surroundings around,
                     Pools pools, FetchOptions options)
    : sources_(std::move(sources)),
      partial_(std::move(partial)),
      around_(std::move(around)),
      pools_(pools),
      options_(options),
      scaler_({.limit = options.connections}),
      attempts_({.retry = options.retry, .limited = options.limited_attempts, .patience = options.patience}) {}

Task<Result<void>> BlobFetch::run(std::optional<BlobTransfer> first) {
  const auto executor = co_await asio::this_coro::executor;
  tick_.emplace(executor);
  pause_.emplace(executor);
  from_start_ = !options_.ranged;
  const bool ranged = options_.ranged && partial_->size();
  std::optional<Answer> answer;
  if (first) answer.emplace(sources_->current(), *std::move(first));
  auto done = ranged ? co_await fetch_ranged(std::move(answer)) : co_await watched_stream(std::move(answer));
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

Task<void> BlobFetch::guarded(Task<void> task) {
  try {
    co_await std::move(task);
  } catch (const std::exception& e) {
    give_up({.code = ErrorCode::io, .blame = Blame::us, .context = e.what()});
  }
}

// --- connections ---

BlobFetch::Workers::iterator BlobFetch::add_worker(Source source) {
  const auto worker = workers_.insert(workers_.end(), Worker{.attempt = Attempt(options_.least_rate)});
  worker->source = std::move(source);
  most_workers_ = std::max(most_workers_, workers_.size());
  return worker;
}

bool BlobFetch::may_connect(const BlobSource& source, std::size_t others, std::shared_ptr<void>& allowance) const {
  const auto& budget = source.limits.budget;
  if (!budget || others == 0) return true;
  allowance = budget->take(around_.priority());
  return allowance != nullptr;
}

std::size_t BlobFetch::wanted_workers() const {
  if (around_.gives_way()) return 1;
  return std::min(scaler_.target(), std::max<std::size_t>(1, sources_->current()->limits.connections));
}

// Less towards the end, so that all connections are at work up to it.
std::uint64_t BlobFetch::piece_length() const {
  const std::uint64_t share = plan_->free_bytes() / (2 * wanted_workers());
  const double in_time = usual_rate_ * std::chrono::duration<double>(options_.piece_time).count();
  return std::min({share, static_cast<std::uint64_t>(in_time), options_.most_chunks * options_.chunk});
}

bool BlobFetch::change_source(Worker& worker) {
  auto current = sources_->current();
  if (worker.source == current) return true;
  worker.source = std::move(current);
  worker.allowance.reset();
  // Beside a stream there are only those that end.
  const std::size_t others = plan_ && !pieces_over_ ? workers_.size() - 1 : 0;
  return may_connect(*worker.source, others, worker.allowance);
}

void BlobFetch::stream_instead() {
  one_stream_ = true;
  for (auto& worker : workers_) {
    if (worker.abort) worker.abort();
  }
}

bool BlobFetch::without_ranges(const Worker& worker, const Error& error) {
  if (plan_) {
    stream_instead();
  } else if (!from_start_ && worker.attempt.begin > 0) {
    from_start_ = true;
    return true;
  } else {
    give_up(error);
  }
  return false;
}

Task<bool> BlobFetch::goes_on(Worker& worker, Result<void> ended) {
  const bool in_order = ended.has_value();
  const Error error = in_order ? ended_early() : std::move(ended).error();
  if (!may_pass(error)) {
    give_up(error);
    co_return false;
  }
  const auto& attempt = worker.attempt;
  const bool fruitful = attempt.brought >= options_.least_brought && !attempt.dripped;
  if (fruitful) attempts_.succeeded();
  if (sources_->turn(worker.source, error, fruitful)) co_return change_source(worker);
  if (error.code == ErrorCode::protocol && (!plan_ || attempt.brought == 0)) co_return without_ranges(worker, error);
  if (!fruitful) scaler_.back_off();
  if (plan_ && workers_.size() > 1) co_return fruitful;
  Error why = fruitful ? error : sources_->verdict(error);
  co_return co_await back_off(worker, std::move(why), in_order) && change_source(worker);
}

// Waits before the next attempt, or gives up.
Task<bool> BlobFetch::back_off(const Worker& worker, Error why, bool ended) {
  if (failure_) co_return false;
  const auto delay = attempts_.failed(why, ended, jitter());
  if (!delay && attempts_.all_ended()) {
    give_up({ErrorCode::digest_mismatch, Blame::upstream, "the upstream has fewer bytes than the size announced"});
  } else if (!delay) {
    give_up(why);
  }
  if (!delay) co_return false;
  spdlog::warn("fill of {} from {} broke off at byte {}: {}; next attempt in {} ms", partial_->digest().to_string(),
               worker.source->upstream->name(), partial_->contiguous(), why.context, delay->count());
  backing_off_ = true;
  around_.on_wait(true);
  pause_->expires_after(*delay);
  co_await wait_for(*pause_);
  // What is around may be gone when run() did not wait for this one.
  if (!pieces_over_) around_.on_wait(false);
  backing_off_ = false;
  co_return !failure_;
}

// --- pieces ---

Task<Result<void>> BlobFetch::fetch_ranged(std::optional<Answer> first) {
  plan_.emplace(*partial_->size(), options_.chunk, partial_->extents());
  sampled_at_ = Steady::now();
  const auto readers = first ? std::vector<std::uint64_t>() : around_.readers();
  if (const auto piece = plan_->next(readers)) {
    first ? spawn(*piece, first->source, std::move(first->transfer)) : spawn(*piece, sources_->current());
  }
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

void BlobFetch::spawn(ChunkPlan::Piece piece, Source source, std::optional<BlobTransfer> transfer,
                      std::shared_ptr<void> allowance) {
  const auto worker = add_worker(std::move(source));
  worker->piece = piece;
  worker->allowance = std::move(allowance);
  // The loop's other end holds this for as long as there are workers.
  asio::co_spawn(tick_->get_executor(), work(worker, std::move(transfer)), asio::detached);
}

Task<void> BlobFetch::work(Workers::iterator self, std::optional<BlobTransfer> transfer) {
  const auto alive = shared_from_this();
  co_await guarded(fetch_pieces(*self, std::move(transfer)));
  if (!pieces_over_) plan_->release(self->piece.ticket);
  workers_.erase(self);
  tick_->cancel();
}

// Pieces until there are none, or there are workers enough.
Task<void> BlobFetch::fetch_pieces(Worker& worker, std::optional<BlobTransfer> transfer) {
  while (!pieces_over_) {
    worker.attempt = Attempt(options_.least_rate);
    auto done = co_await fetch_piece(worker, std::exchange(transfer, std::nullopt));
    if (pieces_over_) co_return;
    const Extent rest = plan_->rest(worker.piece.ticket);
    plan_->release(worker.piece.ticket);
    if (rest.begin >= rest.end) {
      attempts_.succeeded();
      if (plan_->complete()) record_progress();  // a start after kill -9 commits what had come whole
    } else if (!failure_ && !one_stream_) {
      if (!co_await goes_on(worker, std::move(done)) || pieces_over_) co_return;
      around_.on_resumed();
    }
    if (failure_ || one_stream_ || workers_.size() > wanted_workers()) co_return;
    const auto next = plan_->next(around_.readers(), piece_length());
    if (!next) co_return;
    worker.piece = *next;
  }
}

Task<Result<void>> BlobFetch::fetch_piece(Worker& worker, std::optional<BlobTransfer> transfer) {
  const Extent extent = plan_->rest(worker.piece.ticket);
  worker.attempt.begin = extent.begin;
  if (!transfer) {
    const Source source = worker.source;
    auto opened = co_await source->upstream->get_blob(source->repository, partial_->digest(), extent.begin,
                                                      extent.end - extent.begin);
    if (!opened) co_return std::unexpected(std::move(opened).error());
    transfer = *std::move(opened);
  }
  if (pieces_over_) co_return Result<void>{};
  if (failure_) co_return std::unexpected(*failure_);
  if (transfer->offset < extent.begin || !transfer->end || *transfer->end > extent.end) {
    if (!unranged_ && transfer->offset <= partial_->contiguous()) {
      unranged_.emplace(worker.source, *std::move(transfer));
    }
    stream_instead();
    co_return Result<void>{};
  }
  co_return co_await copy(worker, *transfer);
}

// --- a stream ---

Task<Result<void>> BlobFetch::watched_stream(std::optional<Answer> answer) {
  using namespace asio::experimental::awaitable_operators;
  streaming_ = true;
  co_return co_await (fetch_stream(std::move(answer)) && watch_stream());
}

Task<void> BlobFetch::watch_stream() {
  while (streaming_) {
    tick_->expires_after(options_.interval);
    co_await wait_for(*tick_);
    if (auto why = around_.interrupted()) give_up(*std::move(why));
  }
}

Task<Result<void>> BlobFetch::fetch_stream(std::optional<Answer> answer) {
  const auto worker = add_worker(answer ? answer->source : sources_->current());
  std::optional<BlobTransfer> transfer;
  if (answer) transfer = std::move(answer->transfer);
  while (!failure_) {
    worker->attempt = Attempt(options_.least_rate);
    worker->attempt.begin = partial_->contiguous();
    auto done = co_await stream_once(*worker, std::exchange(transfer, std::nullopt));
    const auto size = partial_->size();
    if (done && (!size || partial_->contiguous() == *size)) break;
    if (!failure_ && co_await goes_on(*worker, std::move(done))) around_.on_resumed();
  }
  workers_.erase(worker);
  streaming_ = false;
  tick_->cancel();
  if (failure_) co_return std::unexpected(*failure_);
  co_return Result<void>{};
}

Task<Result<void>> BlobFetch::stream_once(Worker& worker, std::optional<BlobTransfer> transfer) {
  if (!transfer) {
    const Source source = worker.source;
    auto opened = co_await source->upstream->get_blob(source->repository, partial_->digest(),
                                                      from_start_ ? 0 : worker.attempt.begin, std::nullopt);
    if (!opened) co_return std::unexpected(std::move(opened).error());
    transfer = *std::move(opened);
  }
  co_return co_await copy(worker, *transfer);
}

}  // namespace paddock

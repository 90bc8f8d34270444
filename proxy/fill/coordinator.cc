#include "proxy/fill/coordinator.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>
#include <utility>

namespace paddock {

struct FillCoordinator::Job {
  std::shared_ptr<Fill> fill;
  std::shared_ptr<Upstream> upstream;
  std::string repository;
  std::shared_ptr<PartialBlob> partial;  // once begun
  std::vector<std::byte> buffer;
  std::size_t fruitless = 0;  // transfers in a row that brought nothing
};

FillCoordinator::FillCoordinator(EventLoops& loops, BlockingPool& pool, BlobStore& store, Options options)
    : loops_(loops),
      pool_(pool),
      store_(store),
      options_(options),
      clock_(options.clock != nullptr ? *options.clock : system_clock_),
      unkeepable_(clock_, options.disk_rest) {}

std::shared_ptr<Fill> FillCoordinator::fetch(std::shared_ptr<Upstream> upstream, const std::string& repository,
                                             const Digest& digest) {
  auto job = std::make_shared<Job>();
  {
    const MutexLock lock(mutex_);
    auto& fill = fills_[digest];
    if (fill) return fill;
    fill = std::make_shared<Fill>(digest, upstream->name(), repository);
    job->fill = fill;
  }
  job->upstream = std::move(upstream);
  job->repository = repository;
  asio::co_spawn(loops_.next(), run(job), asio::detached);
  return job->fill;
}

std::shared_ptr<Fill> FillCoordinator::find(const Digest& digest) const {
  const MutexLock lock(mutex_);
  const auto found = fills_.find(digest);
  return found == fills_.end() ? nullptr : found->second;
}

Task<void> FillCoordinator::run(std::shared_ptr<Job> job) {
  Result<void> outcome;
  try {
    outcome = co_await fill(*job);
  } catch (const std::exception& e) {
    outcome = paddock::fail(ErrorCode::io, Blame::us, e.what());
  }
  if (!outcome && job->partial) {
    // A failed commit has removed it already; giving up twice does no harm.
    co_await pool_.run([this, partial = job->partial, error = outcome.error()]() -> Result<void> {
      store_.abandon(*partial, error);
      return {};
    });
  }
  settle(*job, outcome);
}

Task<Result<void>> FillCoordinator::fill(Job& job) {
  if (stopping_) co_return paddock::fail(ErrorCode::cancelled, Blame::us, "shutting down");
  const Digest digest = job.fill->digest();
  // It may have been committed between the caller's look and this fill.
  if (auto blob = co_await pool_.run([this, digest] { return store_.open(digest); })) {
    job.fill->finish(*std::move(blob));
    co_return Result<void>{};
  }
  if (unkeepable_.contains(digest.to_string())) {
    co_return paddock::fail(ErrorCode::io, Blame::us, "it could not be written a moment ago");
  }
  auto transfer = co_await open_transfer(job);
  if (!transfer) co_return std::unexpected(std::move(transfer).error());
  const auto size = co_await size_of(job, *transfer);
  auto partial = co_await pool_.run([this, digest, size] { return store_.begin(digest, size); });
  if (!partial) {
    Error error = std::move(partial).error();
    // A folder of ours that is gone says nothing about the blob.
    if (error.code == ErrorCode::not_found) error.code = ErrorCode::io;
    co_return std::unexpected(std::move(error));
  }
  job.partial = *std::move(partial);
  job.buffer.resize(options_.buffer_size);
  job.fill->publish(job.partial, transfer->source);

  for (;;) {
    auto copied = co_await copy(job, *transfer);
    transfer->read = nullptr;  // closes a broken transfer before the next one is opened
    if (copied) break;
    if (auto wait = co_await back_off(job, copied.error()); !wait) co_return wait;
    ++resumed_;
    auto next = co_await open_transfer(job);
    if (!next) co_return std::unexpected(std::move(next).error());
    transfer = std::move(next);
    job.fill->set_source(transfer->source);
  }
  // Before the commit has its turn: until then readers of a small blob see nothing of it.
  auto verified = co_await pool_.run([filled = job.partial] { return filled->verify(); });
  if (!verified) co_return verified;
  BlockingPool& commits = options_.commits != nullptr ? *options_.commits : pool_;
  co_return co_await commits.run([this, filled = job.partial] { return store_.commit(*filled); });
}

// From the first byte that is missing. Failures to open count as fruitless transfers and are retried here too.
Task<Result<BlobTransfer>> FillCoordinator::open_transfer(Job& job) {
  for (;;) {
    const std::uint64_t offset = job.partial ? job.partial->contiguous() : 0;
    auto transfer = co_await job.upstream->get_blob(job.repository, job.fill->digest(), offset, std::nullopt);
    if (transfer) co_return transfer;
    // Before the first byte the clients are waiting for an answer: the upstream's own retries must do.
    if (!job.partial) co_return transfer;
    if (auto wait = co_await back_off(job, transfer.error()); !wait) co_return std::unexpected(std::move(wait).error());
  }
}

Task<std::optional<std::uint64_t>> FillCoordinator::size_of(const Job& job, const BlobTransfer& transfer) {
  if (transfer.size) co_return transfer.size;
  const auto info = co_await job.upstream->head_blob(job.repository, job.fill->digest());
  co_return info ? std::optional(info->size) : std::nullopt;
}

Task<Result<void>> FillCoordinator::copy(Job& job, BlobTransfer& transfer) {
  auto& partial = *job.partial;
  const auto size = partial.size();
  if (size && transfer.size && *size != *transfer.size) {
    co_return paddock::fail(ErrorCode::protocol, Blame::upstream,
                            "the blob's size changed in the middle of the transfer");
  }
  std::uint64_t position = partial.contiguous();
  if (transfer.offset > position) {
    co_return paddock::fail(ErrorCode::protocol, Blame::upstream, "the upstream skipped bytes");
  }
  std::uint64_t skip = position - transfer.offset;  // it ignored the range and started anew
  for (;;) {
    if (stopping_) co_return paddock::fail(ErrorCode::cancelled, Blame::us, "shutting down");
    auto count = co_await transfer.read(job.buffer);
    if (!count) co_return std::unexpected(std::move(count).error());
    if (*count == 0) break;
    const auto dropped = std::min<std::uint64_t>(skip, *count);
    skip -= dropped;
    const auto bytes = std::span(job.buffer).first(*count).subspan(dropped);
    if (bytes.empty()) continue;
    if (!size && position + bytes.size() > options_.unsized_limit) {
      co_return paddock::fail(ErrorCode::too_large, Blame::upstream, "a blob without a size that does not end");
    }
    auto written = co_await pool_.run([&partial, position, bytes] { return partial.write(position, bytes); });
    if (!written) co_return written;
    position += bytes.size();
    job.fruitless = 0;
  }
  if (size && position < *size) {
    co_return paddock::fail(ErrorCode::unavailable, Blame::upstream, "the upstream ended the transfer early", true);
  }
  co_return Result<void>{};
}

// Waits before the next transfer, or says that there is none.
Task<Result<void>> FillCoordinator::back_off(Job& job, const Error& why) {
  if (stopping_) co_return std::unexpected(why);
  double random = 0;
  {
    const MutexLock lock(mutex_);
    random = std::uniform_real_distribution<>()(random_);
  }
  const FailedAttempt failed{++job.fruitless, why.retryable, why.retry_after, options_.patience};
  const auto delay = retry_delay(options_.retry, failed, random);
  if (!delay) co_return std::unexpected(why);
  spdlog::warn("fill of {} from {} broke off at byte {}: {}; next attempt in {} ms", job.fill->digest().to_string(),
               job.upstream->name(), job.partial->contiguous(), why.context, delay->count());
  asio::steady_timer timer(co_await asio::this_coro::executor, *delay);
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_return Result<void>{};
}

void FillCoordinator::settle(const Job& job, const Result<void>& outcome) {
  if (outcome) {
    job.fill->finish();
    ++completed_;
  } else if (is_not_kept(outcome.error())) {
    note_not_kept(job, outcome.error());
  } else {
    note_failure(job, outcome.error());
  }
  {
    const MutexLock lock(mutex_);
    fills_.erase(job.fill->digest());
    ended_.notify_all();
  }
  // Last: who hears of the failure and asks again must not get this fill.
  if (!outcome) job.fill->finish(outcome.error());
}

void FillCoordinator::note_not_kept(const Job& job, const Error& error) {
  const std::string digest = job.fill->digest().to_string();
  ++not_kept_;
  if (job.partial) unkeepable_.add(digest);
  const MutexLock lock(mutex_);
  if (const auto times = not_kept_reports_.happened(clock_.now())) {
    spdlog::warn("blobs that cannot be kept and pass through uncached: {} since last told, now {}: {} ({})", *times,
                 digest, error.context, to_string(error.code));
  }
}

void FillCoordinator::note_failure(const Job& job, const Error& error) {
  ++failed_;
  if (error.code == ErrorCode::digest_mismatch) ++verify_failures_;
  const auto status = job.fill->status();
  const bool expected = error.blame == Blame::us || error.code == ErrorCode::not_found;
  spdlog::log(expected ? spdlog::level::info : spdlog::level::err, "fill of {} for {}/{} from {} failed: {} ({})",
              status.digest.to_string(), status.upstream, status.repository,
              status.source.empty() ? status.upstream : status.source, error.context, to_string(error.code));
}

std::vector<FillStatus> FillCoordinator::fills() const {
  std::vector<std::shared_ptr<Fill>> running;
  {
    const MutexLock lock(mutex_);
    for (const auto& [digest, fill] : fills_) running.push_back(fill);
  }
  std::vector<FillStatus> result;
  result.reserve(running.size());
  for (const auto& fill : running) result.push_back(fill->status());
  return result;
}

FillCoordinator::Stats FillCoordinator::stats() const {
  const MutexLock lock(mutex_);
  return {fills_.size(), completed_, failed_, verify_failures_, resumed_, not_kept_};
}

bool FillCoordinator::stop(std::chrono::milliseconds timeout) {
  stopping_ = true;
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const MutexLock lock(mutex_);
  while (!fills_.empty()) {
    if (!ended_.wait_until(mutex_, deadline)) return fills_.empty();
  }
  return true;
}

}  // namespace paddock

#include "proxy/fill/coordinator.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <spdlog/fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <utility>

namespace paddock {

struct FillCoordinator::Job {
  explicit Job(FillOrder what) : order(std::move(what)) {}

  const FillOrder order;
  std::shared_ptr<Fill> fill;
  std::unique_ptr<FillSlots::Slot> slot;
  std::shared_ptr<PartialBlob> partial;  // once begun
  bool resumed = false;                  // the partial has bytes of an earlier fill
  bool one_source = false;               // bytes came wrong: a single stream now
  bool verified_wrong = false;           // the whole was, so that any of the sources may be at fault
  std::set<std::string> sources;         // where the partial's bytes came from
  std::optional<std::chrono::steady_clock::time_point> alone_since;
};

namespace {

// The upstream, not its bytes: what has come is good. After a protocol error even the size may be wrong.
bool may_come_back(ErrorCode code) {
  return code == ErrorCode::unavailable || code == ErrorCode::timeout || code == ErrorCode::rate_limited ||
         code == ErrorCode::denied || code == ErrorCode::unauthorized || code == ErrorCode::not_found;
}

}  // namespace

FillCoordinator::FillCoordinator(EventLoops& loops, BlockingPool& pool, BlobStore& store, Options options)
    : loops_(loops),
      pool_(pool),
      store_(store),
      options_(options),
      clock_(options.clock != nullptr ? *options.clock : system_clock_),
      unkeepable_(clock_, options.disk_rest),
      wrong_(clock_, options.wrong_rest),
      slots_(options.at_once) {}

std::shared_ptr<Fill> FillCoordinator::fetch(FillOrder order) {
  auto job = std::make_shared<Job>(std::move(order));
  const auto& wanted = job->order;
  {
    const MutexLock lock(mutex_);
    auto& running = fills_[wanted.digest];
    if (running.fill) {
      const auto known = running.job.lock();
      if (known && wanted.priority == FillPriority::client) known->slot->raise();
      return running.fill;
    }
    job->fill = std::make_shared<Fill>(wanted.digest, wanted.upstream->name(), wanted.repository);
    job->slot = slots_.enter(wanted.priority);
    running = {job->fill, job};
  }
  asio::co_spawn(loops_.next(), run(job), asio::detached);
  return job->fill;
}

std::shared_ptr<Fill> FillCoordinator::find(const Digest& digest) const {
  const MutexLock lock(mutex_);
  const auto found = fills_.find(digest);
  return found == fills_.end() ? nullptr : found->second.fill;
}

Task<void> FillCoordinator::run(std::shared_ptr<Job> job) {
  Result<void> outcome;
  try {
    outcome = co_await fill(*job);
  } catch (const std::exception& e) {
    outcome = paddock::fail(ErrorCode::io, Blame::us, e.what());
  }
  if (!outcome && job->partial) co_await put_away(*job, outcome.error());
  settle(*job, outcome);
}

Task<Result<void>> FillCoordinator::fill(Job& job) {
  const Digest digest = job.order.digest;
  if (!co_await job.slot->wait()) co_return paddock::fail(ErrorCode::cancelled, Blame::us, "shutting down");
  // It may have been committed between the caller's look and this fill.
  if (auto blob = co_await pool_.run([this, digest] { return store_.open(digest); })) {
    job.fill->finish(*std::move(blob));
    co_return Result<void>{};
  }
  if (unkeepable_.contains(digest.to_string())) {
    co_return paddock::fail(ErrorCode::io, Blame::us, "it could not be written a moment ago");
  }
  if (wrong_.contains(digest.to_string())) {
    co_return paddock::fail(ErrorCode::digest_mismatch, Blame::upstream,
                            "the upstream has just sent other bytes than " + digest.to_string() + ", twice");
  }
  for (;;) {
    auto done = co_await attempt(job);
    if (done || !retry_wrong(job, done.error())) co_return done;
    co_await put_away(job, done.error());
    job.partial.reset();
    job.sources.clear();
  }
}

bool FillCoordinator::retry_wrong(Job& job, const Error& why) {
  if (why.code != ErrorCode::digest_mismatch) return false;
  ++verify_failures_;
  spdlog::error("{} came wrong from {}{}: {}", job.order.digest.to_string(), fmt::join(job.sources, ", "),
                job.resumed ? ", or was spoilt on our disk" : "", why.context);
  const bool again = job.resumed || !job.one_source;
  if (!job.resumed) {
    if (job.verified_wrong) {
      for (const auto& source : job.sources) job.order.upstream->distrust(source);
    }
    job.one_source = true;
  }
  job.verified_wrong = false;
  job.resumed = false;
  if (!again) wrong_.add(job.order.digest.to_string());
  return again && !stopping_;
}

Task<Result<void>> FillCoordinator::attempt(Job& job) {
  auto first = co_await begin(job);
  if (!first) co_return std::unexpected(std::move(first).error());
  FetchOptions options = options_.fetch;
  options.connections = job.order.limits.connections;
  options.ranged = !job.one_source;
  const auto fetch = std::make_shared<BlobFetch>(
      BlobFetch::Source{job.order.upstream, job.order.repository, job.order.limits}, job.partial,
      BlobFetch::Surroundings{.readers = [&job] { return job.fill->positions(); },
                              .interrupted = [this, &job] { return interrupted(job); },
                              .on_source =
                                  [&job](const std::string& source) {
                                    job.sources.insert(source);
                                    job.fill->set_source(source);
                                  },
                              .on_resumed = [this] { ++resumed_; }},
      BlobFetch::Pools{pool_, sync_pool()}, options);
  if (auto fetched = co_await fetch->run(*std::move(first)); !fetched) co_return fetched;
  // Before the commit has its turn: until then readers of a small blob see nothing of it.
  auto verified = co_await pool_.run([filled = job.partial] { return filled->verify(); });
  if (!verified) {
    job.verified_wrong = true;
    co_return verified;
  }
  co_return co_await sync_pool().run([this, filled = job.partial] { return store_.commit(*filled); });
}

// Afterwards there is a partial that readers can follow; and the answer to the first request, if one was needed.
Task<Result<std::optional<BlobTransfer>>> FillCoordinator::begin(Job& job) {
  using First = std::optional<BlobTransfer>;
  const Digest digest = job.order.digest;
  auto partial = co_await pool_.run([this, digest] { return store_.resume(digest); });
  First first;
  if (!partial && partial.error().code == ErrorCode::not_found) {
    const auto length = job.one_source ? std::nullopt : std::optional(options_.fetch.chunk);
    auto transfer = co_await job.order.upstream->get_blob(job.order.repository, digest, 0, length);
    if (!transfer) co_return std::unexpected(std::move(transfer).error());
    auto size = transfer->size;
    if (!size) {
      const auto info = co_await job.order.upstream->head_blob(job.order.repository, digest);
      if (info) size = info->size;
    }
    first = *std::move(transfer);
    if (!size && first->end) {
      // A part of nobody knows how much: the whole, until it ends.
      transfer = co_await job.order.upstream->get_blob(job.order.repository, digest, 0, std::nullopt);
      if (!transfer) co_return std::unexpected(std::move(transfer).error());
      first = *std::move(transfer);
    }
    partial = co_await pool_.run([this, digest, size] { return store_.begin(digest, size); });
    // A folder of ours that is gone says nothing about the blob.
    if (!partial && partial.error().code == ErrorCode::not_found) partial.error().code = ErrorCode::io;
  } else if (partial) {
    job.resumed = true;
    ++resumed_;
    spdlog::info("fill of {} is taken up again: {} of {} bytes are there", digest.to_string(), (*partial)->received(),
                 *(*partial)->size());
  }
  if (!partial) co_return std::unexpected(std::move(partial).error());
  job.partial = *std::move(partial);
  job.fill->publish(job.partial, first ? first->source : std::string());
  co_return first;
}

std::optional<Error> FillCoordinator::interrupted(Job& job) const {
  if (stopping_) return Error{.code = ErrorCode::cancelled, .blame = Blame::us, .context = "shutting down"};
  if (options_.on_abandon == OnAbandon::finish || job.order.priority == FillPriority::background) return std::nullopt;
  const auto now = std::chrono::steady_clock::now();
  if (job.fill->readers() > 0) {
    job.alone_since.reset();
  } else if (!job.alone_since) {
    job.alone_since = now;
  } else if (now - *job.alone_since >= options_.abandon_grace) {
    return Error{.code = ErrorCode::cancelled, .blame = Blame::us, .context = "nobody waits for it"};
  }
  return std::nullopt;
}

// Its readers fail. What came from an upstream that is gone, or at a time when we had to stop, is good; what is wrong,
// or cannot be written, is not.
Task<void> FillCoordinator::put_away(Job& job, const Error& why) {
  if (!job.partial) co_return;
  const bool keep = why.code == ErrorCode::cancelled || (why.blame == Blame::upstream && may_come_back(why.code));
  if (keep) ++suspended_;
  // A failed commit has removed it already; giving up twice does no harm.
  co_await pool_.run([this, keep, partial = job.partial, why]() -> Result<void> {
    keep ? store_.suspend(*partial, why) : store_.abandon(*partial, why);
    return {};
  });
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
    for (const auto& [digest, entry] : fills_) running.push_back(entry.fill);
  }
  std::vector<FillStatus> result;
  result.reserve(running.size());
  for (const auto& fill : running) result.push_back(fill->status());
  return result;
}

FillCoordinator::Stats FillCoordinator::stats() const {
  const auto waiting = slots_.waiting();
  const MutexLock lock(mutex_);
  return {.running = fills_.size(),
          .completed = completed_,
          .failed = failed_,
          .verify_failures = verify_failures_,
          .resumed = resumed_,
          .not_kept = not_kept_,
          .suspended = suspended_,
          .waiting = waiting};
}

bool FillCoordinator::stop(std::chrono::milliseconds timeout) {
  stopping_ = true;
  slots_.close();
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const MutexLock lock(mutex_);
  while (!fills_.empty()) {
    if (!ended_.wait_until(mutex_, deadline)) return fills_.empty();
  }
  return true;
}

}  // namespace paddock

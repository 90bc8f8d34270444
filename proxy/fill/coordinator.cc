#include "proxy/fill/coordinator.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <spdlog/spdlog.h>
#include <utility>

#include "proxy/fill/coordinator_job.h"
#include "proxy/fill/no_upstream.h"
#include "proxy/fill/transfer_errors.h"

namespace paddock {

// To the first request.
struct FillCoordinator::FirstAnswer {
  BlobTransfer transfer;
  std::optional<std::uint64_t> size;
};

namespace {

std::unexpected<Error> nobody_wants_it() { return fail(ErrorCode::cancelled, Blame::us, "nobody wants it any more"); }

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
  const auto [fill, job] = enter(std::move(order));
  if (job) asio::co_spawn(loops_.here(), run(job), asio::detached);
  return fill;
}

std::pair<std::shared_ptr<Fill>, std::shared_ptr<FillCoordinator::Job>> FillCoordinator::enter(FillOrder order) {
  const MutexLock lock(mutex_);
  auto& running = fills_[order.digest];
  if (running.fill) {
    if (const auto known = running.job.lock()) join(*known, std::move(order));
    return {running.fill, nullptr};
  }
  auto job = std::make_shared<Job>(order);
  job->slot = slots_.enter(order.priority);
  running = {job->fill, job};
  return {job->fill, std::move(job)};
}

Task<void> FillCoordinator::commit_whole(std::vector<Digest> digests) {
  const auto nobody = std::make_shared<NoUpstream>();
  for (const Digest& digest : digests) {
    if (stopping_) co_return;
    FillOrder order{.upstream = nobody, .repository = nobody->name(), .digest = digest};
    order.priority = FillPriority::background;
    if (const auto job = enter(std::move(order)).second) co_await run(job);
  }
}

void FillCoordinator::join(Job& job, FillOrder order) {
  if (order.priority == FillPriority::client) {
    job.for_clients = true;
    job.slot->raise();
  } else {
    job.in_background = true;
  }
  BlobSource source{std::move(order.upstream), std::move(order.repository), std::move(order.limits)};
  if (!wrong_.contains(wrong_key(job.digest, source))) job.sources->add(std::move(source));
}

void FillCoordinator::release(const Digest& digest) {
  const MutexLock lock(mutex_);
  const auto found = fills_.find(digest);
  if (found == fills_.end()) return;
  if (const auto job = found->second.job.lock()) job->in_background = false;
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
  const Digest digest = job.digest;
  if (!co_await job.slot->wait()) co_return paddock::fail(ErrorCode::cancelled, Blame::us, "shutting down");
  job.fill->leave_line();
  if (job.unwanted()) co_return nobody_wants_it();
  // It may have been committed between the caller's look and this fill.
  if (auto blob = co_await pool_.run([this, digest] { return store_.open(digest); })) {
    job.fill->finish(*std::move(blob));
    co_return Result<void>{};
  }
  if (unkeepable_.contains(digest.to_string())) {
    co_return paddock::fail(ErrorCode::io, Blame::us, "it could not be written a moment ago");
  }
  if (auto left = leave_out_wrong(job); !left) co_return left;
  for (;;) {
    auto done = co_await attempt(job);
    if (done || !retry_wrong(job, done.error())) co_return done;
    co_await put_away(job, done.error());
    job.partial.reset();
    job.places.clear();
  }
}

Task<Result<void>> FillCoordinator::attempt(Job& job) {
  auto first = co_await begin(job);
  if (!first) co_return std::unexpected(std::move(first).error());
  FetchOptions options = options_.fetch;
  options.connections = job.sources->current()->limits.connections;
  options.ranged = !job.one_source;
  const auto fetch = std::make_shared<BlobFetch>(
      job.sources, job.partial,
      BlobFetch::Surroundings{.readers = [&job] { return job.fill->positions(); },
                              .interrupted = [this, &job] { return interrupted(job); },
                              .on_source =
                                  [&job](const BlobSource& source, const std::string& endpoint) {
                                    ++job.places[{source.upstream, endpoint}];
                                    job.fill->set_source(endpoint);
                                  },
                              .on_resumed = [this] { ++resumed_; },
                              .on_wait = [&job](bool waits) { waits ? job.slot->lend() : job.slot->take_back(); },
                              .priority = [&job] { return job.slot->priority(); },
                              .gives_way = [&job] { return job.slot->gives_way(); }},
      BlobFetch::Pools{pool_, sync_pool()}, options);
  auto fetched = co_await fetch->run(*std::move(first));
  job.slot->take_back();
  if (!fetched) co_return fetched;
  // Before the commit has its turn: until then readers of a small blob see nothing of it.
  if (auto verified = co_await verify(job); !verified) co_return verified;
  co_return co_await sync_pool().run([this, filled = job.partial] { return store_.commit(*filled); });
}

// In steps: what was taken up again may be gigabytes to hash, which neither a stop nor others on the pool wait for.
Task<Result<void>> FillCoordinator::verify(Job& job) {
  for (bool more = true; more;) {
    const auto hashed = co_await pool_.run([filled = job.partial] { return filled->hash_more(); });
    more = hashed && *hashed > 0;
    if (more && stopping_) co_return paddock::fail(ErrorCode::cancelled, Blame::us, "shutting down");
  }
  auto verified = co_await pool_.run([filled = job.partial] { return filled->verify(); });
  if (!verified) job.verified_wrong = true;
  co_return verified;
}

// Afterwards there is a partial that readers can follow; and the answer to the first request, if one was needed.
Task<Result<std::optional<BlobTransfer>>> FillCoordinator::begin(Job& job) {
  const Digest digest = job.digest;
  std::optional<BlobTransfer> first;
  auto partial = co_await pool_.run([this, digest] { return store_.resume(digest); });
  if (!partial && partial.error().code == ErrorCode::not_found) {
    auto answer = co_await ask_in_turn(job);
    if (!answer) co_return std::unexpected(std::move(answer).error());
    first = std::move(answer->transfer);
    partial = co_await pool_.run([this, digest, size = answer->size] { return store_.begin(digest, size); });
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

// Those too that join while it waits.
Task<Result<FillCoordinator::FirstAnswer>> FillCoordinator::ask_in_turn(Job& job) {
  const auto length = job.one_source ? std::nullopt : std::optional(options_.fetch.chunk);
  for (;;) {
    const auto source = job.sources->current();
    auto answer = co_await ask(source, job.digest, length);
    if (answer || answer.error().blame != Blame::upstream) co_return answer;
    if (!job.sources->turn(source, answer.error(), false)) {
      co_return std::unexpected(job.sources->verdict(answer.error()));
    }
    if (stopping_) co_return paddock::fail(ErrorCode::cancelled, Blame::us, "shutting down");
  }
}

Task<Result<FillCoordinator::FirstAnswer>> FillCoordinator::ask(FillSources::Source source, Digest digest,
                                                                std::optional<std::uint64_t> length) {
  auto& upstream = *source->upstream;
  auto transfer = co_await upstream.get_blob(source->repository, digest, 0, length);
  if (!transfer) co_return std::unexpected(std::move(transfer).error());
  auto size = transfer->size;
  if (!size) {
    const auto info = co_await upstream.head_blob(source->repository, digest);
    if (info) size = info->size;
  }
  if (!size && transfer->end) {
    // A part of nobody knows how much: the whole, until it ends.
    transfer = co_await upstream.get_blob(source->repository, digest, 0, std::nullopt);
    if (!transfer) co_return std::unexpected(std::move(transfer).error());
  }
  co_return FirstAnswer{*std::move(transfer), size};
}

std::optional<Error> FillCoordinator::interrupted(Job& job) const {
  if (stopping_) return Error{.code = ErrorCode::cancelled, .blame = Blame::us, .context = "shutting down"};
  if (job.unwanted()) return nobody_wants_it().error();
  if (options_.on_abandon == OnAbandon::finish) return std::nullopt;
  const auto now = clock_.now();
  if (job.in_background || job.fill->wanted()) {
    job.alone_since.reset();
  } else if (!job.alone_since) {
    job.alone_since = now;
  } else if (now - *job.alone_since >= options_.abandon_grace) {
    return Error{.code = ErrorCode::cancelled, .blame = Blame::us, .context = "nobody waits for it"};
  }
  return std::nullopt;
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

// What a warm-up does, from its first step to its last.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <spdlog/spdlog.h>
#include <utility>

#include "proxy/warm/in_parallel.h"
#include "proxy/warm/jobs.h"
#include "proxy/warm/pin_plan.h"
#include "proxy/warm/warm_job.h"

namespace paddock {
namespace {

constexpr std::chrono::milliseconds glance{500};  // between two looks at whether it is cancelled
constexpr std::chrono::hours longest_pause{1};    // that an upstream may ask for

// Whatever an upstream does may pass. What concerns us, or the reference, does not.
bool may_pass(const Error& error) {
  if (error.retryable || error.code == ErrorCode::cancelled) return true;
  return error.blame == Blame::upstream && (error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout ||
                                            error.code == ErrorCode::rate_limited);
}

}  // namespace

Task<void> WarmJobs::run(std::shared_ptr<Job> job) {
  Result<WarmState> outcome = WarmState::failed;
  asio::co_spawn(co_await asio::this_coro::executor, watch(job), asio::detached);
  try {
    outcome = co_await carry_out(job);
  } catch (const std::exception& bug) {
    outcome = fail(ErrorCode::io, Blame::us, bug.what());
  }
  // What was stopped goes on after the next start.
  if (!stopping_) {
    const auto state = outcome ? *outcome : WarmState::failed;
    co_await finish(job, state, outcome ? std::string() : outcome.error().context);
  }
  {
    const MutexLock lock(mutex_);
    --running_;
  }
  advance();
}

Task<void> WarmJobs::watch(std::shared_ptr<Job> job) {
  const auto executor = co_await asio::this_coro::executor;
  while (!stopping_) {
    auto waiter = job->changed.subscribe(executor);
    if (job->over()) co_return;
    job->sample(parts_.clock.now());
    tell(*job);
    co_await waiter.wait_until(std::chrono::steady_clock::now() + options_.interval);
  }
}

Task<Result<WarmState>> WarmJobs::carry_out(std::shared_ptr<Job> job) {
  job->set_state(WarmState::resolving);
  auto images = co_await resolve(job->request, job);
  if (!images) co_return std::unexpected(std::move(images).error());
  if (job->cancelled) co_return WarmState::cancelled;
  const auto blobs = distinct_blobs(*images);
  const bool all_known = std::ranges::none_of(*images, [](const auto& image) { return image.error.has_value(); });
  job->plan(*std::move(images));
  if (auto room = co_await find_room(job, blobs); !room) co_return std::unexpected(std::move(room).error());
  co_await take_stock(job);
  const auto pinned = co_await pin(job);
  job->set_state(WarmState::filling);
  co_await in_parallel(blobs.size(), options_.blobs_at_once, [&](std::size_t index) { return fetch(job, index); });
  if (job->cancelled) co_return WarmState::cancelled;
  if (!pinned) co_return std::unexpected(pinned.error().with("the images cannot be pinned"));
  if (!all_known || !job->all_stored()) co_return WarmState::failed;
  if (auto unpinned = co_await unpin_displaced(job); !unpinned) {
    spdlog::error("warm-up {}: what it displaces stays pinned: {}", job->id, unpinned.error().context);
  }
  co_return WarmState::complete;
}

Task<Result<std::vector<PlannedImage>>> WarmJobs::resolve(const WarmRequest& request, std::shared_ptr<Job> job) {
  const auto wanted = co_await references(request, job);
  if (!wanted) co_return std::unexpected(wanted.error());
  std::vector<PlannedImage> images(wanted->size());
  co_await in_parallel(wanted->size(), options_.resolve_at_once, [&](std::size_t index) {
    return resolve_image(wanted->at(index), request, job, images[index]);
  });
  if (request.ours_only) std::erase_if(images, [](const PlannedImage& image) { return !image.ours; });
  co_return images;
}

Task<Result<std::vector<std::string>>> WarmJobs::references(const WarmRequest& request, std::shared_ptr<Job> job) {
  if (!request.images.empty()) co_return request.images;
  if (!parts_.expand) co_return fail(ErrorCode::unsupported, Blame::us, "there are no rules");
  for (std::size_t attempt = 1;; ++attempt) {
    auto expanded = co_await parts_.expand(request.rule);
    if (expanded) co_return expanded;
    const auto delay = delay_after(expanded.error(), attempt);
    if (!delay || !job || job->cancelled || stopping_) {
      co_return std::unexpected(std::move(expanded).error().with("rule " + request.rule));
    }
    co_await pause(job, *delay);
  }
}

// Without a job, for a plan, at once or not at all.
Task<void> WarmJobs::resolve_image(std::string reference, const WarmRequest& request, std::shared_ptr<Job> job,
                                   PlannedImage& out) {
  for (std::size_t attempt = 1;; ++attempt) {
    out = co_await parts_.planner.image(reference, request.platforms, !request.rule.empty());
    if (!out.error || !job || job->cancelled || stopping_) co_return;
    const auto delay = delay_after(*out.error, attempt);
    if (!delay) co_return;
    co_await pause(job, *delay);
  }
}

Task<Result<WarmPlanReport>> WarmJobs::plan(WarmRequest asked) {
  const auto request = complete(std::move(asked));
  if (!request) co_return std::unexpected(request.error());
  const auto images = co_await resolve(*request, nullptr);
  if (!images) co_return std::unexpected(images.error());
  WarmPlanReport report;
  for (const auto& image : *images) report.images.push_back(describe(image));
  const auto blobs = distinct_blobs(*images);
  for (const auto& blob : blobs) {
    report.progress.total += blob.size;
    if (blob.stored) report.progress.stored += blob.size;
  }
  auto room = co_await fit(blobs);
  if (!room) co_return std::unexpected(std::move(room).error());
  report.fit = *std::move(room);
  co_return report;
}

Task<Result<WarmFit>> WarmJobs::fit(const std::vector<PlannedBlob>& blobs, std::vector<PinRecord> without) {
  co_return co_await parts_.pool.run([this, &blobs, &without] {
    return assess_fit(
        parts_.catalog, parts_.space.usage(), blobs,
        [this](const Digest& digest) { return parts_.fills.find(digest) != nullptr; }, parts_.clock.wall(), without);
  });
}

Task<Result<void>> WarmJobs::find_room(std::shared_ptr<Job> job, const std::vector<PlannedBlob>& blobs) {
  auto room = co_await fit(blobs);
  if (!room) co_return std::unexpected(std::move(room).error());
  if (room->fits) co_return Result<void>{};
  auto old = co_await displaced(job);
  if (!old) co_return std::unexpected(std::move(old).error());
  if (!old->empty()) {
    auto without = co_await fit(blobs, *std::move(old));
    if (!without) co_return std::unexpected(std::move(without).error());
    if (without->fits) co_return co_await unpin_displaced(job);
    room = std::move(without);
  }
  co_return fail(ErrorCode::no_space, Blame::us, room->remedy);
}

Task<Result<std::vector<PinRecord>>> WarmJobs::displaced(std::shared_ptr<Job> job) {
  if (!job->request.displaces) co_return std::vector<PinRecord>{};
  co_return co_await parts_.pool.run([this, &job]() -> Result<std::vector<PinRecord>> {
    const auto known = parts_.catalog.pins();
    if (!known) return std::unexpected(known.error());
    return displaced_pins(*known, job->request.rule, job->meant());
  });
}

// Once what takes their place is there, or has no room beside them.
Task<Result<void>> WarmJobs::unpin_displaced(std::shared_ptr<Job> job) {
  if (!job->request.displaces) co_return Result<void>{};
  co_return co_await parts_.pool.run([this, &job] {
    return parts_.manifests.change_pins([&job](const std::vector<PinRecord>& known) {
      PinChanges changes{.put = {}, .erase = displaced_pins(known, job->request.rule, job->meant())};
      if (!changes.erase.empty()) {
        spdlog::info("rule {}: {} images that newer ones displace are unpinned", job->request.rule,
                     changes.erase.size());
      }
      return changes;
    });
  });
}

// Of what the catalog says is there; from here on it counts as used, so that others are evicted first.
Task<void> WarmJobs::take_stock(std::shared_ptr<Job> job) {
  std::vector<std::pair<std::size_t, Digest>> listed;
  {
    const MutexLock lock(job->mutex);
    for (std::size_t i = 0; i < job->items.size(); ++i) {
      if (job->items[i].blob.stored) listed.emplace_back(i, job->items[i].blob.digest);
    }
  }
  for (const auto& [index, digest] : listed) {
    const auto there = co_await parts_.pool.run([this, &digest] { return parts_.blobs.open(digest); });
    const MutexLock lock(job->mutex);
    job->items[index].blob.stored = there.has_value();
  }
}

// Before it is filled, so that its first layers do not make room for its last.
Task<Result<void>> WarmJobs::pin(std::shared_ptr<Job> job) {
  if (job->request.pin.count() == 0) co_return Result<void>{};
  const WallTime now = parts_.clock.wall();
  std::vector<PinRecord> pins;
  {
    const MutexLock lock(job->mutex);
    for (const auto& [image, items, meter] : job->images) {
      if (!image.digest || image.error) continue;
      pins.push_back({image.repository, image.target, *image.digest, now + job->request.pin});
    }
  }
  co_return co_await parts_.pool.run([this, &job, &pins, now] {
    return parts_.manifests.change_pins([&](const std::vector<PinRecord>& known) {
      return PinChanges{.put = joined_pins(known, std::move(pins), job->request.rule, now), .erase = {}};
    });
  });
}

Task<void> WarmJobs::fetch(std::shared_ptr<Job> job, std::size_t index) {
  for (std::size_t attempt = 1; !job->cancelled && !stopping_; ++attempt) {
    const auto done = co_await fetch_once(job, index);
    if (done || job->cancelled || stopping_) co_return;
    const auto delay = delay_after(done.error(), attempt);
    if (!delay) {
      const MutexLock lock(job->mutex);
      job->items[index].error = done.error().context;
      co_return;
    }
    spdlog::info("warm-up {}: {}; next attempt in {} ms", job->id, done.error().context, delay->count());
    co_await pause(job, *delay);
  }
}

// Leaves early when the job is cancelled or stopped.
Task<Result<void>> WarmJobs::fetch_once(std::shared_ptr<Job> job, std::size_t index) {
  const auto order = job->order(index);
  if (!order) co_return Result<void>{};
  {
    const MutexLock lock(mutex_);
    ++wanted_[order->digest];
  }
  const auto fill = parts_.fills.fetch(*order);
  job->set_fill(index, fill);
  Result<bool> over = false;
  while (over && !*over && !job->cancelled && !stopping_) {
    over = co_await fill->over(std::chrono::steady_clock::now() + glance);
  }
  let_go(fill->digest());
  const bool stored = over && *over;
  if (stored) fetched_ += job->set_stored(index);
  job->set_fill(index, nullptr);
  if (!over) co_return std::unexpected(std::move(over).error());
  co_return Result<void>{};
}

// Nobody in the background wants it any more: what is still on its way then was cancelled.
void WarmJobs::let_go(const Digest& digest) {
  const MutexLock lock(mutex_);
  const auto found = wanted_.find(digest);
  if (--found->second > 0) return;
  wanted_.erase(found);
  parts_.fills.release(digest);
}

std::optional<std::chrono::milliseconds> WarmJobs::delay_after(const Error& error, std::size_t attempt) const {
  return retry_delay(
      options_.retry,
      {.number = attempt, .retryable = may_pass(error), .retry_after = error.retry_after, .time_left = longest_pause},
      jitter());
}

Task<void> WarmJobs::pause(std::shared_ptr<Job> job, std::chrono::milliseconds delay) const {
  const auto until = std::chrono::steady_clock::now() + delay;
  const auto executor = co_await asio::this_coro::executor;
  for (;;) {
    auto waiter = job->changed.subscribe(executor);
    if (job->cancelled || stopping_ || !co_await waiter.wait_until(until)) co_return;
  }
}

}  // namespace paddock

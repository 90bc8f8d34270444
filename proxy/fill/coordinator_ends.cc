// How fills end: wrong bytes, what is kept of a fill that fails, and who hears of it.
#include <algorithm>
#include <ranges>
#include <spdlog/fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <utility>

#include "proxy/fill/coordinator_job.h"
#include "proxy/fill/transfer_errors.h"

namespace paddock {
namespace {

// The upstream, not its bytes: what has come is good. After a protocol error even the size may be wrong.
bool may_come_back(ErrorCode code) {
  return code == ErrorCode::unavailable || code == ErrorCode::timeout || code == ErrorCode::rate_limited ||
         code == ErrorCode::denied || code == ErrorCode::unauthorized || code == ErrorCode::not_found;
}

}  // namespace

Result<void> FillCoordinator::leave_out_wrong(Job& job) {
  for (auto source = job.sources->current(); wrong_.contains(wrong_key(job.digest, *source));
       source = job.sources->current()) {
    if (job.sources->drop(source)) continue;
    return std::unexpected(wrong_twice(job.digest));
  }
  return {};
}

// Who brought most of it is the likeliest to be at fault: the next attempt goes to another, and there the whole comes
// from one, so that it can be told.
void FillCoordinator::cast_doubt(const Job& job) {
  const auto most = std::ranges::max_element(job.places, {}, &std::pair<const Job::Place, std::size_t>::second);
  for (auto place = job.places.begin(); place != job.places.end(); ++place) {
    const auto& [upstream, endpoint] = place->first;
    upstream->distrust(endpoint, job.places.size() == 1 ? Doubt::certain
                                 : place == most        ? Doubt::likely
                                                        : Doubt::possible);
  }
}

bool FillCoordinator::retry_wrong(Job& job, const Error& why) {
  if (why.code != ErrorCode::digest_mismatch) return false;
  ++verify_failures_;
  auto places =
      fmt::format("{}", fmt::join(job.places | std::views::keys | std::views::transform(&Job::Place::second), ", "));
  if (places.empty()) places = "an earlier fill";
  spdlog::error("{} came wrong from {}{}: {}", job.digest.to_string(), places,
                job.resumed ? ", or was spoilt on our disk" : "", why.context);
  bool again = true;
  if (!job.resumed) {
    if (job.verified_wrong) cast_doubt(job);
    const auto suspect = job.sources->current();
    if (job.one_source) {
      wrong_.add(wrong_key(job.digest, *suspect));
      again = job.sources->drop(suspect);
    } else {
      job.sources->skip(suspect);
    }
    job.one_source = true;
  }
  job.verified_wrong = false;
  job.resumed = false;
  return again && !stopping_;
}

// Its readers fail. What came from an upstream that is gone, or at a time when we had to stop, is good; what is wrong,
// or cannot be written, is not.
Task<void> FillCoordinator::put_away(Job& job, Error why) {
  if (!job.partial) co_return;
  const bool keep = why.code == ErrorCode::cancelled || (why.blame == Blame::upstream && may_come_back(why.code));
  // A failed commit has removed it already; giving up twice does no harm.
  co_await pool_.run([this, keep, partial = job.partial, why = std::move(why)]() -> Result<void> {
    if (!keep) {
      store_.abandon(*partial, why);
    } else if (store_.suspend(*partial, why)) {
      ++suspended_;
    }
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

}  // namespace paddock

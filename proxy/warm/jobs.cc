#include "proxy/warm/jobs.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <charconv>
#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>
#include <tuple>
#include <utility>

#include "proxy/warm/warm_job.h"

namespace paddock {
namespace {

constexpr std::size_t most_images = 1000, most_platforms = 16, longest_reference = 1024;

std::unexpected<Error> refuse(std::string what) {
  return fail(ErrorCode::invalid_argument, Blame::client, std::move(what));
}

bool is_platform(std::string_view text) {
  const auto slashes = std::ranges::count(text, '/');
  const auto is_fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' || c == '_' || c == '.' || c == '-';
  };
  return text == "all" || (slashes >= 1 && slashes <= 2 && text.size() <= 64 && std::ranges::all_of(text, is_fine));
}

// Of a name that we did not give: 0.
std::uint64_t number_of(const std::string& id) {
  std::uint64_t number = 0;
  std::from_chars(id.data(), id.data() + id.size(), number, 16);
  return number;
}

// The same thing, however it is put.
WarmRequest in_order(WarmRequest request) {
  for (auto* const list : {&request.images, &request.platforms}) {
    std::ranges::sort(*list);
    list->erase(std::ranges::unique(*list).begin(), list->end());
  }
  return request;
}

}  // namespace

WarmJobs::WarmJobs(Parts parts, Options options) : parts_(std::move(parts)), options_(options) {}
WarmJobs::~WarmJobs() = default;

Result<WarmRequest> WarmJobs::complete(WarmRequest request) const {
  if (request.images.empty() && request.rule.empty()) return refuse("give either images or a rule");
  if (request.images.size() > most_images) return refuse(fmt::format("more than {} images", most_images));
  if (parts_.fill_in) {
    if (auto done = parts_.fill_in(request); !done) return std::unexpected(std::move(done).error());
  }
  if (request.platforms.empty()) request.platforms = WarmRequest{}.platforms;
  if (request.platforms.size() > most_platforms) return refuse(fmt::format("more than {} platforms", most_platforms));
  for (const auto& platform : request.platforms) {
    if (!is_platform(platform)) return refuse("platforms: write os/architecture, such as linux/amd64, or all");
  }
  if (std::ranges::any_of(request.images, [](const auto& text) { return text.size() > longest_reference; })) {
    return refuse("an image's reference is longer than 1024 bytes");
  }
  if (request.pin.count() < 0 || request.pin > longest_pin) return refuse("pin: want a duration of up to 100 years");
  return request;
}

Result<void> WarmJobs::start() {
  auto loaded = parts_.files.load();
  if (!loaded) return std::unexpected(std::move(loaded).error());
  std::ranges::sort(*loaded, {}, [](const auto& job) { return std::tuple(job.finished, job.id); });
  std::size_t again = 0;
  {
    const MutexLock lock(mutex_);
    for (auto& report : *loaded) {
      const auto job = std::make_shared<Job>(report);
      jobs_.emplace(report.id, job);
      last_id_ = std::max(last_id_, number_of(report.id));
      if (job->over()) {
        ended_.push_back(report.id);
        continue;
      }
      line_.push_back(job);
      ++again;
    }
  }
  if (again > 0) spdlog::info("{} warm-ups go on where they were", again);
  advance();
  return {};
}

void WarmJobs::stop() {
  stopping_ = true;
  const MutexLock lock(mutex_);
  for (const auto& [id, job] : jobs_) job->changed.notify_all();
}

// The time, or the number after the last: a clock that was set back must not make the newest job look like the oldest,
// which is forgotten first.
std::string WarmJobs::new_id() {
  const auto now = static_cast<std::uint64_t>(parts_.clock.wall().time_since_epoch().count());
  last_id_ = std::max(last_id_ + 1, now);
  return fmt::format("{:08x}", last_id_);
}

Result<WarmTicket> WarmJobs::submit(WarmRequest asked) {
  auto request = complete(std::move(asked));
  if (!request) return std::unexpected(std::move(request).error());
  if (stopping_) return fail(ErrorCode::unavailable, Blame::us, "shutting down", true);
  const auto wanted = in_order(*request);
  std::shared_ptr<Job> job;
  const MutexLock one_at_a_time(submitting_);
  {
    const MutexLock lock(mutex_);
    for (const auto& [id, known] : jobs_) {
      if (!known->over() && !known->cancelled && in_order(known->request) == wanted) return WarmTicket{id, true};
    }
    if (line_.size() >= options_.waiting) {
      return fail(ErrorCode::rate_limited, Blame::us,
                  fmt::format("{} warm-ups wait already: try again later, or cancel some", line_.size()), true);
    }
    job = std::make_shared<Job>(
        WarmJobReport{.id = new_id(), .request = *std::move(request), .created = parts_.clock.wall()});
    jobs_.emplace(job->id, job);
  }
  if (auto saved = parts_.files.save(job->report()); !saved) {
    const MutexLock lock(mutex_);
    jobs_.erase(job->id);
    return std::unexpected(std::move(saved).error().with("the job cannot be kept"));
  }
  {
    const MutexLock lock(mutex_);
    line_.push_back(job);
  }
  advance();
  return WarmTicket{job->id, false};
}

void WarmJobs::advance() {
  std::vector<std::shared_ptr<Job>> begun;
  {
    const MutexLock lock(mutex_);
    while (!stopping_ && running_ < options_.jobs_at_once && !line_.empty()) {
      begun.push_back(line_.front());
      line_.pop_front();
      ++running_;
    }
  }
  for (const auto& job : begun) asio::co_spawn(parts_.loops.next(), run(job), asio::detached);
}

Result<void> WarmJobs::cancel(const std::string& id) {
  const auto job = find(id);
  if (!job) return fail(ErrorCode::not_found, Blame::client, "there is no such job");
  if (job->over()) return fail(ErrorCode::conflict, Blame::client, "the job is over already");
  bool in_line = false;
  {
    const MutexLock lock(mutex_);
    job->cancelled = true;
    in_line = std::erase(line_, job) > 0;
  }
  job->changed.notify_all();
  if (!in_line) return {};  // who runs it sees to the rest
  job->settle(WarmState::cancelled, "", parts_.clock.wall());
  tell(*job);
  auto saved = parts_.files.save(job->report());
  remember_end(id);
  return saved;
}

std::shared_ptr<WarmJobs::Job> WarmJobs::find(const std::string& id) const {
  const MutexLock lock(mutex_);
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : found->second;
}

std::vector<WarmJobReport> WarmJobs::jobs() const {
  std::vector<std::shared_ptr<Job>> all;
  {
    const MutexLock lock(mutex_);
    for (const auto& [id, job] : jobs_) all.push_back(job);
  }
  std::vector<WarmJobReport> reports;
  for (auto job = all.rbegin(); job != all.rend(); ++job) reports.push_back((*job)->report());
  return reports;
}

Result<WarmJobReport> WarmJobs::job(const std::string& id) const {
  if (const auto job = find(id)) return job->report();
  return fail(ErrorCode::not_found, Blame::client, "there is no such job; finished ones are kept for a while only");
}

WarmJobs::Stats WarmJobs::stats() const {
  Stats stats{.jobs = {}, .fetched = fetched_};
  const MutexLock lock(mutex_);
  for (const auto& [id, job] : jobs_) {
    const MutexLock of_job(job->mutex);
    ++stats.jobs[job->state];
  }
  return stats;
}

void WarmJobs::tell(Job& job) const {
  if (parts_.observe) parts_.observe(job.changes());
}

Task<void> WarmJobs::finish(std::shared_ptr<Job> job, WarmState state, std::string error) {
  job->sample(parts_.clock.now());
  job->settle(state, std::move(error), parts_.clock.wall());
  tell(*job);
  const auto report = job->report();
  spdlog::info("warm-up {} is {}: {} of {} bytes of {} images are there{}{}", job->id, to_string(state),
               report.progress.stored, report.progress.total, report.images.size(), report.error.empty() ? "" : "; ",
               report.error);
  auto saved = co_await parts_.pool.run([this, &report] {
    auto kept = parts_.files.save(report);
    remember_end(report.id);
    return kept;
  });
  // After a restart it would be done again, which does no harm.
  if (!saved) spdlog::error("how warm-up {} ended cannot be kept: {}", job->id, saved.error().context);
}

void WarmJobs::remember_end(const std::string& id) {
  std::vector<std::string> too_many;
  {
    const MutexLock lock(mutex_);
    ended_.push_back(id);
    while (ended_.size() > options_.kept) {
      too_many.push_back(std::move(ended_.front()));
      ended_.pop_front();
      jobs_.erase(too_many.back());
    }
  }
  for (const auto& old : too_many) {
    if (auto erased = parts_.files.erase(old); !erased) {
      spdlog::warn("warm-up {} cannot be forgotten: {}", old, erased.error().context);
    }
  }
}

}  // namespace paddock

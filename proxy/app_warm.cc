#include "proxy/app_warm.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <spdlog/spdlog.h>
#include <utility>

#include "proxy/admin/warm_json.h"
#include "proxy/app.h"

namespace paddock {
namespace {

void publish(EventHub& events, const WarmJobReport& job) {
  if (events.has_subscribers()) events.publish("job", to_event(job));
}

Task<Result<WarmPlanReport>> not_yet() { co_return recovering(); }

}  // namespace

WarmUp::WarmUp(const Parts& parts, RuleSet rules)
    : loops_(parts.loops),
      events_(parts.events),
      lists_(parts.clock, {}),
      planner_(parts.pool, parts.storage.catalog(), parts.manifests, parts.tags, lists_, parts.upstreams),
      files_(parts.storage.files(), parts.storage.paths().jobs()),
      pulls_(parts.storage.files(), parts.storage.paths().jobs() / "pulls.json", parts.clock, {}),
      rules_({parts.pool, parts.storage.catalog(), lists_, parts.upstreams, pulls_}, std::move(rules)),
      jobs_({.loops = parts.loops,
             .pool = parts.pool,
             .catalog = parts.storage.catalog(),
             .blobs = parts.storage.blobs(),
             .manifests = parts.storage.manifests(),
             .space = parts.storage.space(),
             .fills = parts.fills,
             .planner = planner_,
             .files = files_,
             .clock = parts.clock,
             .expand = [this](std::string rule) { return rules_.expand(std::move(rule)); },
             .fill_in = [this](WarmRequest& request) { return rules_.fill_in(request); },
             .observe = [&events = parts.events](const WarmJobReport& job) { publish(events, job); }},
            {}),
      scheduler_({.pool = parts.pool,
                  .rules = rules_,
                  .submit = [this](WarmRequest request) { return jobs_.submit(std::move(request)); },
                  .fs = parts.storage.files(),
                  .file = parts.storage.paths().jobs() / "schedule.json",
                  .clock = parts.clock},
                 {}) {}

Result<void> WarmUp::start() {
  // Without what was learned it learns anew.
  if (auto read = pulls_.load(); !read) spdlog::error("what clients pulled: {}", read.error().context);
  auto taken_up = jobs_.start();
  asio::co_spawn(loops_.next(), scheduler_.run(), asio::detached);  // joins those that go on
  return taken_up;
}

void WarmUp::take(RuleSet rules) {
  rules_.replace(std::move(rules));
  scheduler_.poke();
}

void WarmUp::stop() {
  scheduler_.stop();
  jobs_.stop();
  events_.close();
}

WarmData App::warm_data() {
  WarmData data;
  data.plan = [this](WarmRequest request) { return ready_ ? warm_->jobs().plan(std::move(request)) : not_yet(); };
  data.submit = [this](const WarmRequest& request) -> Result<WarmTicket> {
    if (!ready_) return recovering();
    return warm_->jobs().submit(request);
  };
  data.jobs = [this]() -> Result<std::vector<WarmJobReport>> {
    if (!ready_) return recovering();
    return warm_->jobs().jobs();
  };
  data.job = [this](const std::string& id) -> Result<WarmJobReport> {
    if (!ready_) return recovering();
    return warm_->jobs().job(id);
  };
  data.cancel = [this](const std::string& id) -> Result<void> {
    if (!ready_) return recovering();
    return warm_->jobs().cancel(id);
  };
  data.events = &events_;
  return data;
}

void App::put_warm_readings(Readings& readings) const {
  const auto stats = ready_ ? warm_->jobs().stats() : WarmJobs::Stats{};
  readings.warm_bytes = stats.fetched;
  for (std::size_t i = 0; i < warm_states.size(); ++i) {
    const auto found = stats.jobs.find(static_cast<WarmState>(i));
    readings.warm_jobs.emplace_back(warm_states.at(i), found == stats.jobs.end() ? 0 : found->second);
  }
}

}  // namespace paddock

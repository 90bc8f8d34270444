#include "proxy/warm/scheduler.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include "proxy/oci/strict_json.h"

namespace paddock {
namespace {

constexpr std::uint64_t file_limit = 1U << 20U;  // bytes
constexpr std::chrono::seconds try_again{60};    // what could not be begun

}  // namespace

void Scheduler::poke() { changed_.notify_all(); }

void Scheduler::stop() {
  stopping_ = true;
  changed_.notify_all();
}

Task<void> Scheduler::run() {
  const auto executor = co_await asio::this_coro::executor;
  co_await load();
  while (!stopping_) {
    auto waiter = changed_.subscribe(executor);
    const auto pause = co_await look();
    if (stopping_) co_return;
    co_await waiter.wait_until(std::chrono::steady_clock::now() + pause);
  }
}

Task<std::chrono::milliseconds> Scheduler::look() {
  const auto rules = parts_.rules.get();
  const auto known = std::erase_if(last_, [&](const auto& entry) { return !rules->contains(entry.first); });
  bool changed = known > 0;
  auto pause = options_.look;
  for (const auto& [name, rule] : *rules) {
    if (!rule.schedule) continue;
    const auto now = parts_.clock.wall();
    const auto [entry, first] = last_.try_emplace(name, Last{now, now});
    auto& last = entry->second;
    changed = changed || first || last.run > now;
    if (last.run > now) last = {now, now};  // a clock that was set back must not silence a rule
    // What is due ahead of an hour must not be put off into it.
    const auto jitter = rule.learning ? std::chrono::seconds(0) : schedule_jitter(name, options_.spread);
    if (rule.schedule->next(last.run, jitter) <= now) {
      if (co_await run_rule(name, rule, last, now)) {
        changed = true;
      } else {
        pause = std::min<std::chrono::milliseconds>(pause, try_again);
        continue;
      }
    }
    const auto left = std::max(rule.schedule->next(last.run, jitter) - now, std::chrono::seconds(1));
    pause = std::min<std::chrono::milliseconds>(pause, left);
  }
  if (changed) co_await save();
  co_return pause;
}

Task<bool> Scheduler::run_rule(const std::string& name, const WarmRule& rule, Last& last, WallTime now) {
  WarmRequest request{.platforms = {}, .rule = name};
  const Last done{now, rule.learning ? now + rule.learning->ahead : now};
  if (rule.learning) {
    auto images = co_await parts_.pool.run([&] { return parts_.rules.due(rule, last.covered, now); });
    if (!images) spdlog::error("rule {} is due and cannot be run: {}", name, images.error().context);
    if (!images || images->empty()) {
      last = done;  // it would not be otherwise in a minute
      co_return true;
    }
    request.images = *std::move(images);
  }
  auto ticket = co_await parts_.pool.run([this, &request] { return parts_.submit(request); });
  if (ticket) {
    spdlog::info("rule {} is due: job {}{}{}", name, ticket->id,
                 rule.learning ? fmt::format(", {} images usually pulled soon", request.images.size()) : "",
                 ticket->joined ? ", which is still running" : "");
    last = done;
  } else {
    spdlog::error("rule {} is due and cannot be run: {}", name, ticket.error().context);
  }
  co_return ticket.has_value();
}

Task<void> Scheduler::load() {
  auto content = co_await parts_.pool.run([this] { return read_file(parts_.fs, parts_.file, file_limit); });
  if (!content) {
    if (content.error().code != ErrorCode::not_found) spdlog::error("schedules: {}", content.error().context);
    co_return;
  }
  const auto json = parse_strict_json(*content);
  if (!json || !json->is_object()) {
    spdlog::error("{} is damaged: rules wait for their next time", parts_.file.string());
    co_return;
  }
  const auto time = [](const nlohmann::json& seconds) {
    return WallTime(std::chrono::seconds(seconds.is_number_integer() ? seconds.get<std::int64_t>() : 0));
  };
  for (const auto& [name, entry] : json->items()) {
    if (entry.is_number_integer()) last_[name] = {time(entry), time(entry)};
    if (entry.is_object())
      last_[name] = {time(entry.value("run", nlohmann::json())), time(entry.value("covered", nlohmann::json()))};
  }
}

Task<void> Scheduler::save() {
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [name, last] : last_) {
    json[name] = {{"run", last.run.time_since_epoch().count()}, {"covered", last.covered.time_since_epoch().count()}};
  }
  const auto text = json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace);
  const auto saved =
      co_await parts_.pool.run([this, &text] { return write_file_durably(parts_.fs, parts_.file, text); });
  if (!saved) spdlog::error("when rules were run cannot be kept: {}", saved.error().context);
}

}  // namespace paddock

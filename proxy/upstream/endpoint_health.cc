#include "proxy/upstream/endpoint_health.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace paddock {
namespace {

constexpr double weight_of_latest = 0.3;
constexpr std::chrono::seconds enough_to_judge{1};
constexpr std::uint64_t least_to_judge = std::uint64_t{256} << 10U;  // bytes; less says more about latency

}  // namespace

EndpointHealth::EndpointHealth(std::size_t endpoints, Options options, const Clock& clock)
    : options_(options), clock_(clock), endpoints_(endpoints) {}

bool EndpointHealth::is_resting(const Endpoint& endpoint, SteadyTime now) {
  return endpoint.failing && endpoint.rests_until > now;
}

bool EndpointHealth::is_distrusted(const Endpoint& endpoint, SteadyTime now) {
  return endpoint.doubt == Doubt::certain && endpoint.doubted_until > now;
}

// The less, the sooner it is asked. One that rests is better than one that lies, but only one question at a time finds
// out whether it is back.
int EndpointHealth::standing(const Endpoint& endpoint, SteadyTime now) {
  const bool lies = is_distrusted(endpoint, now);
  if (!endpoint.failing) return lies ? 2 : 0;
  if (lies) return 4;
  if (endpoint.questions > 0) return 3;
  return is_resting(endpoint, now) ? 1 : 0;
}

int EndpointHealth::doubt_in(const Endpoint& endpoint, SteadyTime now) {
  return endpoint.doubted_until > now ? 1 + static_cast<int>(endpoint.doubt) : 0;
}

std::vector<std::size_t> EndpointHealth::order() const {
  const auto now = clock_.now();
  const MutexLock lock(mutex_);
  using Rank = std::tuple<int, int, std::size_t>;  // standing, doubt, as configured
  std::vector<Rank> ranks;
  ranks.reserve(endpoints_.size());
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    ranks.emplace_back(standing(endpoints_[i], now), doubt_in(endpoints_[i], now), i);
  }
  std::ranges::sort(ranks);
  std::vector<std::size_t> order;
  order.reserve(ranks.size());
  for (const auto& rank : ranks) order.push_back(std::get<std::size_t>(rank));
  return order;
}

double EndpointHealth::best_rate(SteadyTime now) const {
  double best = 0;
  for (const auto& endpoint : endpoints_) {
    if (!endpoint.failing && !is_distrusted(endpoint, now)) best = std::max(best, endpoint.rate);
  }
  return best;
}

bool EndpointHealth::is_slow(const Endpoint& endpoint, double best) const {
  return endpoint.rate > 0 && endpoint.rate < options_.slow * best;
}

std::vector<std::size_t> EndpointHealth::order_for_transfer() const {
  const auto now = clock_.now();
  const MutexLock lock(mutex_);
  const double best = best_rate(now);
  enum class Turn : std::uint8_t { probe, usual, slow };
  using Rank = std::tuple<int, int, Turn, double, std::size_t>;  // standing, doubt, -, expected time, as configured
  std::vector<Rank> ranks;
  ranks.reserve(endpoints_.size());
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    const auto& endpoint = endpoints_[i];
    const bool due = endpoint.last_transfer + options_.probe <= now;
    const Turn turn = !is_slow(endpoint, best) ? Turn::usual : due ? Turn::probe : Turn::slow;
    const double rate = endpoint.rate > 0 ? endpoint.rate : best;
    const auto share = static_cast<double>(endpoint.questions + endpoint.transfers + 1);
    ranks.emplace_back(standing(endpoint, now), doubt_in(endpoint, now), turn, rate > 0 ? share / rate : share, i);
  }
  std::ranges::sort(ranks);
  std::vector<std::size_t> order;
  order.reserve(ranks.size());
  for (const auto& rank : ranks) order.push_back(std::get<std::size_t>(rank));
  return order;
}

EndpointHealth::Question EndpointHealth::ask(std::shared_ptr<EndpointHealth> health, std::size_t endpoint,
                                             bool for_transfer) {
  health->asked(endpoint, for_transfer);
  auto& asked = *health;
  return {&asked, [health = std::move(health), endpoint](void*) { health->question_over(endpoint); }};
}

void EndpointHealth::asked(std::size_t endpoint, bool for_transfer) {
  const auto now = clock_.now();
  const MutexLock lock(mutex_);
  ++endpoints_[endpoint].questions;
  if (for_transfer) endpoints_[endpoint].last_transfer = now;
}

void EndpointHealth::question_over(std::size_t endpoint) {
  const MutexLock lock(mutex_);
  --endpoints_[endpoint].questions;
}

bool EndpointHealth::resting(std::size_t endpoint) const {
  const auto now = clock_.now();
  const MutexLock lock(mutex_);
  return is_resting(endpoints_[endpoint], now) || is_distrusted(endpoints_[endpoint], now);
}

// Those that fail during its rest were asked before it, or because all others failed too: the same outage.
void EndpointHealth::failed(std::size_t endpoint) {
  const auto now = clock_.now();
  const MutexLock lock(mutex_);
  auto& state = endpoints_[endpoint];
  if (!state.failing) {
    state.rest = options_.rest;
  } else if (state.rests_until <= now) {
    state.rest = std::min(2 * state.rest, options_.longest_rest);
  }
  state.failing = true;
  state.rests_until = now + state.rest;
}

void EndpointHealth::answered(std::size_t endpoint) {
  const MutexLock lock(mutex_);
  endpoints_[endpoint].failing = false;
}

void EndpointHealth::sent_wrong_bytes(std::size_t endpoint, Doubt doubt) {
  const auto now = clock_.now();
  const MutexLock lock(mutex_);
  auto& state = endpoints_[endpoint];
  if (state.doubted_until > now && state.doubt > doubt) return;
  state.doubt = doubt;
  state.doubted_until = now + (doubt == Doubt::certain ? options_.distrust : options_.suspect);
}

void EndpointHealth::transfer_began(std::size_t endpoint) {
  const MutexLock lock(mutex_);
  ++endpoints_[endpoint].transfers;
}

void EndpointHealth::transfer_ended(std::size_t endpoint, std::uint64_t bytes, std::chrono::nanoseconds time) {
  const MutexLock lock(mutex_);
  auto& state = endpoints_[endpoint];
  --state.transfers;
  if (time.count() <= 0 || (bytes < least_to_judge && time < enough_to_judge)) return;
  // Never 0, which is an endpoint that nobody knows: one that sends nothing is known only too well.
  const double rate = std::max(1.0, static_cast<double>(bytes) / std::chrono::duration<double>(time).count());
  state.rate = state.rate == 0 ? rate : (1 - weight_of_latest) * state.rate + weight_of_latest * rate;
}

std::vector<EndpointHealth::State> EndpointHealth::states() const {
  const auto now = clock_.now();
  const MutexLock lock(mutex_);
  const double best = best_rate(now);
  std::vector<State> states;
  states.reserve(endpoints_.size());
  for (const auto& endpoint : endpoints_) {
    states.push_back({.resting = is_resting(endpoint, now),
                      .distrusted = is_distrusted(endpoint, now),
                      .slow = is_slow(endpoint, best),
                      .transfers = endpoint.transfers,
                      .rate = endpoint.rate});
  }
  return states;
}

}  // namespace paddock

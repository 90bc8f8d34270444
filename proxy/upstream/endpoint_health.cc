#include "proxy/upstream/endpoint_health.h"

#include <algorithm>
#include <tuple>

namespace paddock {
namespace {

constexpr double weight_of_latest = 0.3;
constexpr std::chrono::seconds enough_to_judge{1};
constexpr std::uint64_t least_to_judge = std::uint64_t{256} << 10U;  // bytes; less says more about latency

}  // namespace

EndpointHealth::EndpointHealth(std::size_t endpoints, Options options, const Clock& clock)
    : options_(options), clock_(clock), endpoints_(endpoints) {}

bool EndpointHealth::is_away(const Endpoint& endpoint, SteadyTime now) {
  return endpoint.rests_until > now || endpoint.distrusted_until > now;
}

std::vector<std::size_t> EndpointHealth::order() const {
  const auto now = clock_.now();
  std::vector<std::size_t> order, last;
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < endpoints_.size(); ++i) (is_away(endpoints_[i], now) ? last : order).push_back(i);
  order.insert(order.end(), last.begin(), last.end());
  return order;
}

double EndpointHealth::best_rate() const {
  double best = 0;
  for (const auto& endpoint : endpoints_) best = std::max(best, endpoint.rate);
  return best;
}

bool EndpointHealth::is_slow(const Endpoint& endpoint) const {
  return endpoint.rate > 0 && endpoint.rate < options_.slow * best_rate();
}

std::vector<std::size_t> EndpointHealth::order_for_transfer() const {
  const auto now = clock_.now();
  const MutexLock lock(mutex_);
  const double best = best_rate();
  using Rank = std::tuple<bool, bool, double, std::size_t>;  // away, slow, expected time, as configured
  std::vector<Rank> ranks;
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    const auto& endpoint = endpoints_[i];
    const bool probe = is_slow(endpoint) && now - endpoint.last_transfer >= options_.probe;
    const double rate = endpoint.rate > 0 && !probe ? endpoint.rate : best;
    const auto share = static_cast<double>(endpoint.transfers + 1);
    ranks.emplace_back(is_away(endpoint, now), is_slow(endpoint) && !probe, rate > 0 ? share / rate : share, i);
  }
  std::ranges::sort(ranks);
  std::vector<std::size_t> order;
  for (const auto& rank : ranks) order.push_back(std::get<std::size_t>(rank));
  return order;
}

bool EndpointHealth::resting(std::size_t endpoint) const {
  const auto now = clock_.now();
  const MutexLock lock(mutex_);
  return is_away(endpoints_[endpoint], now);
}

void EndpointHealth::failed(std::size_t endpoint) {
  const auto until = clock_.now() + options_.rest;
  const MutexLock lock(mutex_);
  endpoints_[endpoint].rests_until = until;
}

void EndpointHealth::answered(std::size_t endpoint) {
  const MutexLock lock(mutex_);
  endpoints_[endpoint].rests_until = SteadyTime::min();
}

void EndpointHealth::sent_wrong_bytes(std::size_t endpoint) {
  const auto until = clock_.now() + options_.distrust;
  const MutexLock lock(mutex_);
  endpoints_[endpoint].distrusted_until = until;
}

void EndpointHealth::transfer_began(std::size_t endpoint) {
  const auto now = clock_.now();
  const MutexLock lock(mutex_);
  ++endpoints_[endpoint].transfers;
  endpoints_[endpoint].last_transfer = now;
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
  std::vector<State> states;
  for (const auto& endpoint : endpoints_) {
    states.push_back({.resting = endpoint.rests_until > now,
                      .distrusted = endpoint.distrusted_until > now,
                      .slow = is_slow(endpoint),
                      .transfers = endpoint.transfers,
                      .rate = endpoint.rate});
  }
  return states;
}

}  // namespace paddock

#include "proxy/upstream/endpoint_health.h"

namespace paddock {

EndpointHealth::EndpointHealth(std::size_t endpoints, std::chrono::seconds rest, const Clock& clock)
    : rest_(rest), clock_(clock), rests_until_(endpoints, SteadyTime::min()) {}

std::vector<std::size_t> EndpointHealth::order() const {
  const auto now = clock_.now();
  std::vector<std::size_t> order, resting_ones;
  const MutexLock lock(mutex_);
  for (std::size_t endpoint = 0; endpoint < rests_until_.size(); ++endpoint) {
    (rests_until_[endpoint] > now ? resting_ones : order).push_back(endpoint);
  }
  order.insert(order.end(), resting_ones.begin(), resting_ones.end());
  return order;
}

bool EndpointHealth::resting(std::size_t endpoint) const {
  const auto now = clock_.now();
  const MutexLock lock(mutex_);
  return rests_until_[endpoint] > now;
}

void EndpointHealth::failed(std::size_t endpoint) {
  const auto until = clock_.now() + rest_;
  const MutexLock lock(mutex_);
  rests_until_[endpoint] = until;
}

void EndpointHealth::answered(std::size_t endpoint) {
  const MutexLock lock(mutex_);
  rests_until_[endpoint] = SteadyTime::min();
}

}  // namespace paddock

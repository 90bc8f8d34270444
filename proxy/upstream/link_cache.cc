#include "proxy/upstream/link_cache.h"

#include <algorithm>

namespace paddock {

LinkCache::LinkCache(const Clock& clock) : LinkCache(clock, Options{}) {}
LinkCache::LinkCache(const Clock& clock, Options options) : clock_(clock), options_(options) {}

std::shared_ptr<const LinkCache::Link> LinkCache::find(std::size_t endpoint, const std::string& target) const {
  const auto now = clock_.now();
  const MutexLock lock(mutex_);
  const auto found = links_.find({endpoint, target});
  return found == links_.end() || found->second->good_until <= now ? nullptr : found->second;
}

std::shared_ptr<const LinkCache::Link> LinkCache::keep(std::size_t endpoint, const std::string& target,
                                                       const RedirectStep& step) {
  if (step.hops == 0 || step.authorized) return nullptr;
  if (step.url.target.size() > options_.longest || target.size() > options_.longest) return nullptr;
  const auto now = clock_.now();
  auto link = std::make_shared<const Link>(endpoint, target, step, now + options_.lifetime);
  const MutexLock lock(mutex_);
  if (!links_.contains({endpoint, target})) make_room(now);
  links_.insert_or_assign({endpoint, target}, link);
  return link;
}

void LinkCache::make_room(SteadyTime now) {
  if (links_.size() < options_.capacity) return;
  std::erase_if(links_, [now](const auto& entry) { return entry.second->good_until <= now; });
  if (links_.size() < options_.capacity) return;
  links_.erase(std::ranges::min_element(links_, {}, [](const auto& entry) { return entry.second->good_until; }));
}

void LinkCache::forget(const Link& link) {
  const MutexLock lock(mutex_);
  const auto found = links_.find({link.endpoint, link.target});
  if (found != links_.end() && found->second.get() == &link) links_.erase(found);
}

void LinkCache::forget_endpoint(std::size_t endpoint) {
  const MutexLock lock(mutex_);
  std::erase_if(links_, [endpoint](const auto& entry) { return entry.first.first == endpoint; });
}

std::size_t LinkCache::size() const {
  const MutexLock lock(mutex_);
  return links_.size();
}

}  // namespace paddock

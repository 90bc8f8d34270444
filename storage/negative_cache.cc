#include "storage/negative_cache.h"

namespace paddock {

void NegativeCache::add(const std::string& key) {
  const auto now = clock_.now();
  const MutexLock lock(mutex_);
  if (until_.size() >= limit_) {
    std::erase_if(until_, [now](const auto& entry) { return entry.second <= now; });
    if (until_.size() >= limit_) until_.clear();  // a flood of made-up names; the upstream is asked again
  }
  until_[key] = now + ttl_;
}

void NegativeCache::remove(const std::string& key) {
  const MutexLock lock(mutex_);
  until_.erase(key);
}

bool NegativeCache::contains(const std::string& key) {
  const MutexLock lock(mutex_);
  const auto found = until_.find(key);
  if (found == until_.end()) return false;
  if (found->second > clock_.now()) return true;
  until_.erase(found);
  return false;
}

}  // namespace paddock

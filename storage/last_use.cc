#include "storage/last_use.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace paddock {
namespace {
constexpr std::size_t batch = 1024;  // the catalog's writers wait for one
}

void LastUse::record(const Digest& digest) {
  const WallTime now = clock_.wall();
  const MutexLock lock(mutex_);
  if (const auto known = uses_.find(digest); known != uses_.end()) {
    known->second = now;
  } else if (uses_.size() < limit_) {
    uses_.emplace(digest, now);
  } else {
    ++dropped_;
  }
}

bool LastUse::pending(const Digest& digest) const {
  const MutexLock lock(mutex_);
  return uses_.contains(digest);
}

std::uint64_t LastUse::dropped() const {
  const MutexLock lock(mutex_);
  return dropped_;
}

void LastUse::put_back(const Uses& uses) {
  const MutexLock lock(mutex_);
  for (const auto& use : uses) {
    if (uses_.size() < limit_) uses_.insert(use);  // a newer use of the same blob stays
  }
}

Result<void> LastUse::flush() {
  Uses uses;
  {
    const MutexLock lock(mutex_);
    std::swap(uses, uses_);
  }
  const std::vector<std::pair<Digest, WallTime>> rows(uses.begin(), uses.end());
  for (std::span rest(rows); !rest.empty();) {
    const auto some = rest.first(std::min(rest.size(), batch));
    if (auto written = catalog_.touch(some); !written) {
      put_back(uses);
      return written;
    }
    rest = rest.subspan(some.size());
  }
  return {};
}

}  // namespace paddock

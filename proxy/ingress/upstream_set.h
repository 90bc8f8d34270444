// UpstreamSet: the configured upstreams and how requests find them. Immutable; a reload makes a new one and swaps it
// in, requests under way keep the one they began with.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxy/fill/fill_limits.h"
#include "proxy/ingress/basic_credentials.h"
#include "proxy/ingress/upstream_selector.h"
#include "proxy/tags/freshness.h"
#include "proxy/upstream/upstream.h"
#include "storage/mutex.h"

namespace paddock {

struct UpstreamSet {
  struct Entry {
    std::shared_ptr<Upstream> upstream;
    TagPolicy tags;
    std::chrono::milliseconds stall{30'000};  // a transfer from it that is silent for so long is given up
    FillLimits limits{};
    std::shared_ptr<TokenBucket> bandwidth{};  // of what comes from it itself, for reports
    // The same, asked with a client's credentials instead of the configured ones; absent where nobody is asked.
    // Shared, as entries are copied for every request of a client with credentials.
    using ForClient = std::function<std::shared_ptr<Upstream>(const BasicCredentials&)>;
    std::shared_ptr<const ForClient> for_client{};
  };
  UpstreamSelector selector;
  std::map<std::string, Entry> entries;  // by UpstreamRule::name
  std::string default_name;              // may be empty
  bool offline = false;                  // no upstream is ever asked

  struct Configured {
    std::string name;
    std::vector<std::string> endpoints;
    std::size_t max_connections = 0;
  };
  std::vector<Configured> configured;  // in the order of the configuration, for listings
};

// Thread-safe.
class CurrentUpstreams {
 public:
  explicit CurrentUpstreams(std::shared_ptr<const UpstreamSet> set) : set_(std::move(set)) {}
  [[nodiscard]] std::shared_ptr<const UpstreamSet> get() const {
    const MutexLock lock(mutex_);
    return set_;
  }
  void replace(std::shared_ptr<const UpstreamSet> set) {
    const MutexLock lock(mutex_);
    set_ = std::move(set);
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const UpstreamSet> set_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock

// LinkCache: where blobs were last redirected to, so that not each piece of one asks the registry again.
//
// A link was given to our credentials for one target (a blob of a repository) of one endpoint, and is used for nothing
// else; itself it needs and gets none. Links are secrets: they are never logged. Held briefly, as they expire, and
// boundedly. Thread-safe; nothing here fails.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "proxy/upstream/redirect.h"
#include "storage/clock.h"
#include "storage/mutex.h"

namespace paddock {

class LinkCache {
 public:
  struct Options {
    std::size_t capacity = 256;
    std::size_t longest = 4096;  // bytes, of link and target; longer ones are not kept
    std::chrono::seconds lifetime{60};
  };
  struct Link {
    std::size_t endpoint = 0;
    std::string target;
    RedirectStep step;
    SteadyTime good_until;
  };

  explicit LinkCache(const Clock& clock);
  LinkCache(const Clock& clock, Options options);

  // Null when there is none.
  [[nodiscard]] std::shared_ptr<const Link> find(std::size_t endpoint, const std::string& target) const;
  // After `step` gave the bytes. Null where nobody was redirected, or where our credentials are wanted.
  std::shared_ptr<const Link> keep(std::size_t endpoint, const std::string& target, const RedirectStep& step);
  // One that has replaced it stays.
  void forget(const Link& link);
  void forget_endpoint(std::size_t endpoint);
  [[nodiscard]] std::size_t size() const;

 private:
  using Place = std::pair<std::size_t, std::string>;
  void make_room(SteadyTime now) PADDOCK_REQUIRES(mutex_);

  const Clock& clock_;
  const Options options_;
  mutable Mutex mutex_;
  std::map<Place, std::shared_ptr<const Link>> links_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock

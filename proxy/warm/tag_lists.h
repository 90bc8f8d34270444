// TagLists: all tags of a repository, as its upstream lists them, remembered for a moment.
//
// Who asks at the same time shares one listing. Thread-safe; call from any event loop. Errors: those of Upstream;
// too_large beyond `limit` tags.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "proxy/upstream/upstream.h"
#include "storage/catalog.h"
#include "storage/clock.h"
#include "storage/lru_cache.h"
#include "storage/mutex.h"
#include "storage/single_flight.h"

namespace paddock {

class TagLists {
 public:
  using Tags = std::shared_ptr<const std::vector<std::string>>;
  struct Options {
    std::size_t limit = 50'000;
    std::chrono::seconds fresh{60};
    std::chrono::seconds deadline{60};
  };

  TagLists(const Clock& clock, Options options) : clock_(clock), options_(options), known_(repositories) {}

  Task<Result<Tags>> get(std::shared_ptr<Upstream> upstream, RepositoryKey repository);

 private:
  static constexpr std::size_t repositories = 16;  // remembered
  struct Known {
    Tags tags;
    SteadyTime at;
  };
  Task<Result<Tags>> fetch(std::shared_ptr<Upstream> upstream, RepositoryKey repository);

  const Clock& clock_;
  const Options options_;
  Mutex mutex_;
  LruCache<std::string, Known> known_ PADDOCK_GUARDED_BY(mutex_);
  SingleFlight<RepositoryKey, Tags> flights_;
};

}  // namespace paddock

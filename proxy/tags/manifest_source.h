// ManifestSource: manifests by digest or tag, from the store or, once for all who ask, from the upstream into the
// store.
//
// Whatever comes from an upstream is verified and parsed before it is kept; its children become known content of the
// repository. Thread-safe; call from any event loop. Errors: those of Upstream and of ManifestStore.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "proxy/upstream/upstream.h"
#include "storage/blocking_pool.h"
#include "storage/catalog.h"
#include "storage/lru_cache.h"
#include "storage/manifest_store.h"
#include "storage/mutex.h"
#include "storage/negative_cache.h"
#include "storage/single_flight.h"

namespace paddock {

enum class CacheState : std::uint8_t { hit, fill, stale, bypass };
std::string_view to_string(CacheState state);

struct ServedManifest {
  Digest digest;
  std::string media_type;
  std::shared_ptr<const std::string> content;
  CacheState cache = CacheState::hit;
  std::chrono::seconds age{0};  // since the upstream confirmed it; for stale answers
};

class ManifestSource {
 public:
  struct Options {
    std::chrono::milliseconds deadline{60'000};  // for one answer, retries included
    std::chrono::seconds negative_ttl{10};
    std::size_t in_memory = std::size_t{32} << 20U;  // bytes of manifests, about
  };

  ManifestSource(BlockingPool& pool, Catalog& catalog, ManifestStore& store, const Clock& clock, Options options);

  // Stored and known to be in the repository, else fetched.
  Task<Result<ServedManifest>> by_digest(std::shared_ptr<Upstream> upstream, RepositoryKey repository, Digest digest);
  // stored(), where it is in memory: never blocks. Nothing where it would have to be looked up.
  [[nodiscard]] std::optional<ServedManifest> recent(const RepositoryKey& repository, const Digest& digest);
  // What is stored; empty when this repository is not known to contain it, or the catalog cannot be read.
  Task<Result<std::optional<ServedManifest>>> stored(RepositoryKey repository, Digest digest);
  // From the upstream, by tag or digest, and kept. No flight is shared here: see by_digest and TagResolver.
  Task<Result<ServedManifest>> fetch(std::shared_ptr<Upstream> upstream, RepositoryKey repository,
                                     std::string reference);

 private:
  using Key = std::pair<RepositoryKey, Digest>;

  Task<Result<ServedManifest>> stored_or_fetched(std::shared_ptr<Upstream> upstream, RepositoryKey repository,
                                                 Digest digest);

  BlockingPool& pool_;
  Catalog& catalog_;
  ManifestStore& store_;
  const Options options_;
  NegativeCache negative_;
  Mutex recent_mutex_;
  LruCache<Digest, ServedManifest> recent_ PADDOCK_GUARDED_BY(recent_mutex_);
  SingleFlight<Key, ServedManifest> flights_;
};

}  // namespace paddock

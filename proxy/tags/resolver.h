// TagResolver: what does a tag point to, now?
//
//   fresh (confirmed within ttl) ──▶ served from the store
//   older ──▶ HEAD upstream ──▶ same digest: confirmed · other digest: moved, its manifest fetched · 404: forgotten
//                        └────▶ upstream away: served stale, and for a moment nobody asks again
//
// Concurrent requests for one tag share one upstream request. A client with a stale answer at hand waits for the
// revalidation only briefly; it goes on without him. Thread-safe; call from any event loop.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "proxy/tags/freshness.h"
#include "proxy/tags/manifest_source.h"
#include "storage/negative_cache.h"
#include "storage/single_flight.h"

namespace paddock {

class TagResolver {
 public:
  struct Options {
    std::chrono::milliseconds deadline{60'000};       // nothing at hand: how long a client waits
    std::chrono::milliseconds stale_deadline{3'000};  // something stale at hand that may be served
    std::chrono::seconds negative_ttl{10};
    std::chrono::seconds away_ttl{10};  // how long an upstream that failed is not asked again by who has a stale answer
  };

  TagResolver(BlockingPool& pool, Catalog& catalog, ManifestStore& store, ManifestSource& manifests, const Clock& clock,
              Options options);

  // resolve(), where its answer is fresh and in memory: never blocks.
  [[nodiscard]] std::optional<ServedManifest> fresh(const TagPolicy& policy, const RepositoryKey& repository,
                                                    const std::string& tag);
  Task<Result<ServedManifest>> resolve(std::shared_ptr<Upstream> upstream, TagPolicy policy, RepositoryKey repository,
                                       std::string tag);

 private:
  using Key = std::pair<RepositoryKey, std::string>;
  // What is stored for a tag: both are there, or nothing.
  struct Known {
    TagRecord record;
    ServedManifest manifest;
  };

  Task<Result<std::optional<Known>>> known(RepositoryKey repository, std::string tag);
  Task<Result<ServedManifest>> refresh(std::shared_ptr<Upstream> upstream, TagPolicy policy, RepositoryKey repository,
                                       std::string tag);
  Task<Result<ServedManifest>> current(std::shared_ptr<Upstream> upstream, RepositoryKey repository, std::string tag,
                                       std::optional<Known> known);
  Task<Result<ServedManifest>> fall_back(Error error, TagPolicy policy, RepositoryKey repository, std::string tag,
                                         std::optional<Known> known);

  BlockingPool& pool_;
  Catalog& catalog_;
  ManifestStore& store_;
  ManifestSource& manifests_;
  const Clock& clock_;
  const Options options_;
  NegativeCache missing_;  // tags
  NegativeCache away_;     // upstreams
  SingleFlight<Key, ServedManifest> flights_;
};

}  // namespace paddock

// Evictor: frees space by removing blobs, the least recently used first.
//
// Never removes a manifest (so that an image can be refilled layer by layer), nothing that an unexpired pin reaches
// through manifests and indexes, nothing that is `in_use` or was used since the run began. When pins or what they reach
// cannot be read it removes nothing. Frees `slack` bytes more than asked, so that runs are rare: each reads the whole
// index. One log line a run.
// Blocking; thread-safe, one run at a time. Does not fail: it returns what it freed.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <unordered_set>

#include "storage/blob_store.h"
#include "storage/catalog.h"
#include "storage/clock.h"
#include "storage/last_use.h"
#include "storage/mutex.h"

namespace paddock {

// All that an unexpired pin reaches, whether it is stored or not; `without` are taken for no pins. Blocking. Errors:
// the catalog's.
Result<std::unordered_set<Digest>> pinned_digests(Catalog& catalog, WallTime now,
                                                  std::span<const PinRecord> without = {});

class Evictor {
 public:
  struct Options {
    std::uint64_t slack = 0;                      // bytes; about 1 % of the share
    std::function<bool(const Digest&)> in_use{};  // being filled or sent; may be empty
  };
  struct Stats {
    std::uint64_t blobs = 0;  // removed since start
    std::uint64_t bytes = 0;
  };

  Evictor(Catalog& catalog, BlobStore& blobs, LastUse& last_use, const Clock& clock, Options options)
      : catalog_(catalog), blobs_(blobs), last_use_(last_use), clock_(clock), options_(std::move(options)) {}

  // Frees at least `bytes` if it can; returns what it freed. Fits Space::Evict.
  std::uint64_t evict(std::uint64_t bytes);
  [[nodiscard]] Stats stats() const { return {evicted_blobs_.load(), evicted_bytes_.load()}; }

 private:
  struct Candidate;
  Result<std::vector<Candidate>> candidates(const std::unordered_set<Digest>& kept);
  bool removable(const Digest& digest);

  Catalog& catalog_;
  BlobStore& blobs_;
  LastUse& last_use_;
  const Clock& clock_;
  const Options options_;
  Mutex running_;
  std::atomic<std::uint64_t> evicted_blobs_ = 0;
  std::atomic<std::uint64_t> evicted_bytes_ = 0;
};

}  // namespace paddock

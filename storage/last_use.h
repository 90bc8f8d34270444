// LastUse: collects which blobs were used, and writes that to the catalog in batches.
//
// record() is called for every blob served, from any thread, and touches memory only. flush() blocks; call it from a
// timer, at shutdown and before an eviction. Bounded: beyond `limit` digests between two flushes new ones are dropped
// and counted, so that they look a little older than they are. A failed flush keeps what it could not write.
// Thread-safe. Errors of flush: the catalog's.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "storage/catalog.h"
#include "storage/clock.h"
#include "storage/mutex.h"

namespace paddock {

class LastUse {
 public:
  static constexpr std::size_t default_limit = 16'384;

  LastUse(Catalog& catalog, const Clock& clock, std::size_t limit = default_limit)
      : catalog_(catalog), clock_(clock), limit_(limit) {}

  void record(const Digest& digest);
  // Used, and not yet in the catalog.
  [[nodiscard]] bool pending(const Digest& digest) const;
  Result<void> flush();
  [[nodiscard]] std::uint64_t dropped() const;

 private:
  using Uses = std::unordered_map<Digest, WallTime>;
  void put_back(const Uses& uses);

  Catalog& catalog_;
  const Clock& clock_;
  const std::size_t limit_;
  mutable Mutex mutex_;
  Uses uses_ PADDOCK_GUARDED_BY(mutex_);
  std::uint64_t dropped_ PADDOCK_GUARDED_BY(mutex_) = 0;
};

}  // namespace paddock

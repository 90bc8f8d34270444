// FillSources: where one fill may get its blob: what its first order named, and those that joined it since. They are
// asked in turn: the same source until a transfer from it breaks off.
//
//   current ──turn()──▶ the next one that has not failed ──▶ … ──▶ all have failed: wait, then a new round
//
// Bytes are told right from wrong by the digest, so that those of several sources may mix. Thread-safe; never fails.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/fill/fill_limits.h"
#include "proxy/upstream/upstream.h"
#include "storage/error.h"
#include "storage/mutex.h"

namespace paddock {

struct BlobSource {
  std::shared_ptr<Upstream> upstream;
  std::string repository;
  FillLimits limits{};
};

class FillSources {
 public:
  using Source = std::shared_ptr<const BlobSource>;
  static constexpr std::size_t most = 8;

  explicit FillSources(BlobSource first);

  // At the end of the line. False: it stands there already, or there are enough.
  bool add(BlobSource source);
  [[nodiscard]] Source current() const;
  // A transfer from `source`, or a request for one, failed. True: another one is current that is worth asking at once.
  // False: none is; where it had not `brought` enough either, all have failed in this round, and the next one begins
  // with the source behind it.
  bool turn(const Source& source, const Error& why, bool brought);
  // The one behind `source` is current, whatever it did.
  void skip(const Source& source);
  // It sends wrong bytes: it is not asked any more. False when it was the last; that one stays.
  bool drop(const Source& source);
  // What the fill fails with when all have failed, `last` being the latest to: whose fill this is hears what its own
  // source said.
  [[nodiscard]] Error verdict(const Error& last) const;

 private:
  struct Entry {
    Source source;
    bool failed = false;  // in this round
    std::optional<Error> error{};
  };
  [[nodiscard]] std::size_t index_of(const Source& source) const PADDOCK_REQUIRES(mutex_);

  const Source first_;
  mutable Mutex mutex_;
  std::vector<Entry> line_ PADDOCK_GUARDED_BY(mutex_);  // never empty
  std::size_t current_ PADDOCK_GUARDED_BY(mutex_) = 0;
};

}  // namespace paddock

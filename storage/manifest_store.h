// ManifestStore: manifests, tags and pins, kept so that they outlive the catalog.
//
// Each write goes file first, catalog second: the manifest's bytes into the BlobStore, a record file saying in which
// repository it is, of which media type and what it names (see records.h), then the catalog. So a lost catalog is
// rebuilt from files (recovery.h). Reads come from the catalog. Blocking; thread-safe. Errors: io, no_space, corrupt,
// digest_mismatch.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "storage/blob_store.h"
#include "storage/catalog.h"
#include "storage/clock.h"
#include "storage/mutex.h"
#include "storage/records.h"

namespace paddock {

struct PinChanges {
  std::vector<PinRecord> put;
  std::vector<PinRecord> erase;
};

class ManifestStore {
 public:
  ManifestStore(BlobStore& blobs, RecordFiles& records, Catalog& catalog)
      : blobs_(blobs), records_(records), catalog_(catalog) {}

  // Writes nothing when the repository has it already.
  Result<void> put(const RepositoryKey& repository, const Digest& digest, const ManifestRecord& record);
  // Moves or confirms the tag. A move writes a record, and so does the first confirmation of a day; others touch the
  // catalog alone. With the record unwritten the tag stays as it was.
  Result<void> put_tag(const RepositoryKey& repository, const std::string& tag, const Digest& digest, WallTime now);
  Result<void> erase_tag(const RepositoryKey& repository, const std::string& tag);
  Result<void> put_pin(const PinRecord& pin);
  Result<void> erase_pin(const RepositoryKey& repository, const std::string& reference);
  // Decides over all pins there are, with nobody changing any meanwhile. What was done before an error stays.
  Result<void> change_pins(const std::function<PinChanges(const std::vector<PinRecord>& known)>& decide);

 private:
  Result<void> put_locked(const PinRecord& pin) PADDOCK_REQUIRES(pins_);
  Result<void> erase_locked(const RepositoryKey& repository, const std::string& reference) PADDOCK_REQUIRES(pins_);

  BlobStore& blobs_;
  RecordFiles& records_;
  Catalog& catalog_;
  Mutex pins_;
};

}  // namespace paddock

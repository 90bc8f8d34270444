// Recovery: makes the catalog and the files agree, once at start, before anything else uses them.
//
//   1. temporary files of the last run go; those of fills are the business of SuspendedFills
//   2. the catalog is opened; when it is damaged it is set aside and a new one begun
//   3. files of blobs decide which blobs there are; what is not named like a blob, or has another size than the catalog
//      knows, goes to quarantine/. A file that the catalog does not know is hashed first, and goes there too when its
//      bytes are not those of its digest
//   4. records decide which manifests, tags and pins there are; the bytes of a manifest that the catalog has not are
//      read from its file and checked against the digest. A record without its manifest's file is dropped
//   5. what the catalog knows beyond that is forgotten; what is stored is added to Space
// A rebuild is the same on an empty catalog, and so hashes everything once. What cannot be rebuilt: last uses (now),
// when a tag was last confirmed (a day's first confirmation is known), and links that only the upstream's word gave.
//
// A file with a row of its size is trusted: with an intact catalog the work is one pass over the rows, folders and
// records. A file that the disk does not give is left alone, and what hangs on it is out of the catalog until the next
// start.
// Blocking; nobody else may use the folder meanwhile. Fails with the file system's errors, with those of on_progress,
// or with the catalog's when a new one does not work either. After a failure the next recovery goes on where this one
// was.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

#include "storage/blob_check.h"
#include "storage/catalog.h"
#include "storage/clock.h"
#include "storage/data_folder.h"
#include "storage/file_system.h"
#include "storage/space.h"

namespace paddock {

struct RecoveryReport {
  bool rebuilt = false;  // the catalog was broken, or empty although there was something
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;
  std::uint64_t manifests = 0;  // one for each repository that contains it
  std::uint64_t tags = 0;
  std::uint64_t pins = 0;
  std::uint64_t added_rows = 0;   // blobs, manifests, tags and pins that the catalog had not, or had otherwise
  std::uint64_t erased_rows = 0;  // that only the catalog had
  std::uint64_t removed_temporaries = 0;
  std::uint64_t quarantined = 0;      // files
  std::uint64_t unreadable = 0;       // files of blobs that were needed
  std::uint64_t broken_records = 0;   // unreadable
  std::uint64_t dropped_records = 0;  // of manifests and tags whose bytes are gone
  std::chrono::milliseconds duration{};
};

struct Recovered {
  std::unique_ptr<Catalog> catalog;
  RecoveryReport report;
};

// How a catalog is come by.
struct CatalogAccess {
  std::function<Result<std::unique_ptr<Catalog>>()> open;  // corrupt: worth a rebuild
  std::function<Result<void>()> set_aside;                 // after it, open() makes a new one
};
CatalogAccess rocks_catalog_access(const DataPaths& paths, const Clock& clock);

struct RecoveryOptions {
  unsigned threads = std::min(4U, std::max(1U, std::thread::hardware_concurrency()));  // that hash
  OnProgress on_progress{};  // of the hashing, if there is any; by the calling thread; a failure ends the recovery
};

Result<Recovered> recover(FileSystem& fs, const DataPaths& paths, Space& space, const Clock& clock,
                          const CatalogAccess& access, const RecoveryOptions& options = {});

}  // namespace paddock

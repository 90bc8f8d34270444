// Reconciler: one comparison of a catalog with the files; recovery.h says what it decides and why.
//
// Made, run() once, thrown away. Changes the catalog and moves files; touches no Space. After a failure the catalog may
// be half done, never wrong: a run on the same one goes on from there. Decides one thing at a time, on whichever thread
// has read it; the Catalog and the FileSystem are called from several.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "storage/blob_check.h"
#include "storage/blob_walk.h"
#include "storage/records.h"
#include "storage/recovery.h"

namespace paddock {

class Reconciler {
 public:
  // `options` outlives it.
  Reconciler(FileSystem& fs, const DataPaths& paths, const Clock& clock, Catalog& catalog, RecoveryReport& report,
             const RecoveryOptions& options);
  Result<void> run();

 private:
  using Path = std::filesystem::path;
  using Named = std::pair<RepositoryKey, std::string>;
  struct Row {
    BlobRecord record;
    bool has_file = false;
  };

  Result<void> load_catalog();
  Result<void> take(const FoundBlobs& found);
  Result<void> take(const BlobFile& file);
  Result<void> check_unknown_files();
  Result<void> settle_file(const UncheckedBlob& blob, const Result<Digest>& actual);
  void leave_alone(const Digest& digest, const std::string& why);  // by the disk's fault
  Result<void> drop_rows_without_file();
  Result<void> load_records();
  Result<void> take(const ManifestFact& fact);
  Result<void> take(const TagFact& fact);
  Result<void> take(const PinFact& fact);
  Result<void> settle(const TagFact& fact);
  Result<void> drop_manifest(const ManifestFact& fact);
  Result<void> restore_manifest(const ManifestFact& fact);
  Result<void> lose_blob(const Digest& digest);  // it had a row and a file
  Result<void> drop_record(const Fact& fact, const RepositoryKey& repository, const std::string& name);
  Result<void> take_broken_record(const Path& path, const Error& error);
  Result<void> settle_tags();
  Result<void> settle_pins();
  Result<void> quarantine(const Path& path, const std::string& why);
  [[nodiscard]] bool stored(const Digest& digest) const;
  void warn(const std::string& line);

  FileSystem& fs_;
  const DataPaths& paths_;
  const Clock& clock_;
  const RecoveryOptions& options_;
  const WallTime now_;
  Catalog& catalog_;
  RecoveryReport& report_;
  RecordFiles records_;
  unsigned lines_ = 0;
  std::unordered_map<Digest, Row> rows_;  // of blobs
  std::vector<UncheckedBlob> unknown_files_;
  std::unordered_set<Digest> unreadable_;  // by the disk's fault: what the records say of them stays
  std::optional<std::unordered_set<std::string>> quarantined_;  // names there, once something has to go there
  std::vector<TagFact> tag_records_;
  std::map<Named, TagRecord> catalog_tags_;  // not met in a record yet
  std::map<Named, PinRecord> catalog_pins_;
};

}  // namespace paddock

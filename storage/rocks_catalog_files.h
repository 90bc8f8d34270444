// What RocksCatalog does to the files of its folder itself, so that RocksDB never reads a damaged table.
//
// Debian builds RocksDB with assertions, and parts of a table are parsed before their checksums are looked at: one
// wrong bit could abort the process at every start. So each table gets a seal, `<table>.sum` with the SHA-256 of the
// file, when RocksDB has finished it; check_folder() compares them before RocksDB opens anything. Tables never change.
// A table without a seal is one that a crash left behind unused. For whatever else might abort: OpeningMark. Blocking.
// seal() may be called by any thread, the rest by one.
#pragma once

#include <filesystem>
#include <string_view>

#include "storage/error.h"

namespace paddock::catalog_files {

void seal(const std::filesystem::path& table);    // logs when it cannot
void unseal(const std::filesystem::path& table);  // the table is gone
// Makes the folder if need be. denied; corrupt: a table is damaged.
Result<void> check_folder(const std::filesystem::path& folder);
// The seals alone; changes nothing. corrupt.
Result<void> check_tables(const std::filesystem::path& folder);
// Whether opening it for writing would find a disk that has room and takes writes. no_space, denied, io.
Result<void> check_writes(const std::filesystem::path& folder);
// Of what RocksDB says: it has no code for a lock that somebody holds.
bool says_locked(std::string_view status);

// OPENING, in the folder while RocksDB opens it: a byte for each opening in a row that the process did not live
// through. One may have been killed just then; three make it likely that it is RocksDB that aborts.
class OpeningMark {
 public:
  explicit OpeningMark(const std::filesystem::path& folder);
  Result<void> put();  // corrupt: the last three openings did not end
  void take_away();    // when that fails this process goes on with the mark that is there

 private:
  std::filesystem::path path_;
  bool there_ = false;
};

}  // namespace paddock::catalog_files

// What RocksCatalog does to the files of its folder itself, so that RocksDB never reads a damaged table.
//
// Debian builds RocksDB with assertions, and parts of a table are parsed before their checksums are looked at: one
// wrong bit could abort the process at every start. So each table gets a seal, `<table>.sum` with the SHA-256 of the
// file, when RocksDB has finished it; check_folder() compares them before RocksDB opens anything. Tables never change.
// A table without a seal is one that a crash left behind unused. For whatever else might abort: a mark is in the folder
// while RocksDB opens it, and a folder with a mark counts as corrupt. Blocking. seal() may be called by any thread, the
// rest by one.
#pragma once

#include <filesystem>
#include <string_view>

#include "storage/error.h"

namespace paddock::catalog_files {

void seal(const std::filesystem::path& table);    // logs when it cannot
void unseal(const std::filesystem::path& table);  // the table is gone
// Makes the folder if need be. denied; corrupt: a table is damaged, or the last opening did not end.
Result<void> check_folder(const std::filesystem::path& folder);
// The seals alone; changes nothing. corrupt.
Result<void> check_tables(const std::filesystem::path& folder);
// Whether opening it for writing would find a disk that has room and takes writes. no_space, denied, io.
Result<void> check_writes(const std::filesystem::path& folder);
// Of what RocksDB says: it has no code for a lock that somebody holds.
bool says_locked(std::string_view status);

// In the folder while RocksDB opens it.
class OpeningMark {
 public:
  explicit OpeningMark(const std::filesystem::path& folder);
  ~OpeningMark();
  OpeningMark(const OpeningMark&) = delete;
  OpeningMark& operator=(const OpeningMark&) = delete;

 private:
  std::filesystem::path path_;
};

}  // namespace paddock::catalog_files

// check_blobs: hashes files that stand under a digest's name while the catalog does not know them.
//
// Used by recovery: a row is only given to bytes that were hashed. Several threads read and hash; `settle` and
// `progress` are called by the calling thread alone, `settle` once for each file in no particular order, `progress` at
// the start, at the end and several times a second between. The first failure of either ends the check and is returned;
// what was settled stays. A file that cannot be read is the business of `settle`. Blocking.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "storage/digest.h"
#include "storage/file_system.h"

namespace paddock {

struct UncheckedBlob {
  Digest digest;
  std::filesystem::path path;
  std::uint64_t size = 0;  // bytes
};

struct CheckProgress {
  std::uint64_t blobs = 0, of_blobs = 0;
  std::uint64_t bytes = 0, of_bytes = 0;
};

using SettleBlob = std::function<Result<void>(const UncheckedBlob&, const Result<Digest>& actual)>;
using OnProgress = std::function<Result<void>(const CheckProgress&)>;

Result<void> check_blobs(FileSystem& fs, const std::vector<UncheckedBlob>& blobs, unsigned threads,
                         const SettleBlob& settle, const OnProgress& progress);

}  // namespace paddock

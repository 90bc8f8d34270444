// walk_blobs: what stands below blobs/, told in parts: one for each blobs/<alg>/<aa>, one for what lies above these.
//
// Several threads read folders, as a disk answers many questions at once faster than one after the other; `visit` is
// called by one of them at a time, in no particular order, and may move what it was told of. The first failure, of a
// folder's listing or of `visit`, ends the walk and is returned. No blobs/: nothing is found. Blocking.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

#include "storage/data_folder.h"
#include "storage/digest.h"
#include "storage/file_system.h"

namespace paddock {

struct BlobFile {
  Digest digest;           // that its name says; paths.blob(digest) is where it is
  std::uint64_t size = 0;  // bytes
};

// What blobs/ should not hold.
struct StrayFile {
  std::filesystem::path path;
  std::string_view why;
};

struct FoundBlobs {
  std::vector<BlobFile> blobs;
  std::vector<Digest> unknown;  // by their names; the disk does not say what they are
  std::vector<StrayFile> strays;
};

Result<void> walk_blobs(FileSystem& fs, const DataPaths& paths, unsigned threads,
                        const std::function<Result<void>(const FoundBlobs&)>& visit);

}  // namespace paddock

// BlobStore: the seam over content-addressed bytes. Knows digests and bytes, not what they mean or who may see them.
//
// Life of a blob: begin() -> PartialBlob filled -> commit() -> open() any number of times -> erase().
// A fill that cannot go on now is put aside with suspend() and taken up again with resume(), by this process or the
// next. Blocking; thread-safe. At most one PartialBlob a digest at a time is the caller's duty (see FillCoordinator);
// begin() answers conflict otherwise.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "storage/digest.h"
#include "storage/file_system.h"
#include "storage/partial_blob.h"

namespace paddock {

struct Blob {
  std::shared_ptr<const File> file;  // stays readable after erase()
  std::uint64_t size = 0;            // bytes
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;
  // not_found when absent. Counts as a use.
  virtual Result<Blob> open(const Digest& digest) = 0;
  // Reserves `size` (what is known of it). no_space, conflict, io.
  virtual Result<std::shared_ptr<PartialBlob>> begin(const Digest& digest, std::optional<std::uint64_t> size) = 0;
  // A suspended fill, with what it has; its size is known. not_found when there is none, else as begin().
  virtual Result<std::shared_ptr<PartialBlob>> resume(const Digest& digest) = 0;
  // Its readers fail with `why`, its bytes stay. False: it was abandoned, as it has no bytes, its size is not known or
  // its journal cannot be written.
  virtual bool suspend(PartialBlob& partial, Error why) = 0;
  // Verify, make durable, publish. On failure the partial is failed and its bytes are gone.
  virtual Result<void> commit(PartialBlob& partial) = 0;
  // Gives a partial up: its readers fail with `why`, its bytes are removed.
  virtual void abandon(PartialBlob& partial, Error why) = 0;
  // Small content at once, verified and durable; digest_mismatch when it is not what `digest` says. Already there: ok.
  virtual Result<void> put(const Digest& digest, std::string_view content) = 0;
  // Bytes freed; not_found when absent.
  virtual Result<std::uint64_t> erase(const Digest& digest) = 0;
};

}  // namespace paddock

// PartialBlob: a blob while it is being filled. One filler writes, any number of readers follow.
//
//              set_size, write ...            verify()                 BlobStore::commit()
//   filling ───────────────────────▶ filling ──────────▶ verified ─────────────────────────▶ committed
//      │                                │                    │
//      └────────────── fail(error) ─────┴────────────────────┘──▶ failed   (temporary file removed by the store)
//
// Readers see a byte once it is in the file, but never the last `hold_back` bytes before the digest is verified: a
// corrupt blob cannot be received whole. From `verified` on they see everything; the file stays readable through
// file() after rename and after eviction for as long as somebody holds it.
//
// Writes may come in any order; hashing follows the contiguous prefix, from memory where the write is the next one,
// else from the file. Blocking: write, verify. Everything is thread-safe; the wait_* functions may be called on any
// event loop. Errors of write: io, no_space; protocol when bytes lie beyond the size.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "storage/digest.h"
#include "storage/extent_map.h"
#include "storage/file_system.h"
#include "storage/mutex.h"
#include "storage/notifier.h"
#include "storage/space.h"
#include "storage/task.h"

namespace paddock {

class PartialBlob {
 public:
  static constexpr std::uint64_t hold_back = 64 * 1024;  // bytes
  enum class State : std::uint8_t { filling, verified, committed, failed };

  // `file` is empty, readable and writable, at `path`. `size` when it is known.
  PartialBlob(Digest digest, std::optional<std::uint64_t> size, std::filesystem::path path,
              std::shared_ptr<File> file, Reservation reservation);

  // --- filler ---
  // Once known; a second, different size is a protocol error. Reserves what is missing.
  Result<void> set_size(std::uint64_t size);
  Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes);
  // Bytes present from offset 0 on: where a broken transfer is taken up again.
  [[nodiscard]] std::uint64_t contiguous() const;
  // All bytes there and the digest right -> verified. digest_mismatch (blames the upstream) or protocol (bytes
  // missing) otherwise; then the caller fails it. With an unknown size, what is there is the size.
  Result<void> verify();

  // --- store ---
  void mark_committed();
  void fail(Error error);  // the first error stays; no effect once verified bytes are out and committed
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] Reservation& reservation() { return reservation_; }  // the store's, at commit

  // --- readers ---
  [[nodiscard]] const Digest& digest() const { return digest_; }
  [[nodiscard]] std::shared_ptr<const File> file() const { return file_; }
  [[nodiscard]] State state() const;
  [[nodiscard]] std::optional<std::uint64_t> size() const;
  [[nodiscard]] std::uint64_t received() const;                       // bytes present, for progress
  [[nodiscard]] std::uint64_t readable(std::uint64_t offset) const;  // bytes visible from `offset` on, now
  // Waits until at least one byte at `offset` is visible; returns readable(offset), or 0 at or past the end of a
  // verified blob. Fails with the fill's error, or timeout.
  Task<Result<std::uint64_t>> wait_readable(std::uint64_t offset, std::chrono::steady_clock::time_point deadline);
  // Waits until the size is known.
  Task<Result<std::uint64_t>> wait_size(std::chrono::steady_clock::time_point deadline);
  // Waits for the outcome: verified or committed, or the fill's error.
  Task<Result<void>> wait_verified(std::chrono::steady_clock::time_point deadline);

 private:
  [[nodiscard]] std::uint64_t readable_locked(std::uint64_t offset) const PADDOCK_REQUIRES(mutex_);
  Result<void> hash_prefix(std::uint64_t offset, std::span<const std::byte> bytes) PADDOCK_REQUIRES(hash_mutex_);

  const Digest digest_;
  const std::filesystem::path path_;
  const std::shared_ptr<File> file_;
  Reservation reservation_;  // filler's

  Mutex hash_mutex_;  // before mutex_
  Hasher hasher_ PADDOCK_GUARDED_BY(hash_mutex_);
  std::uint64_t hashed_ PADDOCK_GUARDED_BY(hash_mutex_) = 0;

  mutable Mutex mutex_;
  State state_ PADDOCK_GUARDED_BY(mutex_) = State::filling;
  std::optional<Error> error_ PADDOCK_GUARDED_BY(mutex_);
  std::optional<std::uint64_t> size_ PADDOCK_GUARDED_BY(mutex_);
  ExtentMap extents_ PADDOCK_GUARDED_BY(mutex_);
  Notifier changed_;
};

}  // namespace paddock

// PartialBlob: a blob while it is being filled. One filler writes, any number of readers follow.
//
//              set_size, write ...            verify()                 BlobStore::commit()
//   filling ───────────────────────▶ filling ──────────▶ verified ─────────────────────────▶ committed
//      │                                │                    │
//      └────────────── fail(error) ─────┴────────────────────┘──▶ failed   (temporary file removed by the store)
//
// Readers see a byte once it is in the file, but never the last `hold_back` bytes before the digest is verified: a
// corrupt blob cannot be received whole. From `verified` on they see everything; the file stays readable through
// file() after rename and after eviction for as long as somebody holds it. While the size is not known, what is held
// back counts from the furthest byte that has come.
//
// Writes may come in any order, from several threads, and overlap: the bytes that came first stay, so that what was
// hashed is what is in the file. Hashing follows the contiguous prefix: a write that is the next one is hashed from
// memory, what lies behind a closed gap by hash_more(), and verify() does what is left. A write that lies where another
// one is at work waits for it; none waits for hashing.
// With a journal, what note() and checkpoint() have recorded is there again in the next life of the process.
// Blocking: write, hash_more, note, checkpoint, verify. Everything is thread-safe; the wait_* functions may be called
// on any event loop. Errors of write: io, no_space; protocol when bytes lie beyond the size.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "storage/digest.h"
#include "storage/extent_map.h"
#include "storage/file_system.h"
#include "storage/mutex.h"
#include "storage/notifier.h"
#include "storage/partial_journal.h"
#include "storage/space.h"
#include "storage/task.h"

namespace paddock {

class PartialBlob {
 public:
  static constexpr std::uint64_t hold_back = std::uint64_t{64} << 10U;  // bytes
  enum class State : std::uint8_t { filling, verified, committed, failed };

  // `file` is readable and writable, at `path`, and holds `present`. `size` when it is known.
  PartialBlob(Digest digest, std::optional<std::uint64_t> size, std::filesystem::path path, std::shared_ptr<File> file,
              Reservation reservation, std::unique_ptr<PartialJournal> journal = nullptr, ExtentMap present = {});

  // --- filler ---
  // Once known; a second, different size is a protocol error. Reserves what is missing.
  Result<void> set_size(std::uint64_t size);
  Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes);
  // Bytes present from offset 0 on.
  [[nodiscard]] std::uint64_t contiguous() const;
  [[nodiscard]] ExtentMap extents() const;
  // Hashes some of what is contiguous and not hashed yet; how many bytes. 0: nothing to do now.
  Result<std::uint64_t> hash_more();
  // Records what is there, for when the process dies.
  Result<void> note();
  // Makes what is there durable and records it, for when the machine dies.
  Result<void> checkpoint();
  // All bytes there and the digest right -> verified. digest_mismatch (blames the upstream) or protocol (bytes
  // missing) otherwise; then the caller fails it. With an unknown size, what is there is the size.
  Result<void> verify();

  // --- store ---
  // Once it has failed it fails for good: the system tells of lost bytes only once (fsync(2)).
  Result<void> sync_data();
  void mark_committed();
  void release_space();    // once it failed and its bytes are gone
  void forget_progress();  // the journal goes
  // Fails it with `why`, and records what is there, so that it can be taken up again; nothing when it cannot.
  std::optional<PartialProgress> suspend(Error why);
  void fail(Error error);  // the first error stays; no effect once verified bytes are out and committed
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] Reservation& reservation() { return reservation_; }  // the store's, at commit

  // --- readers ---
  [[nodiscard]] const Digest& digest() const { return digest_; }
  [[nodiscard]] std::shared_ptr<const File> file() const { return file_; }
  [[nodiscard]] State state() const;
  [[nodiscard]] std::optional<std::uint64_t> size() const;
  [[nodiscard]] std::uint64_t received() const;                      // bytes present, for progress
  [[nodiscard]] std::uint64_t readable(std::uint64_t offset) const;  // bytes visible from `offset` on, now
  // Bytes from the first on that are in the file whatever became of the fill, but for what is held back.
  [[nodiscard]] std::uint64_t prefix() const;
  // Blocking: what has hashed the first `end` bytes, at most prefix().
  Result<Hasher> hash_prefix(std::uint64_t end);
  // Waits until at least one byte at `offset` is visible; returns readable(offset), or 0 at or past the end of a
  // verified blob. Fails with the fill's error, or timeout.
  Task<Result<std::uint64_t>> wait_readable(std::uint64_t offset, std::chrono::steady_clock::time_point deadline);
  // Waits until the size is known.
  Task<Result<std::uint64_t>> wait_size(std::chrono::steady_clock::time_point deadline);
  // Waits for the outcome: verified or committed, or the fill's error.
  Task<Result<void>> wait_verified(std::chrono::steady_clock::time_point deadline);

 private:
  // The parts of a write that are not there yet, after waiting for others at work in its range; marked as in flight.
  Result<std::vector<Extent>> claim(Extent extent);
  // Ends what claim() began; adds the parts to what is there when `written`.
  void settle(Extent extent, const std::vector<Extent>& parts, bool written);
  Result<void> reserve_to(std::uint64_t end);
  Result<void> check_filling() const PADDOCK_REQUIRES(mutex_);
  [[nodiscard]] std::uint64_t readable_locked(std::uint64_t offset) const PADDOCK_REQUIRES(mutex_);
  // Hashes `bytes` if they are the next ones and nobody else is hashing.
  void hash_if_next(std::uint64_t offset, std::span<const std::byte> bytes);
  Result<void> hash_from_file(std::uint64_t end) PADDOCK_REQUIRES(hash_mutex_);
  [[nodiscard]] std::optional<PartialProgress> progress() const;
  Result<std::uint64_t> settle_size();

  const Digest digest_;
  const std::filesystem::path path_;
  const std::shared_ptr<File> file_;

  Mutex reserve_mutex_;      // before Space's; never with those below
  Reservation reservation_;  // under reserve_mutex_ until verified, then the store's

  Mutex sync_mutex_;
  std::optional<Error> sync_error_ PADDOCK_GUARDED_BY(sync_mutex_);

  Mutex journal_mutex_;  // before mutex_
  std::unique_ptr<PartialJournal> journal_ PADDOCK_GUARDED_BY(journal_mutex_);
  bool noted_ PADDOCK_GUARDED_BY(journal_mutex_);  // there is something to forget

  Mutex hash_mutex_;  // before mutex_
  Hasher hasher_ PADDOCK_GUARDED_BY(hash_mutex_);
  std::uint64_t hashed_ PADDOCK_GUARDED_BY(hash_mutex_) = 0;

  mutable Mutex mutex_;
  State state_ PADDOCK_GUARDED_BY(mutex_) = State::filling;
  std::optional<Error> error_ PADDOCK_GUARDED_BY(mutex_);
  std::optional<std::uint64_t> size_ PADDOCK_GUARDED_BY(mutex_);
  ExtentMap extents_ PADDOCK_GUARDED_BY(mutex_);
  std::vector<Extent> in_flight_ PADDOCK_GUARDED_BY(mutex_);  // whole writes at work, disjoint
  Condition landed_;                                          // in_flight_ shrank
  Notifier changed_;
};

}  // namespace paddock

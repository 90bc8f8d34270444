// Space: bytes are reserved here before they are written, so that the disk never fills up by surprise.
//
// Counts what is stored and what is promised, against `max_size` (our share) and `min_free` (what the disk must keep).
// A reservation that does not fit asks the evictor for the difference once, then fails with no_space.
// Blocking (the evictor deletes files). Thread-safe; the lock is not held while evicting.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "storage/file_system.h"
#include "storage/mutex.h"

namespace paddock {

class Space;

// Promised bytes. What was not turned into stored bytes by commit() is given back on destruction. Move-only.
class Reservation {
 public:
  Reservation() = default;
  Reservation(Reservation&& other) noexcept;
  Reservation& operator=(Reservation&& other) noexcept;
  ~Reservation();

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  Result<void> grow_to(std::uint64_t bytes);  // no-op when that much is held
  // Bytes that lie on the disk already, uncounted, become part of the promise.
  void adopt(std::uint64_t bytes);
  // In all, `written` of the promised bytes are on disk (statvfs sees them): they no longer count against min_free.
  void note_written(std::uint64_t written);
  void commit(std::uint64_t stored);  // promised -> stored

 private:
  friend class Space;
  Reservation(Space* space, std::uint64_t bytes) : space_(space), bytes_(bytes) {}
  Space* space_ = nullptr;
  std::uint64_t bytes_ = 0;
  std::uint64_t written_ = 0;
};

class Space {
 public:
  struct Options {
    std::filesystem::path folder;  // on the disk that counts
    std::uint64_t max_size = 0;    // bytes; 0: no limit but the disk
    std::uint64_t min_free = 0;    // bytes
  };
  struct Usage {
    std::uint64_t stored = 0, reserved = 0, max_size = 0, min_free = 0, disk_total = 0, disk_available = 0;
    std::uint64_t written = 0;  // of what is reserved, on the disk already
  };
  // Frees at least `bytes` if it can; returns what it freed. Called without locks, by one thread at a time.
  using Evict = std::function<std::uint64_t(std::uint64_t bytes)>;

  Space(FileSystem& fs, Options options);
  void set_evictor(Evict evict);                                    // before the first reserve
  void set_limits(std::uint64_t max_size, std::uint64_t min_free);  // at run time
  Result<Reservation> reserve(std::uint64_t bytes);
  void add_stored(std::uint64_t bytes);     // found at start
  void remove_stored(std::uint64_t bytes);  // deleted
  [[nodiscard]] Usage usage() const;

 private:
  friend class Reservation;
  Result<void> acquire(std::uint64_t bytes);
  // Promises `bytes` when they fit. Returns what is missing; `hopeless` when no eviction could give that much.
  Result<std::uint64_t> try_acquire(std::uint64_t bytes, bool& hopeless);
  void release(std::uint64_t bytes, std::uint64_t written);

  FileSystem& fs_;
  std::filesystem::path folder_;
  Mutex evict_mutex_;  // before mutex_
  Evict evict_ PADDOCK_GUARDED_BY(evict_mutex_);
  mutable Mutex mutex_;
  std::uint64_t max_size_ PADDOCK_GUARDED_BY(mutex_);
  std::uint64_t min_free_ PADDOCK_GUARDED_BY(mutex_);
  std::uint64_t stored_ PADDOCK_GUARDED_BY(mutex_) = 0;
  std::uint64_t reserved_ PADDOCK_GUARDED_BY(mutex_) = 0;
  std::uint64_t written_ PADDOCK_GUARDED_BY(mutex_) = 0;  // part of reserved_ that is on disk
};

}  // namespace paddock

#include "storage/space.h"

#include <algorithm>
#include <string>
#include <utility>

namespace paddock {
namespace {

struct Books {
  std::uint64_t stored = 0, reserved = 0, written = 0, max_size = 0, min_free = 0, available = 0;
};

std::uint64_t excess(std::uint64_t wanted, std::uint64_t limit) { return wanted > limit ? wanted - limit : 0; }

// Adds without wrapping round: sizes come from strangers.
std::uint64_t plus(std::uint64_t a, std::uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

// What must be freed before `bytes` more can be promised.
std::uint64_t shortage(const Books& books, std::uint64_t bytes) {
  const std::uint64_t ours = plus(plus(books.stored, books.reserved), bytes);
  const std::uint64_t share = books.max_size == 0 ? 0 : excess(ours, books.max_size);
  const std::uint64_t coming = plus(excess(books.reserved, books.written), bytes);
  return std::max(share, excess(plus(coming, books.min_free), books.available));
}

std::unexpected<Error> full(std::uint64_t bytes, std::uint64_t short_of) {
  return fail(ErrorCode::no_space, Blame::us,
              "no room for " + std::to_string(bytes) + " bytes: " + std::to_string(short_of) + " bytes short",
              /*retryable=*/true);
}

}  // namespace

Reservation::Reservation(Reservation&& other) noexcept
    : space_(std::exchange(other.space_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      written_(std::exchange(other.written_, 0)) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  std::swap(space_, other.space_);
  std::swap(bytes_, other.bytes_);
  std::swap(written_, other.written_);
  return *this;
}

Reservation::~Reservation() {
  if (space_ != nullptr) space_->release(bytes_, written_);
}

Result<void> Reservation::grow_to(std::uint64_t bytes) {
  if (bytes <= bytes_) return {};
  if (space_ != nullptr) {
    if (auto more = space_->acquire(bytes - bytes_); !more) return more;
  }
  bytes_ = bytes;
  return {};
}

void Reservation::adopt(std::uint64_t bytes) {
  if (space_ != nullptr) {
    const MutexLock lock(space_->mutex_);
    space_->reserved_ += bytes;
    space_->written_ += bytes;
  }
  bytes_ += bytes;
  written_ += bytes;
}

void Reservation::note_written(std::uint64_t written) {
  written = std::min(written, bytes_);
  if (written <= written_) return;
  if (space_ != nullptr) {
    const MutexLock lock(space_->mutex_);
    space_->written_ += written - written_;
  }
  written_ = written;
}

void Reservation::commit(std::uint64_t stored) {
  if (space_ != nullptr) {
    space_->add_stored(stored);
    space_->release(bytes_, written_);
  }
  bytes_ = 0;
  written_ = 0;
}

Space::Space(FileSystem& fs, Options options)
    : fs_(fs), folder_(std::move(options.folder)), max_size_(options.max_size), min_free_(options.min_free) {}

void Space::set_evictor(Evict evict) {
  const MutexLock lock(evict_mutex_);
  evict_ = std::move(evict);
}

void Space::set_limits(std::uint64_t max_size, std::uint64_t min_free) {
  const MutexLock lock(mutex_);
  max_size_ = max_size;
  min_free_ = min_free;
}

Result<Reservation> Space::reserve(std::uint64_t bytes) {
  if (auto got = acquire(bytes); !got) return std::unexpected(std::move(got.error()));
  return Reservation(this, bytes);
}

Result<std::uint64_t> Space::try_acquire(std::uint64_t bytes, bool& hopeless) {
  const auto disk = fs_.space(folder_);
  if (!disk) return std::unexpected(disk.error());
  const MutexLock lock(mutex_);
  Books books{.stored = stored_,
              .reserved = reserved_,
              .written = written_,
              .max_size = max_size_,
              .min_free = min_free_,
              .available = disk->available};
  const std::uint64_t missing = shortage(books, bytes);
  if (missing == 0) reserved_ += bytes;
  books.available = plus(books.available, books.stored);  // as if all had been evicted
  books.stored = 0;
  hopeless = shortage(books, bytes) > 0;
  return missing;
}

Result<void> Space::acquire(std::uint64_t bytes) {
  if (bytes == 0) return {};
  bool hopeless = false;
  auto missing = try_acquire(bytes, hopeless);
  if (!missing) return std::unexpected(std::move(missing.error()));
  if (*missing == 0) return {};
  if (hopeless) return full(bytes, *missing);  // and nothing is thrown away for it

  const MutexLock one_evicts(evict_mutex_);
  missing = try_acquire(bytes, hopeless);  // whoever evicted before us may have made room enough
  if (!missing) return std::unexpected(std::move(missing.error()));
  if (*missing == 0) return {};
  if (!evict_ || evict_(*missing) == 0) return full(bytes, *missing);
  missing = try_acquire(bytes, hopeless);
  if (!missing) return std::unexpected(std::move(missing.error()));
  return *missing == 0 ? Result<void>{} : full(bytes, *missing);
}

void Space::release(std::uint64_t bytes, std::uint64_t written) {
  const MutexLock lock(mutex_);
  reserved_ -= bytes;
  written_ -= written;
}

void Space::add_stored(std::uint64_t bytes) {
  const MutexLock lock(mutex_);
  stored_ += bytes;
}

void Space::remove_stored(std::uint64_t bytes) {
  const MutexLock lock(mutex_);
  stored_ -= std::min(stored_, bytes);
}

Space::Usage Space::usage() const {
  const auto disk = fs_.space(folder_).value_or(DiskSpace{});
  const MutexLock lock(mutex_);
  return {.stored = stored_,
          .reserved = reserved_,
          .max_size = max_size_,
          .min_free = min_free_,
          .disk_total = disk.total,
          .disk_available = disk.available,
          .written = written_};
}

}  // namespace paddock

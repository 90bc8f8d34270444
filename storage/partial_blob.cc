#include "storage/partial_blob.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <string>
#include <utility>

namespace paddock {
namespace {

constexpr std::uint64_t reserve_step = std::uint64_t{64} << 20U;  // where the size is not known
constexpr std::size_t read_back_block = std::size_t{256} << 10U;
constexpr std::uint64_t hash_step = std::uint64_t{16} << 20U;  // bytes; bounds how long one call takes

bool overlap(Extent a, Extent b) { return a.begin < b.end && b.begin < a.end; }

std::unexpected<Error> broken(std::string context) {
  return fail(ErrorCode::protocol, Blame::upstream, std::move(context));
}

std::unexpected<Error> late(std::string_view what) {
  return fail(ErrorCode::timeout, Blame::upstream, "waited too long for " + std::string(what), /*retryable=*/true);
}

}  // namespace

PartialBlob::PartialBlob(Digest digest, std::optional<std::uint64_t> size, std::filesystem::path path,
                         std::shared_ptr<File> file, Reservation reservation, std::unique_ptr<PartialJournal> journal,
                         ExtentMap present)
    : digest_(digest),
      path_(std::move(path)),
      file_(std::move(file)),
      reservation_(std::move(reservation)),
      journal_(std::move(journal)),
      noted_(!present.runs().empty()),
      hasher_(digest.algorithm()),
      size_(size),
      extents_(std::move(present)) {}

// --- filler ---

Result<void> PartialBlob::check_filling() const {
  if (state_ == State::filling) return {};
  if (state_ == State::failed) return std::unexpected(*error_);
  return paddock::fail(ErrorCode::conflict, Blame::us, "the blob is complete already");
}

Result<void> PartialBlob::set_size(std::uint64_t size) {
  {
    const MutexLock lock(mutex_);
    if (size_) {
      if (*size_ == size) return {};
      return broken("first announced " + std::to_string(*size_) + " bytes, then " + std::to_string(size));
    }
    if (auto filling = check_filling(); !filling) return filling;
  }
  {
    const MutexLock lock(reserve_mutex_);
    if (auto reserved = reservation_.grow_to(size); !reserved) return reserved;
  }
  {
    const MutexLock lock(mutex_);
    if (size_ && *size_ != size) return broken("two sizes were announced at once");
    std::uint64_t furthest = extents_.runs().empty() ? 0 : extents_.runs().rbegin()->second;
    for (const Extent& extent : in_flight_) furthest = std::max(furthest, extent.end);
    if (furthest > size) return broken("more bytes came than the " + std::to_string(size) + " announced");
    size_ = size;
  }
  changed_.notify_all();
  return {};
}

Result<std::vector<Extent>> PartialBlob::claim(Extent extent) {
  const MutexLock lock(mutex_);
  for (;;) {
    if (auto filling = check_filling(); !filling) return std::unexpected(filling.error());
    if (size_ && extent.end > *size_) {
      return broken("bytes came beyond the " + std::to_string(*size_) + " announced");
    }
    if (std::ranges::none_of(in_flight_, [&](const Extent& other) { return overlap(other, extent); })) break;
    landed_.wait(mutex_);
  }
  std::vector<Extent> parts;
  for (Extent gap = extents_.first_gap(extent.begin, extent.end); gap.begin < gap.end;
       gap = extents_.first_gap(gap.end, extent.end)) {
    parts.push_back(gap);
  }
  in_flight_.push_back(extent);
  return parts;
}

void PartialBlob::settle(Extent extent, const std::vector<Extent>& parts, bool written) {
  {
    const MutexLock lock(mutex_);
    std::erase(in_flight_, extent);
    if (written) {
      for (const Extent& part : parts) extents_.add(part);
    }
    landed_.notify_all();
  }
  changed_.notify_all();
}

Result<void> PartialBlob::reserve_to(std::uint64_t end) {
  const bool exact = size().has_value();
  const MutexLock lock(reserve_mutex_);
  if (end <= reservation_.bytes()) return {};
  if (!exact && end < UINT64_MAX - reserve_step && reservation_.grow_to(end + reserve_step)) return {};
  return reservation_.grow_to(end);
}

Result<void> PartialBlob::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (bytes.empty()) return {};
  if (offset > UINT64_MAX - bytes.size()) return broken("bytes came beyond what a file can hold");
  const Extent extent{.begin = offset, .end = offset + bytes.size()};
  const auto parts = claim(extent);
  if (!parts) return std::unexpected(parts.error());
  Result<void> done = reserve_to(extent.end);
  for (auto part = parts->begin(); done && part != parts->end(); ++part) {
    done = file_->write_at(part->begin, bytes.subspan(part->begin - offset, part->end - part->begin));
  }
  settle(extent, *parts, done.has_value());
  if (!done) return done;
  {
    const std::uint64_t present = received();
    const MutexLock lock(reserve_mutex_);
    reservation_.note_written(present);
  }
  if (parts->size() == 1 && parts->front() == extent) hash_if_next(offset, bytes);
  return {};
}

void PartialBlob::hash_if_next(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (!hash_mutex_.try_lock()) return;  // whoever hashes now, or the next one, reads it back
  if (hashed_ == offset) {
    hasher_.update(bytes);
    hashed_ += bytes.size();
  }
  hash_mutex_.unlock();
}

Result<std::uint64_t> PartialBlob::hash_more() {
  const MutexLock lock(hash_mutex_);
  const std::uint64_t begin = hashed_;
  const std::uint64_t end = std::min(contiguous(), begin + hash_step);
  if (end <= begin) return 0;
  if (auto hashed = hash_from_file(end); !hashed) return std::unexpected(std::move(hashed).error());
  return end - begin;
}

Result<void> PartialBlob::hash_from_file(std::uint64_t end) {
  std::vector<std::byte> block(std::min<std::uint64_t>(read_back_block, end - hashed_));
  while (hashed_ < end) {
    const auto wanted = std::span(block).first(std::min<std::uint64_t>(block.size(), end - hashed_));
    const auto got = file_->read_at(hashed_, wanted);
    if (!got) return std::unexpected(got.error().with("reading back a partial blob"));
    if (*got < wanted.size()) {
      return paddock::fail(ErrorCode::corrupt, Blame::us, path_.string() + " is shorter than what was written to it");
    }
    hasher_.update(wanted);
    hashed_ += wanted.size();
  }
  return {};
}

std::uint64_t PartialBlob::contiguous() const {
  const MutexLock lock(mutex_);
  return extents_.run_end(0);
}

ExtentMap PartialBlob::extents() const {
  const MutexLock lock(mutex_);
  return extents_;
}

// The size, fixed now if it was open, with all bytes there.
Result<std::uint64_t> PartialBlob::settle_size() {
  std::uint64_t size = 0;
  {
    const MutexLock lock(mutex_);
    while (!in_flight_.empty()) landed_.wait(mutex_);
    if (auto filling = check_filling(); !filling) return std::unexpected(filling.error());
    if (size_) {
      size = *size_;
    } else if (!extents_.runs().empty()) {
      size = extents_.runs().rbegin()->second;
    }
    const std::uint64_t present = extents_.run_end(0);
    if (present < size) {
      return broken("bytes are missing: " + std::to_string(present) + " of " + std::to_string(size) + " came");
    }
    size_ = size;
  }
  changed_.notify_all();
  return size;
}

Result<void> PartialBlob::verify() {
  {
    const MutexLock lock(mutex_);
    if (state_ == State::verified || state_ == State::committed) return {};
  }
  const auto size = settle_size();
  if (!size) return std::unexpected(size.error());
  {
    const MutexLock hash_lock(hash_mutex_);
    if (auto hashed = hash_from_file(*size); !hashed) return hashed;
    if (hashed_ != *size) return paddock::fail(ErrorCode::conflict, Blame::us, "the blob was verified while it grew");
    hashed_ = 0;  // as the hasher starts anew
    if (const Digest actual = hasher_.finish(); actual != digest_) {
      return paddock::fail(ErrorCode::digest_mismatch, Blame::upstream,
                           "the bytes of " + digest_.to_string() + " have the digest " + actual.to_string());
    }
    const MutexLock lock(mutex_);
    if (auto filling = check_filling(); !filling) return filling;
    state_ = State::verified;
  }
  changed_.notify_all();
  return {};
}

// --- store ---

void PartialBlob::mark_committed() {
  {
    const MutexLock lock(mutex_);
    if (state_ == State::verified) state_ = State::committed;
  }
  changed_.notify_all();
}

void PartialBlob::fail(Error error) {
  {
    const MutexLock lock(mutex_);
    if (state_ == State::committed || state_ == State::failed) return;
    state_ = State::failed;
    error_ = std::move(error);
    landed_.notify_all();
  }
  changed_.notify_all();
}

void PartialBlob::release_space() {
  const MutexLock lock(reserve_mutex_);
  reservation_ = Reservation();
}

// --- readers ---

std::uint64_t PartialBlob::prefix() const {
  const MutexLock lock(mutex_);
  const std::uint64_t sure = size_ ? *size_ - std::min(*size_, hold_back) : 0;
  return std::min(extents_.run_end(0), sure);
}

Result<Hasher> PartialBlob::hash_prefix(std::uint64_t end) {
  const MutexLock lock(hash_mutex_);
  if (hashed_ > end) {  // more than asked for
    hasher_ = Hasher(digest_.algorithm());
    hashed_ = 0;
  }
  if (auto hashed = hash_from_file(end); !hashed) return std::unexpected(std::move(hashed).error());
  return hasher_.clone();
}

PartialBlob::State PartialBlob::state() const {
  const MutexLock lock(mutex_);
  return state_;
}

std::optional<std::uint64_t> PartialBlob::size() const {
  const MutexLock lock(mutex_);
  return size_;
}

std::uint64_t PartialBlob::received() const {
  const MutexLock lock(mutex_);
  return extents_.total();
}

std::uint64_t PartialBlob::readable(std::uint64_t offset) const {
  const MutexLock lock(mutex_);
  return readable_locked(offset);
}

std::uint64_t PartialBlob::readable_locked(std::uint64_t offset) const {
  if (state_ == State::failed || extents_.runs().empty()) return 0;
  std::uint64_t end = extents_.run_end(offset);
  if (state_ == State::filling) {
    const std::uint64_t length = size_.value_or(extents_.runs().rbegin()->second);
    end = std::min(end, length - std::min(length, hold_back));
  }
  return end > offset ? end - offset : 0;
}

Task<Result<std::uint64_t>> PartialBlob::wait_readable(std::uint64_t offset,
                                                       std::chrono::steady_clock::time_point deadline) {
  for (;;) {
    auto waiter = changed_.subscribe(co_await asio::this_coro::executor);
    {
      const MutexLock lock(mutex_);
      if (state_ == State::failed) co_return std::unexpected(*error_);
      const std::uint64_t there = readable_locked(offset);
      if (there > 0 || state_ != State::filling) co_return there;
    }
    if (!co_await waiter.wait_until(deadline)) co_return late("the next bytes of " + digest_.to_string());
  }
}

Task<Result<std::uint64_t>> PartialBlob::wait_size(std::chrono::steady_clock::time_point deadline) {
  for (;;) {
    auto waiter = changed_.subscribe(co_await asio::this_coro::executor);
    {
      const MutexLock lock(mutex_);
      if (state_ == State::failed) co_return std::unexpected(*error_);
      if (size_) co_return *size_;
    }
    if (!co_await waiter.wait_until(deadline)) co_return late("the size of " + digest_.to_string());
  }
}

Task<Result<void>> PartialBlob::wait_verified(std::chrono::steady_clock::time_point deadline) {
  for (;;) {
    auto waiter = changed_.subscribe(co_await asio::this_coro::executor);
    {
      const MutexLock lock(mutex_);
      if (state_ == State::failed) co_return std::unexpected(*error_);
      if (state_ != State::filling) co_return Result<void>{};
    }
    if (!co_await waiter.wait_until(deadline)) co_return late("the end of " + digest_.to_string());
  }
}

}  // namespace paddock

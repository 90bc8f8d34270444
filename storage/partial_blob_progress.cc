// What makes a PartialBlob last: on the disk, and in its journal.
#include <spdlog/spdlog.h>
#include <utility>

#include "storage/partial_blob.h"

namespace paddock {

Result<void> PartialBlob::sync_data() {
  const MutexLock lock(sync_mutex_);
  if (sync_error_) return std::unexpected(*sync_error_);
  auto synced = file_->sync_data();
  if (!synced) sync_error_ = synced.error();
  return synced;
}

std::optional<PartialProgress> PartialBlob::progress() const {
  const MutexLock lock(mutex_);
  if (!size_ || state_ != State::filling) return std::nullopt;
  return PartialProgress{.size = *size_, .extents = extents_};
}

Result<void> PartialBlob::note() {
  const MutexLock lock(journal_mutex_);
  if (!journal_) return {};
  const auto now = progress();
  if (!now) return {};
  noted_ = true;
  return journal_->note_written(*now);
}

Result<void> PartialBlob::checkpoint() {
  const auto before = progress();
  if (!before) return {};
  if (auto synced = sync_data(); !synced) return synced;
  const MutexLock lock(journal_mutex_);
  if (!journal_ || !progress()) return {};  // it has ended meanwhile
  noted_ = true;
  return journal_->note_synced(*before);
}

std::optional<PartialProgress> PartialBlob::suspend(Error why) {
  std::optional<PartialProgress> last;
  {
    const MutexLock lock(mutex_);
    while (!in_flight_.empty()) landed_.wait(mutex_);
    if (size_ && state_ == State::filling && extents_.total() > 0) last = {.size = *size_, .extents = extents_};
  }
  fail(std::move(why));
  const MutexLock lock(journal_mutex_);
  if (!last || !journal_) return std::nullopt;
  if (auto noted = journal_->note_written(*last); !noted) {
    spdlog::warn("a fill will be taken up again from an earlier point: {}", noted.error().context);
  }
  return last;
}

void PartialBlob::forget_progress() {
  const MutexLock lock(journal_mutex_);
  if (!journal_ || !noted_) return;
  if (auto erased = journal_->erase(); !erased) spdlog::warn("a journal stays: {}", erased.error().context);
  journal_.reset();
}

}  // namespace paddock

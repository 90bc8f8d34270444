#include "proxy/fill/fill_sources.h"

#include <algorithm>
#include <utility>

namespace paddock {

FillSources::FillSources(BlobSource first)
    : first_(std::make_shared<const BlobSource>(std::move(first))), line_{Entry{.source = first_}} {}

bool FillSources::add(BlobSource source) {
  const MutexLock lock(mutex_);
  const bool known = std::ranges::any_of(line_, [&](const Entry& entry) {
    return entry.source->upstream == source.upstream && entry.source->repository == source.repository;
  });
  if (known || line_.size() >= most) return false;
  line_.push_back({.source = std::make_shared<const BlobSource>(std::move(source))});
  return true;
}

FillSources::Source FillSources::current() const {
  const MutexLock lock(mutex_);
  return line_[current_].source;
}

// Of one that was dropped: the one that took its place, as good as any.
std::size_t FillSources::index_of(const Source& source) const {
  for (std::size_t i = 0; i < line_.size(); ++i) {
    if (line_[i].source == source) return i;
  }
  return current_;
}

bool FillSources::turn(const Source& source, const Error& why, bool brought) {
  const MutexLock lock(mutex_);
  const std::size_t from = index_of(source);
  if (line_[from].source == source) {
    line_[from].error = why;
    if (!brought) line_[from].failed = true;
  }
  // Another connection has turned from it already.
  if (line_[current_].source != source && !line_[current_].failed) return true;
  for (std::size_t step = 1; step < line_.size(); ++step) {
    const std::size_t next = (from + step) % line_.size();
    if (line_[next].failed) continue;
    current_ = next;
    return true;
  }
  current_ = brought ? from : (from + 1) % line_.size();
  if (!brought) {
    for (auto& entry : line_) entry.failed = false;
  }
  return false;
}

void FillSources::skip(const Source& source) {
  const MutexLock lock(mutex_);
  current_ = (index_of(source) + 1) % line_.size();
}

bool FillSources::drop(const Source& source) {
  const MutexLock lock(mutex_);
  if (line_.size() == 1) return false;
  const auto gone = std::ranges::find(line_, source, &Entry::source);
  if (gone == line_.end()) return true;
  const auto at = static_cast<std::size_t>(gone - line_.begin());
  line_.erase(gone);
  if (at < current_) --current_;
  current_ %= line_.size();
  return true;
}

Error FillSources::verdict(const Error& last) const {
  const MutexLock lock(mutex_);
  const auto own = std::ranges::find(line_, first_, &Entry::source);
  return own != line_.end() && own->error ? *own->error : last;
}

}  // namespace paddock

#include "proxy/fill/fill_slots.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <utility>

namespace paddock {

struct FillSlots::Line {
  explicit Line(std::size_t most) : limit(most) {}

  std::list<Slot*>::iterator insert(Slot* slot, FillPriority priority) PADDOCK_REQUIRES(mutex) {
    const auto behind = std::ranges::find_if(waiting, [&](const Slot* other) { return other->priority_ > priority; });
    return waiting.insert(behind, slot);
  }

  const std::size_t limit;
  Mutex mutex;
  std::list<Slot*> waiting PADDOCK_GUARDED_BY(mutex);  // in the order in which they get to work
  std::size_t working PADDOCK_GUARDED_BY(mutex) = 0;
  bool closed PADDOCK_GUARDED_BY(mutex) = false;
  Notifier changed;
};

FillSlots::FillSlots(std::size_t limit) : line_(std::make_shared<Line>(limit)) {}

std::unique_ptr<FillSlots::Slot> FillSlots::enter(FillPriority priority) {
  return std::unique_ptr<Slot>(new Slot(line_, priority));
}

void FillSlots::close() {
  {
    const MutexLock lock(line_->mutex);
    line_->closed = true;
  }
  line_->changed.notify_all();
}

std::size_t FillSlots::waiting() const {
  const MutexLock lock(line_->mutex);
  return line_->waiting.size();
}

// --- a slot ---

FillSlots::Slot::Slot(std::shared_ptr<Line> line, FillPriority priority) : line_(std::move(line)), priority_(priority) {
  const MutexLock lock(line_->mutex);
  place_ = line_->insert(this, priority_);
}

FillSlots::Slot::~Slot() {
  {
    const MutexLock lock(line_->mutex);
    if (!working_) {
      line_->waiting.erase(place_);
    } else if (!lent_) {
      --line_->working;
    }
  }
  line_->changed.notify_all();
}

void FillSlots::Slot::raise() {
  {
    const MutexLock lock(line_->mutex);
    if (working_ || priority_ == FillPriority::client) return;
    priority_ = FillPriority::client;
    line_->waiting.erase(place_);
    place_ = line_->insert(this, priority_);
  }
  line_->changed.notify_all();
}

void FillSlots::Slot::lend() {
  {
    const MutexLock lock(line_->mutex);
    if (!working_ || std::exchange(lent_, true)) return;
    --line_->working;
  }
  line_->changed.notify_all();
}

void FillSlots::Slot::take_back() {
  const MutexLock lock(line_->mutex);
  if (std::exchange(lent_, false)) ++line_->working;
}

Task<bool> FillSlots::Slot::wait() {
  for (;;) {
    auto waiter = line_->changed.subscribe(co_await asio::this_coro::executor);
    {
      const MutexLock lock(line_->mutex);
      if (line_->closed) co_return false;
      if (line_->working < line_->limit && line_->waiting.front() == this) {
        line_->waiting.pop_front();
        working_ = true;
        ++line_->working;
      }
    }
    if (working_) {
      line_->changed.notify_all();  // there may be room for the next one too
      co_return true;
    }
    co_await waiter.wait_until(std::chrono::steady_clock::time_point::max());
  }
}

}  // namespace paddock

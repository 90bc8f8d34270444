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

  [[nodiscard]] bool may_work(const Slot& slot) const PADDOCK_REQUIRES(mutex) {
    return slot.priority_ == FillPriority::client ? clients < limit : clients + background < limit;
  }
  std::size_t& count_of(const Slot& slot) PADDOCK_REQUIRES(mutex) {
    return slot.priority_ == FillPriority::client ? clients : background;
  }

  const std::size_t limit;
  Mutex mutex;
  std::list<Slot*> waiting PADDOCK_GUARDED_BY(mutex);  // in the order in which they get to work
  std::size_t clients PADDOCK_GUARDED_BY(mutex) = 0, background PADDOCK_GUARDED_BY(mutex) = 0;  // at work
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
      --line_->count_of(*this);
    }
  }
  line_->changed.notify_all();
}

void FillSlots::Slot::raise() {
  {
    const MutexLock lock(line_->mutex);
    if (priority_ == FillPriority::client) return;
    if (working_ && !lent_) --line_->background;
    priority_ = FillPriority::client;
    if (working_ && !lent_) ++line_->clients;
    if (!working_) {
      line_->waiting.erase(place_);
      place_ = line_->insert(this, priority_);
    }
  }
  line_->changed.notify_all();
}

void FillSlots::Slot::lend() {
  {
    const MutexLock lock(line_->mutex);
    if (!working_ || std::exchange(lent_, true)) return;
    --line_->count_of(*this);
  }
  line_->changed.notify_all();
}

void FillSlots::Slot::take_back() {
  const MutexLock lock(line_->mutex);
  if (std::exchange(lent_, false)) ++line_->count_of(*this);
}

FillPriority FillSlots::Slot::priority() const {
  const MutexLock lock(line_->mutex);
  return priority_;
}

bool FillSlots::Slot::gives_way() const {
  const MutexLock lock(line_->mutex);
  return priority_ == FillPriority::background && line_->clients > 0;
}

Task<bool> FillSlots::Slot::wait() {
  for (;;) {
    auto waiter = line_->changed.subscribe(co_await asio::this_coro::executor);
    {
      const MutexLock lock(line_->mutex);
      if (line_->closed) co_return false;
      if (line_->waiting.front() == this && line_->may_work(*this)) {
        line_->waiting.pop_front();
        working_ = true;
        ++line_->count_of(*this);
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

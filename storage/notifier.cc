#include "storage/notifier.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace paddock {

// Touched only on the waiter's executor, where posts and the coroutine itself run one after the other.
struct Notifier::Waiter::State {
  explicit State(const asio::any_io_executor& executor) : timer(executor) {}
  asio::steady_timer timer;
  bool notified = false;
};

Task<bool> Notifier::Waiter::wait_until(std::chrono::steady_clock::time_point deadline) {
  const auto state = state_;
  if (state->notified) co_return true;
  state->timer.expires_at(deadline);
  boost::system::error_code ignored;
  co_await state->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_return state->notified;
}

Notifier::Waiter Notifier::subscribe(const asio::any_io_executor& executor) {
  auto state = std::make_shared<Waiter::State>(executor);
  const MutexLock lock(mutex_);
  if (waiters_.size() >= purge_at_) {
    std::erase_if(waiters_, [](const auto& waiter) { return waiter.expired(); });
    purge_at_ = std::max<std::size_t>(64, 2 * waiters_.size());
  }
  waiters_.push_back(state);
  return Waiter(std::move(state));
}

void Notifier::notify_all() {
  std::vector<std::weak_ptr<Waiter::State>> waiters;
  {
    const MutexLock lock(mutex_);
    waiters.swap(waiters_);
  }
  for (const auto& waiter : waiters) {
    if (auto state = waiter.lock()) {
      const auto executor = state->timer.get_executor();
      asio::post(executor, [state = std::move(state)] {
        state->notified = true;
        state->timer.cancel();
      });
    }
  }
}

}  // namespace paddock

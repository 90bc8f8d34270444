// Notifier: wakes coroutines that wait on any event loop, from any thread. A condition variable for coroutines.
//
//   for (;;) {
//     auto waiter = notifier.subscribe(co_await asio::this_coro::executor);  // first subscribe,
//     if (ready()) break;                                                    // then look, so that nothing is missed
//     if (!co_await waiter.wait_until(deadline)) co_return timed_out;
//   }
//
// Thread-safe. A waiter belongs to one coroutine on a single-threaded executor and may outlive the notifier.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "storage/mutex.h"
#include "storage/task.h"

namespace paddock {

class Notifier {
 public:
  class Waiter {
   public:
    // True when notified since subscribe(), false when the deadline passed first.
    Task<bool> wait_until(std::chrono::steady_clock::time_point deadline);

   private:
    friend class Notifier;
    struct State;
    explicit Waiter(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
  };

  [[nodiscard]] Waiter subscribe(const asio::any_io_executor& executor);
  void notify_all();

 private:
  Mutex mutex_;
  std::vector<std::weak_ptr<Waiter::State>> waiters_ PADDOCK_GUARDED_BY(mutex_);
  std::size_t purge_at_ PADDOCK_GUARDED_BY(mutex_) = 64;  // waiters; doubles with those alive, so that purging is cheap
};

}  // namespace paddock

// SingleFlight: concurrent callers that want the same thing share one piece of work, on any event loops.
//
// The work is nobody's in particular: it goes on when the caller that started it has gone or has stopped waiting. All
// who joined get a copy of its result. Nothing is remembered afterwards. Thread-safe; must outlive the event loops'
// threads.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "storage/error.h"
#include "storage/mutex.h"
#include "storage/notifier.h"
#include "storage/task.h"

namespace paddock {

template <typename Key, typename T>
class SingleFlight {
 public:
  using Work = std::function<Task<Result<T>>()>;

  // `work` is called on the caller's executor if no flight for `key` is under way. timeout when the deadline passes
  // first; the flight goes on.
  Task<Result<T>> run(Key key, Work work, std::chrono::steady_clock::time_point deadline) {
    const auto executor = co_await asio::this_coro::executor;
    auto [flight, first] = join(key);
    if (first) asio::co_spawn(executor, fly(this, std::move(key), flight, std::move(work)), asio::detached);
    for (;;) {
      auto waiter = flight->landed.subscribe(executor);
      if (auto result = flight->get()) co_return *std::move(result);
      if (!co_await waiter.wait_until(deadline)) {
        co_return fail(ErrorCode::timeout, Blame::upstream, "no answer in time", true);
      }
    }
  }

 private:
  struct Flight {
    std::optional<Result<T>> get() {
      const MutexLock lock(mutex);
      return result;
    }
    Mutex mutex;
    std::optional<Result<T>> result PADDOCK_GUARDED_BY(mutex);
    Notifier landed;
  };

  std::pair<std::shared_ptr<Flight>, bool> join(const Key& key) {
    const MutexLock lock(mutex_);
    auto& flight = flights_[key];
    const bool first = flight == nullptr;
    if (first) flight = std::make_shared<Flight>();
    return {flight, first};
  }

  static Task<void> fly(SingleFlight* self, Key key, std::shared_ptr<Flight> flight, Work work) {
    Result<T> result = co_await guarded(work);
    {
      const MutexLock lock(self->mutex_);
      self->flights_.erase(key);
    }
    {
      const MutexLock lock(flight->mutex);
      flight->result = std::move(result);
    }
    flight->landed.notify_all();
  }

  static Task<Result<T>> guarded(const Work& work) {
    try {
      co_return co_await work();
    } catch (const std::exception& e) {
      co_return fail(ErrorCode::io, Blame::us, e.what());
    }
  }

  Mutex mutex_;
  std::map<Key, std::shared_ptr<Flight>> flights_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock

// BlockingPool: the threads on which files, hashing and RocksDB are used, so that no event loop ever blocks.
//
// `co_await pool.run(f)` runs f on a pool thread and resumes the caller on its own executor. f returns a Result; an
// exception that escapes f becomes an `io` error blamed on us. Thread-safe. join() waits for what is queued; it comes
// before the callers' executors go, which pool threads refer to a moment longer than the callers wait.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <type_traits>
#include <utility>

#include "storage/error.h"
#include "storage/task.h"

namespace paddock {

class BlockingPool {
 public:
  explicit BlockingPool(std::size_t threads) : pool_(threads) {}

  template <typename F>
  Task<std::invoke_result_t<F&>> run(F f) {
    using R = std::invoke_result_t<F&>;
    auto executor = co_await asio::this_coro::executor;
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(R)>(
        [this](auto handler, const auto& home, F work) {
          auto guard = asio::make_work_guard(home);
          asio::post(pool_, [handler = std::move(handler), guard = std::move(guard), work = std::move(work)]() mutable {
            R result = guarded<R>(work);
            auto to = guard.get_executor();
            asio::post(to, [handler = std::move(handler), result = std::move(result)]() mutable {
              std::move(handler)(std::move(result));
            });
          });
        },
        asio::use_awaitable, std::move(executor), std::move(f));
  }

  void join() { pool_.join(); }

 private:
  template <typename R, typename F>
  static R guarded(F& work) {
    try {
      return work();
    } catch (const std::exception& e) {
      return fail(ErrorCode::io, Blame::us, e.what());
    }
  }

  asio::thread_pool pool_;
};

}  // namespace paddock

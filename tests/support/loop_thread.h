// LoopThread: an event loop on a thread of its own, for tests in which coroutines meet blocking code.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <thread>
#include <utility>

#include "storage/task.h"

namespace paddock {

class LoopThread {
 public:
  LoopThread() : work_(asio::make_work_guard(loop_)), thread_([this] { loop_.run(); }) {}
  ~LoopThread() {
    work_.reset();
    thread_.join();
  }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  template <typename T>
  std::future<T> spawn(Task<T> task) {
    return asio::co_spawn(loop_, std::move(task), asio::use_future);
  }
  // Returns when all that could run before has run: spawned coroutines have come to their first wait.
  void settle() { asio::post(loop_, asio::use_future).get(); }
  [[nodiscard]] std::thread::id id() const { return thread_.get_id(); }
  asio::io_context& context() { return loop_; }

 private:
  asio::io_context loop_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace paddock

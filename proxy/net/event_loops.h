// EventLoops: one single-threaded io_context a thread. A session, a fill or an upstream request stays on its loop.
//
// Lifecycle: construct -> run() starts the threads -> stop() ends and joins them -> destroyed last, when nothing that
// holds a socket or coroutine on it is left. next() and here() are thread-safe.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <thread>
#include <vector>

namespace paddock {

class EventLoops {
 public:
  explicit EventLoops(std::size_t threads);  // 0: one per core
  ~EventLoops();
  void run();
  void stop();
  [[nodiscard]] std::size_t size() const { return loops_.size(); }
  boost::asio::io_context& at(std::size_t index) { return *loops_[index]; }
  boost::asio::io_context& next();  // in turn
  // The one that the caller is on, so that what belongs together needs no change of threads; from elsewhere next().
  boost::asio::io_context& here();

 private:
  using Guard = boost::asio::executor_work_guard<boost::asio::io_context::executor_type>;
  std::vector<std::unique_ptr<boost::asio::io_context>> loops_;
  std::vector<Guard> guards_;
  std::vector<std::thread> threads_;
  std::atomic<std::size_t> next_{0};
};

}  // namespace paddock

#include "proxy/net/event_loops.h"

#include <algorithm>

namespace paddock {

EventLoops::EventLoops(std::size_t threads) {
  const auto count = threads != 0 ? threads : std::max<std::size_t>(1, std::thread::hardware_concurrency());
  for (std::size_t i = 0; i < count; ++i) {
    loops_.push_back(std::make_unique<boost::asio::io_context>(1));
    guards_.push_back(boost::asio::make_work_guard(*loops_.back()));
  }
}

EventLoops::~EventLoops() { stop(); }

void EventLoops::run() {
  for (auto& loop : loops_) {
    threads_.emplace_back([context = loop.get()] { context->run(); });
  }
}

void EventLoops::stop() {
  guards_.clear();
  for (auto& loop : loops_) loop->stop();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

boost::asio::io_context& EventLoops::here() {
  for (auto& loop : loops_) {
    if (loop->get_executor().running_in_this_thread()) return *loop;
  }
  return next();
}

boost::asio::io_context& EventLoops::next() {
  return *loops_[next_.fetch_add(1, std::memory_order_relaxed) % loops_.size()];
}

}  // namespace paddock

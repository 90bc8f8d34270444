// Watchdog: calls back when a deadline passes; renewing the deadline costs a store, no timer operation.
//
// Used on the thread of its executor only. The callback runs there too, once for each passed deadline, and never after
// the watchdog is destroyed. A stopped watchdog may be destroyed on another thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <memory>

namespace paddock {

class Watchdog {
 public:
  Watchdog(const boost::asio::any_io_executor& executor, std::function<void()> on_expiry);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  void expires_at(std::chrono::steady_clock::time_point deadline);
  void expires_after(std::chrono::steady_clock::duration delay);
  void disarm();  // cheap; the timer may run on and do nothing
  void stop();    // and takes the timer back, so that the loop has no work left from it

 private:
  struct State;
  static void wait(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;
};

}  // namespace paddock

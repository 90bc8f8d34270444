#include "proxy/net/watchdog.h"

#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace paddock {

using Time = std::chrono::steady_clock::time_point;

struct Watchdog::State {
  State(const boost::asio::any_io_executor& executor, std::function<void()> callback)
      : timer(executor), on_expiry(std::move(callback)) {}
  boost::asio::steady_timer timer;
  std::function<void()> on_expiry;
  Time deadline = Time::max();
  Time armed_for = Time::max();  // what the timer waits for; max: it does not
};

Watchdog::Watchdog(const boost::asio::any_io_executor& executor, std::function<void()> on_expiry)
    : state_(std::make_shared<State>(executor, std::move(on_expiry))) {}

Watchdog::~Watchdog() = default;

void Watchdog::expires_at(Time deadline) {
  state_->deadline = deadline;
  // A timer that fires early looks again; only one that would fire late has to be moved.
  if (deadline < state_->armed_for) wait(state_);
}

void Watchdog::expires_after(std::chrono::steady_clock::duration delay) {
  expires_at(std::chrono::steady_clock::now() + delay);
}

void Watchdog::disarm() { state_->deadline = Time::max(); }

void Watchdog::stop() {
  disarm();
  state_->armed_for = Time::max();
  state_->timer.cancel();
}

void Watchdog::wait(const std::shared_ptr<State>& state) {
  state->armed_for = state->deadline;
  state->timer.expires_at(state->deadline);
  // Weak: when the watchdog goes, so does the timer.
  state->timer.async_wait([weak = std::weak_ptr(state)](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!self || error) return;
    self->armed_for = Time::max();
    if (self->deadline == Time::max()) return;
    if (self->deadline > std::chrono::steady_clock::now()) return wait(self);
    self->deadline = Time::max();
    self->on_expiry();
  });
}

}  // namespace paddock

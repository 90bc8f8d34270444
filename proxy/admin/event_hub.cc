#include "proxy/admin/event_hub.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>

namespace paddock {

Task<std::optional<EventHub::Text>> EventHub::Subscription::next() {
  static const auto heartbeat = std::make_shared<const std::string>(": alive\n\n");
  const auto executor = co_await asio::this_coro::executor;
  const auto until = std::chrono::steady_clock::now() + options_.heartbeat;
  for (;;) {
    auto waiter = changed_.subscribe(executor);
    {
      const MutexLock lock(mutex_);
      if (closed_) co_return std::nullopt;
      if (!queue_.empty()) {
        auto event = std::move(queue_.front());
        queue_.pop_front();
        co_return event;
      }
    }
    if (!co_await waiter.wait_until(until)) co_return heartbeat;
  }
}

void EventHub::Subscription::push(const Text& event) {
  {
    const MutexLock lock(mutex_);
    closed_ = closed_ || queue_.size() >= options_.queue;
    if (closed_) {
      queue_.clear();
    } else {
      queue_.push_back(event);
    }
  }
  changed_.notify_all();
}

void EventHub::Subscription::close() {
  {
    const MutexLock lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

std::vector<std::shared_ptr<EventHub::Subscription>> EventHub::alive() {
  std::vector<std::shared_ptr<Subscription>> found;
  std::erase_if(subscribers_, [&](const auto& known) {
    auto subscriber = known.lock();
    if (subscriber) found.push_back(std::move(subscriber));
    return known.expired();
  });
  return found;
}

std::shared_ptr<EventHub::Subscription> EventHub::subscribe() {
  const MutexLock lock(mutex_);
  if (closed_ || alive().size() >= options_.subscribers) return nullptr;
  auto subscription = std::shared_ptr<Subscription>(new Subscription(options_));
  subscribers_.push_back(subscription);
  return subscription;
}

void EventHub::publish(std::string_view event, std::string_view data) {
  auto text = std::make_shared<const std::string>(
      std::string("event: ").append(event).append("\ndata: ").append(data).append("\n\n"));
  std::vector<std::shared_ptr<Subscription>> subscribers;
  {
    const MutexLock lock(mutex_);
    subscribers = alive();
  }
  for (const auto& subscriber : subscribers) subscriber->push(text);
}

bool EventHub::has_subscribers() {
  const MutexLock lock(mutex_);
  return !alive().empty();
}

void EventHub::close() {
  std::vector<std::shared_ptr<Subscription>> subscribers;
  {
    const MutexLock lock(mutex_);
    closed_ = true;
    subscribers = alive();
  }
  for (const auto& subscriber : subscribers) subscriber->close();
}

}  // namespace paddock

// EventHub: what happens, as server-sent events to whoever has subscribed.
//
// A subscriber who does not keep up (more than `queue` events behind) is dropped: he connects again and sees the
// present state. Events have no ids, nothing is kept for those who come later. Thread-safe.
// https://html.spec.whatwg.org/multipage/server-sent-events.html
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/mutex.h"
#include "storage/notifier.h"
#include "storage/task.h"

namespace paddock {

class EventHub {
 public:
  struct Options {
    std::size_t subscribers = 64;
    std::size_t queue = 256;  // events
    std::chrono::milliseconds heartbeat{15'000};
  };
  using Text = std::shared_ptr<const std::string>;

  class Subscription {
   public:
    // The next event, or a comment when there was none for a heartbeat; nothing when it was dropped or the hub is
    // closed.
    Task<std::optional<Text>> next();

   private:
    friend class EventHub;
    explicit Subscription(Options options) : options_(options) {}
    void push(const Text& event);
    void close();

    const Options options_;
    Mutex mutex_;
    std::deque<Text> queue_ PADDOCK_GUARDED_BY(mutex_);
    bool closed_ PADDOCK_GUARDED_BY(mutex_) = false;
    Notifier changed_;
  };

  explicit EventHub(Options options) : options_(options) {}

  // Until it is destroyed. Null when there are too many.
  std::shared_ptr<Subscription> subscribe();
  // `data` is one line.
  void publish(std::string_view event, std::string_view data);
  [[nodiscard]] bool has_subscribers();
  void close();

 private:
  std::vector<std::shared_ptr<Subscription>> alive() PADDOCK_REQUIRES(mutex_);

  const Options options_;
  Mutex mutex_;
  bool closed_ PADDOCK_GUARDED_BY(mutex_) = false;
  std::vector<std::weak_ptr<Subscription>> subscribers_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock

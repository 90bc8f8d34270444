#include "proxy/admin/event_hub.h"

#include <catch2/catch.hpp>

#include "tests/support/loop_thread.h"
#include "tests/support/run_task.h"

using namespace paddock;
using namespace std::chrono_literals;

namespace {

std::string next(EventHub::Subscription& subscription) {
  const auto event = run_task(subscription.next());
  return event ? **event : "dropped";
}

}  // namespace

TEST_CASE("every subscriber gets every event from then on, in order") {
  EventHub hub({});
  hub.publish("job", "early");
  const auto one = hub.subscribe(), two = hub.subscribe();
  hub.publish("job", "{\"a\":1}");
  hub.publish("job", "{\"a\":2}");
  for (auto* const subscription : {one.get(), two.get()}) {
    CHECK(next(*subscription) == "event: job\ndata: {\"a\":1}\n\n");
    CHECK(next(*subscription) == "event: job\ndata: {\"a\":2}\n\n");
  }
}

TEST_CASE("who waits is woken by an event") {
  EventHub hub({.heartbeat = 1h});
  const auto subscription = hub.subscribe();
  LoopThread loop;
  auto waiting = loop.spawn(subscription->next());
  loop.settle();
  CHECK(waiting.wait_for(0s) == std::future_status::timeout);
  hub.publish("job", "x");
  CHECK(waiting.get().value()->contains("data: x"));
}

TEST_CASE("while nothing happens there is a heartbeat, which is no event") {
  EventHub hub({.heartbeat = 1ms});
  const auto subscription = hub.subscribe();
  CHECK(next(*subscription) == ": alive\n\n");
  CHECK(next(*subscription) == ": alive\n\n");
}

TEST_CASE("a subscriber who does not keep up is dropped, the others are not") {
  EventHub hub({.queue = 2});
  const auto slow = hub.subscribe(), quick = hub.subscribe();
  for (int i = 0; i < 5; ++i) {
    hub.publish("job", std::to_string(i));
    CHECK(next(*quick).contains(std::to_string(i)));
  }
  CHECK(next(*slow) == "dropped");
}

TEST_CASE("there are only so many subscribers, and those that have gone do not count") {
  EventHub hub({.subscribers = 1});
  CHECK_FALSE(hub.has_subscribers());
  auto one = hub.subscribe();
  CHECK(hub.has_subscribers());
  CHECK(hub.subscribe() == nullptr);
  one.reset();
  CHECK_FALSE(hub.has_subscribers());
  CHECK(hub.subscribe() != nullptr);
}

TEST_CASE("a hub that closes ends its subscriptions and takes no more") {
  EventHub hub({.heartbeat = 1h});
  const auto subscription = hub.subscribe();
  hub.publish("job", "x");
  hub.close();
  CHECK(next(*subscription) == "dropped");
  CHECK(hub.subscribe() == nullptr);
}

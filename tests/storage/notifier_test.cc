#include "storage/notifier.h"

#include <atomic>
#include <boost/asio/this_coro.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "tests/support/loop_thread.h"
#include "tests/support/run_task.h"

namespace paddock {
namespace {

using Deadline = std::chrono::steady_clock::time_point;
const Deadline never = Deadline::max();
const Deadline past = Deadline::min();

Task<bool> wait_once(Notifier& notifier, Deadline deadline) {
  auto waiter = notifier.subscribe(co_await asio::this_coro::executor);
  co_return co_await waiter.wait_until(deadline);
}

Task<bool> notify_then_wait(Notifier& notifier) {
  auto waiter = notifier.subscribe(co_await asio::this_coro::executor);
  notifier.notify_all();
  co_return co_await waiter.wait_until(never);
}

TEST_CASE("a notification between subscribing and waiting is not missed") {
  Notifier notifier;
  CHECK(run_task(notify_then_wait(notifier)));
}

TEST_CASE("a wait whose deadline has passed is false") {
  Notifier notifier;
  CHECK_FALSE(run_task(wait_once(notifier, past)));
}

TEST_CASE("a notification from before subscribing does not count") {
  Notifier notifier;
  notifier.notify_all();
  CHECK_FALSE(run_task(wait_once(notifier, past)));
}

TEST_CASE("one notification wakes the waiters of every loop") {
  Notifier notifier;
  LoopThread one;
  LoopThread two;
  std::vector<std::future<bool>> woken;
  for (int i = 0; i < 200; ++i) woken.push_back((i % 2 == 0 ? one : two).spawn(wait_once(notifier, never)));
  one.settle();
  two.settle();
  notifier.notify_all();
  for (auto& waiter : woken) CHECK(waiter.get());
}

TEST_CASE("a waiter may outlive the notifier") {
  auto notifier = std::make_unique<Notifier>();
  asio::io_context loop;
  auto waiter = notifier->subscribe(loop.get_executor());
  notifier.reset();
  bool notified = true;
  asio::co_spawn(loop, waiter.wait_until(past), [&](const std::exception_ptr&, bool result) { notified = result; });
  loop.run();
  CHECK_FALSE(notified);
}

TEST_CASE("waiters that went away are forgotten and those alive are kept") {
  Notifier notifier;
  asio::io_context loop;
  std::vector<Notifier::Waiter> kept;
  for (int i = 0; i < 20'000; ++i) {
    auto waiter = notifier.subscribe(loop.get_executor());
    if (i % 100 == 0) kept.push_back(std::move(waiter));
  }
  notifier.notify_all();
  int woken = 0;
  for (auto& waiter : kept) {
    asio::co_spawn(loop, waiter.wait_until(never),
                   [&woken](const std::exception_ptr&, bool result) { woken += result ? 1 : 0; });
  }
  loop.run();
  CHECK(woken == 200);
}

Task<int> count_to(Notifier& notifier, std::atomic<int>& value, int target) {
  for (;;) {
    auto waiter = notifier.subscribe(co_await asio::this_coro::executor);
    if (value >= target) co_return value.load();
    if (!co_await waiter.wait_until(never)) co_return -1;
  }
}

TEST_CASE("no change is missed while another thread notifies all the time") {
  Notifier notifier;
  std::atomic<int> value = 0;
  constexpr int target = 2000;
  LoopThread loop;
  std::vector<std::future<int>> counters;
  for (int i = 1; i <= 8; ++i) counters.push_back(loop.spawn(count_to(notifier, value, target * i / 8)));
  std::thread changer([&] {
    for (int i = 0; i < target; ++i) {
      ++value;
      notifier.notify_all();
    }
  });
  for (auto& counter : counters) CHECK(counter.get() > 0);
  changer.join();
}

}  // namespace
}  // namespace paddock

#include "proxy/warm/in_parallel.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <spdlog/spdlog.h>

#include "storage/notifier.h"

namespace paddock {
namespace {

// Of one loop's thread.
struct Lanes {
  std::size_t next = 0, count = 0, open = 0;
  Notifier ended;
};

Task<void> lane(std::shared_ptr<Lanes> lanes, std::function<Task<void>(std::size_t)> work) {
  while (lanes->next < lanes->count) co_await work(lanes->next++);
}

}  // namespace

Task<void> in_parallel(std::size_t count, std::size_t at_once, const std::function<Task<void>(std::size_t)>& work) {
  const auto executor = co_await asio::this_coro::executor;
  const auto lanes = std::make_shared<Lanes>();
  lanes->count = count;
  lanes->open = std::min(count, std::max<std::size_t>(1, at_once));
  for (std::size_t i = lanes->open; i > 0; --i) {
    asio::co_spawn(executor, lane(lanes, work), [lanes](const std::exception_ptr& bug) {
      if (bug) spdlog::error("a piece of work ended by an exception");
      --lanes->open;
      lanes->ended.notify_all();
    });
  }
  for (;;) {
    auto waiter = lanes->ended.subscribe(executor);
    if (lanes->open == 0) co_return;
    co_await waiter.wait_until(std::chrono::steady_clock::time_point::max());
  }
}

}  // namespace paddock

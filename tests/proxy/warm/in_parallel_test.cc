#include "proxy/warm/in_parallel.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <set>
#include <stdexcept>

#include "tests/support/run_task.h"

using namespace paddock;

namespace {

struct Work {
  std::size_t running = 0, most = 0;
  std::set<std::size_t> done;

  Task<void> operator()(std::size_t index) {
    most = std::max(most, ++running);
    for (int i = 0; i < 3; ++i) co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    --running;
    done.insert(index);
  }
};

}  // namespace

TEST_CASE("every piece of work is done, and never more than may be at once") {
  const auto [count, at_once] = GENERATE(table<std::size_t, std::size_t>({{10, 3}, {2, 8}, {1, 1}, {0, 4}, {5, 0}}));
  Work work;
  run_task(in_parallel(count, at_once, [&](std::size_t index) { return work(index); }));
  CHECK(work.done.size() == count);
  CHECK(work.most <= std::max<std::size_t>(1, at_once));
  CHECK(work.most == std::min(count, std::max<std::size_t>(1, at_once)));
}

TEST_CASE("one that throws does not keep the others from being done") {
  Work work;
  run_task(in_parallel(4, 2, [&](std::size_t index) {
    if (index == 0) throw std::runtime_error("bug");
    return work(index);
  }));
  CHECK(work.done == std::set<std::size_t>{1, 2, 3});
}

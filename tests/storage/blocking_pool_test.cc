#include "storage/blocking_pool.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/loop_thread.h"
#include "tests/support/run_task.h"

namespace paddock {
namespace {

struct Threads {
  std::thread::id before, work, after;
};

Task<Result<Threads>> where(BlockingPool& pool) {
  Threads threads;
  threads.before = std::this_thread::get_id();
  auto ran = co_await pool.run([&threads]() -> Result<int> {
    threads.work = std::this_thread::get_id();
    return 42;
  });
  threads.after = std::this_thread::get_id();
  if (!ran || *ran != 42) co_return fail(ErrorCode::io, Blame::us, "wrong result");
  co_return threads;
}

TEST_CASE("work runs on a pool thread and its coroutine goes on where it was") {
  BlockingPool pool(1);
  LoopThread loop;
  const auto threads = loop.spawn(where(pool)).get();
  REQUIRE(threads);
  CHECK(threads->before == loop.id());
  CHECK(threads->after == loop.id());
  CHECK(threads->work != loop.id());
}

Task<Result<void>> throwing(BlockingPool& pool) {
  co_return co_await pool.run([]() -> Result<void> { throw std::runtime_error("out of luck"); });
}

TEST_CASE("an exception in the work becomes a disk error of ours") {
  BlockingPool pool(1);
  const auto result = run_task(throwing(pool));
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::io);
  CHECK(result.error().blame == Blame::us);
  CHECK(result.error().context.find("out of luck") != std::string::npos);
}

Task<Result<std::unique_ptr<int>>> moving(BlockingPool& pool) {
  auto in = std::make_unique<int>(7);
  auto work = [in = std::move(in)]() mutable -> Result<std::unique_ptr<int>> { return std::move(in); };
  co_return co_await pool.run(std::move(work));
}

TEST_CASE("what is moved into the work and out of it arrives") {
  BlockingPool pool(1);
  const auto result = run_task(moving(pool));
  REQUIRE(result);
  CHECK(**result == 7);
}

Task<Result<int>> waiting(BlockingPool& pool, std::shared_future<void> gate) {
  co_return co_await pool.run([gate]() -> Result<int> {
    gate.wait();
    return 1;
  });
}

TEST_CASE("blocked work does not block the event loop") {
  BlockingPool pool(1);
  LoopThread loop;
  std::promise<void> gate;
  auto blocked = loop.spawn(waiting(pool, gate.get_future().share()));
  loop.settle();  // would hang if the loop waited for the gate
  gate.set_value();
  CHECK(blocked.get() == 1);
}

Task<Result<int>> counting(BlockingPool& pool, std::atomic<int>& count) {
  int sum = 0;
  for (int i = 0; i < 50; ++i) {
    const auto one = co_await pool.run([&count]() -> Result<int> { return ++count > 0 ? 1 : 0; });
    if (!one) co_return std::unexpected(one.error());
    sum += *one;
  }
  co_return sum;
}

TEST_CASE("many coroutines on several loops share a pool") {
  BlockingPool pool(3);
  LoopThread one;
  LoopThread two;
  std::atomic<int> count = 0;
  std::vector<std::future<Result<int>>> results;
  for (int i = 0; i < 10; ++i) {
    results.push_back(one.spawn(counting(pool, count)));
    results.push_back(two.spawn(counting(pool, count)));
  }
  for (auto& result : results) CHECK(result.get() == 50);
  CHECK(count == 1000);
}

TEST_CASE("joining waits for what is queued") {
  std::atomic<int> count = 0;
  BlockingPool pool(1);
  LoopThread loop;
  std::promise<void> gate;
  auto blocked = loop.spawn(waiting(pool, gate.get_future().share()));
  auto queued = loop.spawn(counting(pool, count));
  loop.settle();
  gate.set_value();
  blocked.wait();
  queued.wait();
  pool.join();
  CHECK(count == 50);
}

}  // namespace
}  // namespace paddock

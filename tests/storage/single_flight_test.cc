#include "storage/single_flight.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/loop_thread.h"
#include "tests/support/run_task.h"

using namespace paddock;
using namespace std::chrono_literals;

namespace {

using Flights = SingleFlight<std::string, int>;

auto soon() { return std::chrono::steady_clock::now() + 30s; }

// Work that lands when its gate opens.
struct GatedWork {
  Notifier opened;
  std::atomic<bool> open{false};
  std::atomic<int> begun{0};

  Flights::Work work(int value) {
    return [this, value] { return go(value); };
  }
  Task<Result<int>> go(int value) {
    ++begun;
    const auto executor = co_await asio::this_coro::executor;
    for (;;) {
      auto waiter = opened.subscribe(executor);
      if (open) co_return value;
      if (!co_await waiter.wait_until(soon())) co_return fail(ErrorCode::timeout, Blame::us, "the gate stayed shut");
    }
  }
  void release() {
    open = true;
    opened.notify_all();
  }
};

}  // namespace

TEST_CASE("callers on different loops share one flight and its result") {
  Flights flights;
  GatedWork gated;
  LoopThread one, two;
  std::vector<std::future<Result<int>>> callers;
  for (int i = 0; i < 4; ++i) {
    for (LoopThread* loop : {&one, &two}) callers.push_back(loop->spawn(flights.run("a", gated.work(7), soon())));
  }
  one.settle();
  two.settle();
  gated.release();
  int sum = 0;
  for (auto& caller : callers) sum += caller.get().value();
  CHECK(sum == 8 * 7);
  CHECK(gated.begun == 1);
}

TEST_CASE("within one loop a second caller joins the flight under way") {
  Flights flights;
  GatedWork gated;
  asio::io_context loop;
  std::vector<int> results;
  const auto call = [](Flights* all, GatedWork* work, std::vector<int>* out) -> Task<void> {
    out->push_back((co_await all->run("a", work->work(7), soon())).value());
  };
  for (int i = 0; i < 3; ++i) asio::co_spawn(loop, call(&flights, &gated, &results), asio::detached);
  asio::post(loop, [&gated] { gated.release(); });
  loop.run();
  CHECK(results == std::vector<int>{7, 7, 7});
  CHECK(gated.begun == 1);
}

TEST_CASE("different keys fly apart") {
  Flights flights;
  GatedWork gated;
  gated.release();
  CHECK(run_task(flights.run("a", gated.work(1), soon())).value() == 1);
  CHECK(run_task(flights.run("b", gated.work(2), soon())).value() == 2);
}

TEST_CASE("nothing is remembered after landing, neither success nor failure") {
  Flights flights;
  int calls = 0;
  const Flights::Work work = [&calls]() -> Task<Result<int>> {
    ++calls;
    if (calls == 1) co_return fail(ErrorCode::unavailable, Blame::upstream, "away");
    co_return calls;
  };
  CHECK(run_task(flights.run("a", work, soon())).error().code == ErrorCode::unavailable);
  CHECK(run_task(flights.run("a", work, soon())).value() == 2);
  CHECK(run_task(flights.run("a", work, soon())).value() == 3);
}

TEST_CASE("a caller who stops waiting does not end the flight") {
  Flights flights;
  GatedWork gated;
  asio::io_context loop;
  std::optional<Result<int>> impatient, patient;
  const auto call = [](Flights* all, GatedWork* work, std::chrono::steady_clock::time_point deadline,
                       std::optional<Result<int>>* out) -> Task<void> {
    *out = co_await all->run("a", work->work(7), deadline);
  };
  asio::co_spawn(loop, call(&flights, &gated, std::chrono::steady_clock::now(), &impatient), asio::detached);
  asio::co_spawn(loop, call(&flights, &gated, soon(), &patient), asio::detached);
  while (!impatient) loop.run_one();
  CHECK(impatient->error().code == ErrorCode::timeout);
  CHECK_FALSE(patient);
  gated.release();
  loop.run();
  CHECK(patient->value() == 7);
  CHECK(gated.begun == 1);
}

TEST_CASE("an exception in the work is an error for all who wait") {
  Flights flights;
  const Flights::Work work = []() -> Task<Result<int>> {
    throw std::runtime_error("bug");
    co_return 1;
  };
  const auto result = run_task(flights.run("a", work, soon()));
  REQUIRE_FALSE(result);
  CHECK(result.error().blame == Blame::us);
  CHECK(result.error().context == "bug");
}

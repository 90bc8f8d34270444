#include "storage/parallel.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/rendezvous.h"

namespace paddock {
namespace {

TEST_CASE("each item is worked on once, whatever the number of threads") {
  const unsigned threads = GENERATE(0U, 1U, 3U, 100U);
  const std::size_t count = GENERATE(0U, 1U, 2U, 50U);
  std::vector<std::atomic<int>> calls(count);
  CHECK(work_in_parallel(count, threads, [&](std::size_t index) -> Result<void> {
    ++calls.at(index);
    return {};
  }));
  for (const auto& times : calls) CHECK(times == 1);
}

TEST_CASE("as many threads work at a time as were asked for") {
  Rendezvous three(3);
  CHECK(work_in_parallel(3, 3, [&](std::size_t) -> Result<void> {
    three.meet();
    return {};
  }));
  CHECK(three.met());
}

TEST_CASE("nothing begins after a failure, which is returned") {
  std::size_t calls = 0;
  const auto done = work_in_parallel(10, 1, [&](std::size_t index) -> Result<void> {
    ++calls;
    if (index == 3) return fail(ErrorCode::denied, Blame::us, "the fourth");
    return {};
  });
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::denied);
  CHECK(done.error().context == "the fourth");
  CHECK(calls == 4);
}

TEST_CASE("one thread's failure ends the work of the others") {
  constexpr std::size_t many = 5'000;
  std::atomic<std::size_t> calls{0};
  CHECK_FALSE(work_in_parallel(many, 4, [&](std::size_t index) -> Result<void> {
    ++calls;
    if (index == 0) return fail(ErrorCode::io, Blame::us, "the first");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // each is some work
    return {};
  }));
  CHECK(calls < many);
}

TEST_CASE("of several failures one is returned, after all that began have ended") {
  Rendezvous four(4);
  std::atomic<int> ended{0};
  const auto done = work_in_parallel(4, 4, [&](std::size_t index) -> Result<void> {
    four.meet();
    ++ended;
    return fail(ErrorCode::io, Blame::us, std::to_string(index));
  });
  CHECK_FALSE(done);
  CHECK(ended == 4);
}

TEST_CASE("what the work throws is a failure") {
  const auto done =
      work_in_parallel(2, 2, [](std::size_t) -> Result<void> { throw std::runtime_error("out of paper"); });
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::io);
  CHECK(done.error().context == "out of paper");
}

}  // namespace
}  // namespace paddock

#include "proxy/host/child_process.h"

#include <catch2/catch.hpp>
#include <csignal>
#include <sys/wait.h>

namespace paddock {
namespace {

using namespace std::chrono_literals;

std::chrono::steady_clock::time_point in(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

TEST_CASE("whether it has ended is known with and without a descriptor for it") {
  for (const bool by_descriptor : {true, false}) {
    CAPTURE(by_descriptor);
    ChildProcess sleeping({.arguments = {"sleep", "1000"}, .by_descriptor = by_descriptor});
    CHECK_FALSE(sleeping.ends_before(in(0ms)));
    CHECK_FALSE(sleeping.ends_before(in(30ms)));
    ChildProcess brief({.arguments = {"sh", "-c", "exit 3"}, .by_descriptor = by_descriptor});
    CHECK(brief.ends_before(in(60s)));
    CHECK(brief.ends_before(in(0ms)));  // it is not taken away by looking
    CHECK(WEXITSTATUS(brief.wait()) == 3);
  }
}

TEST_CASE("one that goes ends what it started, without a descriptor too") {
  const auto started = std::chrono::steady_clock::now();
  {
    const ChildProcess sleeping({.arguments = {"sleep", "1000"}, .goodbye = 30s, .by_descriptor = false});
  }
  CHECK(std::chrono::steady_clock::now() - started < 20s);
}

TEST_CASE("all of them can be killed at once") {
  ChildProcess one({.arguments = {"sleep", "1000"}}), other({.arguments = {"sh", "-c", "sleep 1000; true"}});
  ChildProcess gone({.arguments = {"true"}});
  gone.wait();
  ChildProcess::kill_all();
  for (auto* child : {&one, &other}) CHECK(WTERMSIG(child->wait()) == SIGKILL);
}

TEST_CASE("a signal that we ignore is not ignored by it") {
  ChildProcess child({.arguments = {"sh", "-c", "kill -PIPE $$; exit 0"}});  // the tests ignore it
  const int status = child.wait();
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGPIPE);
}

}  // namespace
}  // namespace paddock

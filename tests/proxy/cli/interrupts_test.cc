#include "proxy/cli/interrupts.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/host/child_process.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

using namespace std::chrono_literals;

void (*handler_of(int signal))(int) {
  struct sigaction action{};
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler;
}

TEST_CASE("a signal is noted, and what was there before is put back") {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    CAPTURE(signal);
    const auto before = handler_of(signal);
    {
      const Interrupts interrupts;
      CHECK(Interrupts::sleep(1ms));
      std::raise(signal);
      CHECK(Interrupts::came());
      std::raise(SIGHUP);
      CHECK_FALSE(Interrupts::sleep(60s));
    }
    CHECK(handler_of(signal) == before);
    const Interrupts again;
    CHECK_FALSE(Interrupts::came());
  }
}

TEST_CASE("a hang-up that is ignored stays ignored") {
  const auto before = std::signal(SIGHUP, SIG_IGN);
  {
    const Interrupts interrupts;
    std::raise(SIGHUP);
    CHECK_FALSE(Interrupts::came());
  }
  CHECK(handler_of(SIGHUP) == SIG_IGN);
  std::signal(SIGHUP, before);
}

TEST_CASE("the second one ends the process, and what it has started") {
  const TemporaryFolder folder;
  const auto file = (folder / "pid").string();
  const auto process = ::fork();
  REQUIRE(process >= 0);
  if (process == 0) {
    std::signal(SIGTERM, SIG_DFL);
    const Interrupts interrupts;
    const ChildProcess child(
        {.arguments = {"sh", "-c", "echo $$ > " + file + ".new; mv " + file + ".new " + file + "; exec sleep 1000"}});
    while (::access(file.c_str(), F_OK) != 0) ::usleep(1000);
    std::raise(SIGINT);
    std::raise(SIGTERM);
    std::_Exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(process, &status, 0) == process);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
  ::pid_t child = 0;
  std::ifstream(file) >> child;
  REQUIRE(child > 1);
  // Nobody's now but init's, which may take its time, or never come where there is none: a dead one has no command
  // line.
  std::string command = "still there";
  for (int i = 0; i < 1000 && !command.empty(); ++i) {
    std::ifstream in("/proc/" + std::to_string(child) + "/cmdline");
    command.clear();
    std::getline(in, command);
    ::usleep(10'000);
  }
  CHECK(command.empty());
}

}  // namespace
}  // namespace paddock

#include "proxy/host/run_program.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <string>

#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using namespace std::chrono_literals;

Result<std::string> shell(const std::string& script, ProgramLimits limits = {}) {
  return run_program({"/bin/sh", "-c", script}, limits);
}

TEST_CASE("what a program prints is its outcome") {
  CHECK(shell("echo one; echo two") == "one\ntwo\n");
  CHECK(shell("true") == "");
  CHECK(run_program({"printf", "%s|%s", "a b", "$HOME"}) == "a b|$HOME");  // by PATH, without a shell between
}

TEST_CASE("its standard error is not its outcome") { CHECK(shell("echo warning >&2; echo one") == "one\n"); }

TEST_CASE("it reads nothing from us") { CHECK(shell("cat") == ""); }

TEST_CASE("a program that is not there") {
  CHECK(run_program({"paddock-has-no-such-program"}).error().code == ErrorCode::not_found);
  CHECK(run_program({"/dev/null"}).error().code == ErrorCode::unavailable);
}

TEST_CASE("a program that fails is quoted, on one line") {
  const auto failed = shell("echo 'Driver/library version mismatch'; echo more; exit 18");
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == ErrorCode::unavailable);
  CHECK_THAT(failed.error().context, Contains("'Driver/library version mismatch'") && !Contains("\n"));
  CHECK(shell("kill -9 $$").error().code == ErrorCode::unavailable);
}

TEST_CASE("output without end is cut off, and the program killed") {
  const auto endless = shell("while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done", {.output = 10'000});
  REQUIRE_FALSE(endless);
  CHECK(endless.error().code == ErrorCode::too_large);
}

TEST_CASE("a program that hangs is killed with its children") {
  const TemporaryFolder folder;
  const auto file = folder / "pid";
  const auto hung =
      shell("sleep 1000 & echo $! > " + file.string() + "; mv " + file.string() + " " + file.string() + ".whole; wait",
            {.patience = 4000ms});
  REQUIRE_FALSE(hung);
  CHECK(hung.error().code == ErrorCode::timeout);
  pid_t child = 0;
  std::ifstream(file.string() + ".whole") >> child;
  REQUIRE(child > 1);
  // Killed, it is gone soon, or nobody's zombie until init has looked after it.
  const auto seen =
      shell("for i in $(seq 2000); do state=$(cat /proc/" + std::to_string(child) +
            "/stat 2>/dev/null) || { echo gone; exit; }; case $state in *') Z '*) echo gone; exit;; esac; "
            "done");
  CHECK(seen == "gone\n");
}

TEST_CASE("a program that closed its output and goes on is waited for no longer than its time") {
  const auto started = std::chrono::steady_clock::now();
  const auto silent = shell("exec >/dev/null 2>&1; sleep 1000", {.patience = 300ms});
  CHECK(std::chrono::steady_clock::now() - started < 60s);
  REQUIRE_FALSE(silent);
  CHECK(silent.error().code == ErrorCode::timeout);
}

}  // namespace
}  // namespace paddock

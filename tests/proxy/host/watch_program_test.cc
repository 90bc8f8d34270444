#include "proxy/host/watch_program.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <fstream>

#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

using Lines = std::vector<std::string>;
using namespace std::chrono_literals;

struct Seen {
  Lines output, errors;
  Result<int> status;
};

Seen watch(const std::string& script, Lines environment = {}, std::function<bool()> go_on = [] { return true; }) {
  Seen seen;
  seen.status = watch_program({.arguments = {"/bin/sh", "-c", script},
                               .environment = std::move(environment),
                               .output = [&](std::string_view line) { seen.output.emplace_back(line); },
                               .errors = [&](std::string_view line) { seen.errors.emplace_back(line); },
                               .go_on = std::move(go_on)});
  return seen;
}

TEST_CASE("each line of either stream is handed on, and the exit status") {
  const auto seen = watch("echo one; echo warning >&2; printf two; exit 3");
  CHECK(seen.output == Lines{"one", "two"});
  CHECK(seen.errors == Lines{"warning"});
  CHECK(seen.status == 3);
  CHECK(watch("kill -9 $$").status == 128 + SIGKILL);
  CHECK(watch_program({.arguments = {"paddock-has-no-such-program"}}).error().code == ErrorCode::not_found);
  CHECK(watch_program({.arguments = {"/dev/null"}}).error().code == ErrorCode::unavailable);
}

TEST_CASE("who wants a terminal gets one") {
  const auto terminal = [](bool wanted) {
    Lines lines;
    const auto status = watch_program({.arguments = {"/bin/sh", "-c",
                                                     "for i in 0 1 2; do [ -t $i ] && echo $i; done; "
                                                     "echo words >&2; exit 3"},
                                       .output = [&](std::string_view line) { lines.emplace_back(line); },
                                       .terminal = wanted});
    CHECK(status == 3);
    return lines;
  };
  CHECK(terminal(true) == Lines{"1", "2", "words"});
  CHECK(terminal(false).empty());
}

TEST_CASE("lines come while the program still runs") {
  bool come = false;
  const auto seen = watch_program({.arguments = {"/bin/sh", "-c", "echo one; exec sleep 1000"},
                                   .output = [&](std::string_view) { come = true; },
                                   .go_on = [&] { return !come; }});
  CHECK(come);
  CHECK(seen.error().code == ErrorCode::cancelled);
}

TEST_CASE("it has our environment, and what is put beside it") {
  ::setenv("PADDOCK_TEST_KEPT", "ours", 1);
  ::setenv("PADDOCK_TEST_CHANGED", "ours", 1);
  const auto seen = watch("echo $PADDOCK_TEST_KEPT $PADDOCK_TEST_CHANGED $PADDOCK_TEST_NEW",
                          {"PADDOCK_TEST_CHANGED=theirs", "PADDOCK_TEST_NEW=new"});
  CHECK(seen.output == Lines{"ours theirs new"});
}

TEST_CASE("who is told to end may tidy up first, who does not is killed with its children") {
  const TemporaryFolder folder;
  const auto file = folder / "tidied";
  bool ready = false;
  const auto script = "trap 'echo x > " + file.string() + "; exit' TERM; echo ready; sleep 1000 & wait";
  const auto ended = watch_program({.arguments = {"/bin/sh", "-c", script},
                                    .output = [&](std::string_view) { ready = true; },
                                    .go_on = [&] { return !ready; }});
  CHECK(ended.error().code == ErrorCode::cancelled);
  CHECK(std::filesystem::exists(file));
  const auto started = std::chrono::steady_clock::now();
  ready = false;
  const auto deaf =
      watch_program({.arguments = {"/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"},
                     .output = [&](std::string_view) { ready = true; },
                     .go_on = [&] { return !ready; }});
  CHECK(deaf.error().code == ErrorCode::cancelled);
  CHECK(std::chrono::steady_clock::now() - started < 60s);
}

TEST_CASE("a child that keeps the streams open does not keep us") {
  const auto started = std::chrono::steady_clock::now();
  const auto seen = watch("sleep 30 & echo done");
  CHECK(seen.status == 0);
  CHECK(seen.output == Lines{"done"});
  CHECK(std::chrono::steady_clock::now() - started < 20s);
}

TEST_CASE("who has closed its streams and goes on is asked to end all the same") {
  int looks = 0;
  CHECK(watch("exec >/dev/null 2>&1; exec sleep 1000", {}, [&] { return ++looks < 5; }).status.error().code ==
        ErrorCode::cancelled);
}

}  // namespace
}  // namespace paddock

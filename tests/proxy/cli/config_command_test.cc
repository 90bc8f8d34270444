#include <catch2/catch.hpp>
#include <fstream>

#include "tests/proxy/cli/command_line.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;

std::string write(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path) << content;
  return path.string();
}

TEST_CASE("a good configuration is ok") {
  const TemporaryFolder folder;
  const auto file = write(folder / "paddock.yaml", "server:\n  listen: 127.0.0.1:5000\n");
  const auto outcome = test::paddock({"config", "check", file});
  CHECK(outcome.err.empty());
  CHECK(outcome.out == file + ": ok\n");
  CHECK(outcome.status == 0);
}

TEST_CASE("every problem of a configuration is a line, and the status is 2") {
  const TemporaryFolder folder;
  const auto file = write(folder / "paddock.yaml", "server:\n  lisen: 127.0.0.1:5000\nlog: {level: loud}\n");
  const auto outcome = test::paddock({"config", "check", file});
  CHECK(outcome.status == 2);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, Contains("paddock.yaml:2") && Contains("lisen") && Contains("listen"));
  CHECK_THAT(outcome.err, Contains("paddock.yaml:3") && Contains("loud"));
  CHECK(std::ranges::count(outcome.err, '\n') == 2);
}

TEST_CASE("a configuration that is not there is named") {
  const TemporaryFolder folder;
  const auto outcome = test::paddock({"config", "check", (folder / "absent.yaml").string()});
  CHECK(outcome.status == 2);
  CHECK_THAT(outcome.err, Contains("absent.yaml"));
}

TEST_CASE("what a hostile file holds cannot play tricks with the terminal") {
  const TemporaryFolder folder;
  const auto file = write(folder / "paddock.yaml", "\"\\e[31mred\": 1\n");
  const auto outcome = test::paddock({"config", "check", file});
  CHECK(outcome.status == 2);
  CHECK_THAT(outcome.err, !Contains("\x1b"));
}

TEST_CASE("the environment's overrides are checked too") {
  const TemporaryFolder folder;
  const auto file = write(folder / "paddock.yaml", "server:\n  listen: 127.0.0.1:5000\n");
  const test::Variable wrong("PADDOCK_LOG_LEVEL", "loud");
  const auto outcome = test::paddock({"config", "check", file});
  CHECK(outcome.status == 2);
  CHECK_THAT(outcome.err, Contains("PADDOCK_LOG_LEVEL"));
}

}  // namespace
}  // namespace paddock

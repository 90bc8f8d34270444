#include "proxy/cli/cli.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "proxy/cli/version.h"
#include "tests/proxy/cli/command_line.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::is_one_line;

TEST_CASE("paddock alone prints its help and is a usage error") {
  const auto outcome = test::paddock({});
  CHECK(outcome.status == 2);
  CHECK(outcome.out.empty());
  for (const auto* name : {"serve", "status", "images", "config", "version"}) CHECK_THAT(outcome.err, Contains(name));
}

TEST_CASE("help is no error, for every subcommand") {
  const std::vector<std::vector<std::string>> commands{{},         {"serve"},           {"status"}, {"images"},
                                                       {"config"}, {"config", "check"}, {"version"}};
  for (auto command : commands) {
    command.emplace_back("--help");
    const auto outcome = test::paddock(command);
    CHECK(outcome.status == 0);
    CHECK(outcome.err.empty());
    CHECK_FALSE(outcome.out.empty());
  }
}

TEST_CASE("a usage error is status 2 and one line that says where help is") {
  const std::vector<std::vector<std::string>> wrong{
      {"nonsense"},           {"--nonsense"}, {"serve", "--nonsense"}, {"serve", "extra"},
      {"status", "--server"}, {"config"},     {"config", "check"},     {"version", "x\ny"}};
  for (const auto& arguments : wrong) {
    INFO(arguments.front());
    const auto outcome = test::paddock(arguments);
    CHECK(outcome.status == 2);
    CHECK(outcome.out.empty());
    CHECK(is_one_line(outcome.err));
    CHECK_THAT(outcome.err, Contains("--help"));
  }
  CHECK_THAT(test::paddock({"serve", "--nonsense"}).err, Contains("see paddock serve --help"));
}

TEST_CASE("serve passes its flags on and returns what the server returned") {
  ServeOptions seen;
  const auto outcome =
      test::paddock({"serve", "--config", "p.yaml", "--data", "/data", "--listen", "127.0.0.1:1", "--listen", "[::]:2",
                     "--admin", "127.0.0.1:3", "--upstream", "http://up:5100", "--offline"},
                    [&](const ServeOptions& options) {
                      seen = options;
                      return 1;
                    });
  CHECK(outcome.status == 1);
  CHECK(seen.config == "p.yaml");
  CHECK(seen.data == "/data");
  CHECK(seen.listen == std::vector<std::string>{"127.0.0.1:1", "[::]:2"});
  CHECK(seen.admin == "127.0.0.1:3");
  CHECK(seen.upstream == "http://up:5100");
  CHECK(seen.offline);
}

TEST_CASE("serve without flags leaves everything to the configuration") {
  ServeOptions seen;
  seen.offline = true;
  const auto outcome = test::paddock({"serve"}, [&](const ServeOptions& options) {
    seen = options;
    return 0;
  });
  CHECK(outcome.status == 0);
  CHECK_FALSE(seen.config.has_value());
  CHECK_FALSE(seen.data.has_value());
  CHECK_FALSE(seen.admin.has_value());
  CHECK_FALSE(seen.upstream.has_value());
  CHECK(seen.listen.empty());
  CHECK_FALSE(seen.offline);
}

TEST_CASE("the server is not started by other subcommands or with wrong flags") {
  int started = 0;
  const auto serve = [&](const ServeOptions&) { return ++started; };
  test::paddock({"version"}, serve);
  test::paddock({"serve", "--wrong"}, serve);
  test::paddock({"serve", "--help"}, serve);
  CHECK(started == 0);
}

TEST_CASE("an exception that escapes the server is one line and status 1") {
  const auto outcome =
      test::paddock({"serve"}, [](const ServeOptions&) -> int { throw std::runtime_error("it broke\nbadly"); });
  CHECK(outcome.status == 1);
  CHECK(is_one_line(outcome.err));
  CHECK_THAT(outcome.err, Contains("it broke"));
}

TEST_CASE("version as JSON has the same in fields") {
  const auto outcome = test::paddock({"version", "--json"});
  CHECK(outcome.status == 0);
  const auto version = nlohmann::json::parse(outcome.out);
  CHECK(version.at("version") == std::string(build_version()));
  CHECK(version.at("commit") == std::string(build_commit()));
  CHECK(version.at("compiler") == build_compiler());
}

TEST_CASE("version says what this build is") {
  const auto outcome = test::paddock({"version"});
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.out, Catch::Matchers::StartsWith("paddock " + std::string(build_version())));
  CHECK_THAT(outcome.out, Contains(build_compiler()) && Catch::Matchers::EndsWith("\n"));
  CHECK(build_version().find('.') != std::string_view::npos);
  CHECK(build_compiler().find_first_of("()") == std::string::npos);
}

}  // namespace
}  // namespace paddock

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/proxy/cli/admin_server.h"
#include "tests/proxy/cli/command_line.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::AdminServer;
using test::ApiFixture;

WarmJobReport ended(WarmState state) {
  auto job = test::sample_job();
  job.state = state;
  job.images.pop_back();
  job.images[0].state = state;
  job.images[0].progress.stored = job.images[0].progress.total;
  job.progress.stored = job.progress.total;
  return job;
}

struct WarmServer {
  ApiFixture api;
  AdminServer server{api};

  test::Outcome warm(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "warm");
    arguments.insert(arguments.end(), {"--server", server.url()});
    return test::paddock(arguments);
  }
};

TEST_CASE("warm waits for the job's end, and its exit status tells how it ended") {
  WarmServer cache;
  cache.api.job = [](int look) { return look < 3 ? test::sample_job() : ended(WarmState::complete); };
  const auto outcome = cache.warm({"a/b:1", "c", "--wait", "--platform", "linux/arm64,linux/amd64", "--pin", "30d"});
  CHECK(outcome.status == 0);
  CHECK(outcome.err.empty());
  CHECK_THAT(outcome.out, Contains("job 6748a1f0, which is doing the same already\n") && Contains("complete: 100%"));
  CHECK(cache.api.last_warm.images == std::vector<std::string>{"a/b:1", "c"});
  CHECK(cache.api.last_warm.platforms == std::vector<std::string>{"linux/arm64", "linux/amd64"});
  CHECK(cache.api.last_warm.pin == std::chrono::days(30));
  CHECK(cache.api.job_looks == 3);
}

TEST_CASE("where there is no terminal a long job prints few lines") {
  WarmServer cache;
  cache.api.job = [](int look) { return look < 6 ? test::sample_job() : ended(WarmState::complete); };
  const auto outcome = cache.warm({"a/b:1"});
  CHECK(std::ranges::count(outcome.out, '\n') <= 4);
  CHECK_FALSE(outcome.out.contains('\x1b'));
}

TEST_CASE("a job that failed exits 1 and says on stderr which images are missing") {
  WarmServer cache;
  cache.api.job = [](int) {
    auto job = test::sample_job();
    job.state = WarmState::failed;
    return job;
  };
  const auto outcome = cache.warm({"a/b:1"});
  CHECK(outcome.status == 1);
  CHECK(outcome.err == "paddock: paddlepaddle/paddle:2.6.9: no such tag; nearest: 2.6.1, 2.6.0\n");
}

TEST_CASE("a dry run prints the plan, and exits 1 where it does not fit") {
  WarmServer cache;
  const auto outcome = cache.warm({"a/b:1", "--dry-run"});
  CHECK(outcome.status == 1);
  CHECK_THAT(outcome.out, Contains("to be fetched") && Contains("raise storage.max_size"));
  CHECK(cache.api.job_looks == 0);
  CHECK(nlohmann::json::parse(cache.warm({"a/b:1", "--dry-run", "--json"}).out)["missing_bytes"] == 3000);
}

TEST_CASE("without waiting the job's id is all there is to say") {
  WarmServer cache;
  const auto outcome = cache.warm({"--rule", "nightly", "--no-wait", "--json"});
  CHECK(outcome.status == 0);
  CHECK(nlohmann::json::parse(outcome.out)["job"] == "6748a1f0");
  CHECK(cache.api.last_warm.rule == "nightly");
  CHECK(cache.api.job_looks == 0);
}

TEST_CASE("as JSON only the job as it ended is printed") {
  WarmServer cache;
  cache.api.job = [](int look) { return look < 2 ? test::sample_job() : ended(WarmState::complete); };
  CHECK(nlohmann::json::parse(cache.warm({"a/b:1", "--json"}).out)["state"] == "complete");
}

TEST_CASE("what makes no sense is a usage error") {
  WarmServer cache;
  const auto arguments = GENERATE(values<std::vector<std::string>>(
      {{}, {"--rule", "r", "a/b:1"}, {"a/b:1", "--pin", "long"}, {"a/b:1", "--pin", "30"}, {"--unknown"}}));
  const auto outcome = cache.warm(arguments);
  CHECK(outcome.status == 2);
  CHECK(test::is_one_line(outcome.err));
  CHECK(cache.api.last_warm == WarmRequest{});
}

TEST_CASE("what the server refuses is said as it says it") {
  WarmServer cache;
  cache.api.error = Error{ErrorCode::invalid_argument, Blame::client, "platforms: write os/architecture"};
  auto outcome = cache.warm({"a/b:1"});
  CHECK(outcome.status == 2);
  CHECK_THAT(outcome.err, Contains("platforms: write os/architecture"));
  cache.api.error = Error{ErrorCode::not_found, Blame::client, "no rule has this name"};
  outcome = cache.warm({"--rule", "x"});
  CHECK(outcome.status == 1);
  CHECK_THAT(outcome.err, Contains("no rule has this name"));
}

}  // namespace
}  // namespace paddock

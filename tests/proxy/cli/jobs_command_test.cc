#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/proxy/cli/admin_server.h"
#include "tests/proxy/cli/command_line.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;

struct JobsServer {
  test::ApiFixture api;
  test::AdminServer server{api};

  test::Outcome jobs(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "jobs");
    arguments.insert(arguments.end(), {"--server", server.url()});
    return test::paddock(arguments);
  }
};

TEST_CASE("jobs are listed, or one is shown with its images") {
  JobsServer cache;
  CHECK_THAT(cache.jobs({}).out, Contains("6748a1f0") && Contains("filling"));
  const auto one = cache.jobs({"6748a1f0"});
  CHECK(one.status == 0);
  CHECK_THAT(one.out, Contains("no such tag; nearest: 2.6.1, 2.6.0") && Contains("25%"));
  CHECK(nlohmann::json::parse(cache.jobs({"--json"}).out)["jobs"].size() == 1);
}

TEST_CASE("a job is cancelled by its id") {
  JobsServer cache;
  const auto outcome = cache.jobs({"--cancel", "6748a1f0"});
  CHECK(outcome.out == "cancelled\n");
  CHECK(cache.api.last_cancelled == "6748a1f0");
}

TEST_CASE("a job that is not there is an error that says so") {
  JobsServer cache;
  for (const auto& arguments :
       {std::vector<std::string>{"0-0"}, {"--cancel", "0-0"}, {"0-0", "--follow"}, {"../status"}}) {
    const auto outcome = cache.jobs(arguments);
    CHECK(outcome.status == 1);
    CHECK(test::is_one_line(outcome.err));
  }
}

TEST_CASE("following a job ends with it, and the exit status tells") {
  JobsServer cache;
  cache.api.job = [](int look) {
    auto job = test::sample_job();
    if (look > 2) job.state = WarmState::cancelled;
    return job;
  };
  const auto outcome = cache.jobs({"6748a1f0", "--follow"});
  CHECK(outcome.status == 1);
  CHECK_THAT(outcome.out, Contains("cancelled: 25%"));
}

}  // namespace
}  // namespace paddock

#include "proxy/warm/ci/jenkins_words.h"

#include <catch2/catch.hpp>

namespace paddock::ci {

TEST_CASE("what Jenkins sets is told from a pipeline's own variables") {
  for (const auto* name : {"BUILD_NUMBER", "JOB_NAME", "GIT_COMMIT", "CHANGE_ID", "BRANCH_NAME", "WORKSPACE"}) {
    INFO(name);
    CHECK(is_set_by_jenkins(name));
  }
  CHECK_FALSE(is_set_by_jenkins("IMAGE"));
  CHECK_FALSE(is_set_by_jenkins("MY_BUILD_NUMBER"));
}

TEST_CASE("steps of every shell run a script, echo does not") {
  for (const auto* step : {"sh", "bat", "powershell", "pwsh"}) CHECK(is_shell_step(step));
  CHECK_FALSE(is_shell_step("echo"));
}

TEST_CASE("a registry's address is cut to what stands in front of names") {
  CHECK(registry_of("https://r.example.com:5000/v2/") == "r.example.com:5000");
  CHECK(registry_of("r.example.com") == "r.example.com");
  CHECK(registry_of("").empty());
}

TEST_CASE("the scopes of variables fall away, other text stays") {
  CHECK(without_scopes("${env.A}:${params.B}-${C} env.D") == "${A}:${B}-${C} env.D");
  CHECK(without_scopes("${env.").size() == 2);
}

}  // namespace paddock::ci
